"""``make bench``: what a step costs, bare, as a TestCase and over HTTP; memory; start.

All rows simulate the same steps: the actions of the test case's own baseline from one start time on. The bare step gets
the inputs that the TestCase recorded, Head_required included, so it is the FMU alone.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests

from tests.server import GUNICORN, Server
from trivium.environment import ROOT
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.initialization import InitializationActions, read_initialization_actions
from trivium.simulation.resources import Resources

INTERVAL = 300.0


class Row(NamedTuple):
    """Times of many steps [s]."""

    name: str
    seconds: Sequence[float]


def timed(step: Callable[[Mapping[str, float]], object], actions: Iterable[Mapping[str, float]]) -> list[float]:
    """Call a step for every action; return the seconds of each."""
    seconds = []
    for action in actions:
        started = time.perf_counter()
        step(action)
        seconds.append(time.perf_counter() - started)
    return seconds


def in_process(case: TestCase, start: float, actions: Sequence[Mapping[str, float]]) -> tuple[list[float], list[float]]:
    """Step a TestCase, then its FMU alone over the same inputs; return the seconds of both."""
    case.initialize(start)
    of_case = timed(case.advance, actions)
    rows = case.stepper.history.table()
    inputs = np.array(rows[:, 1 : 1 + len(case.stepper.model.inputs)])
    outputs = np.array(rows[:, 1 + inputs.shape[1] :])
    model = case.stepper.model.twin()
    model.initialize(start - INTERVAL, inputs[0])
    model.step(INTERVAL, inputs[0])
    bare = []
    for row, expected in zip(inputs[1:], outputs[1:], strict=True):
        started = time.perf_counter()
        got = model.step(INTERVAL, row)
        bare.append(time.perf_counter() - started)
        if not np.allclose(got, expected, rtol=1e-3, atol=1e-3):
            raise SystemExit("the bare FMU did not repeat what the TestCase simulated")
    model.close()
    return of_case, bare


def keep_alive(connection: http.client.HTTPConnection) -> Callable[[Mapping[str, float]], None]:
    """Return a step over one connection that stays open."""

    def step(action: Mapping[str, float]) -> None:
        connection.request("POST", "/advance", json.dumps(action).encode(), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(body.decode())

    return step


def with_requests(url: str) -> Callable[[Mapping[str, float]], None]:
    """Return a step through requests.Session."""
    session = requests.Session()
    return lambda action: session.post(f"{url}/advance", json=action, timeout=60).raise_for_status()


def memory(pid: int) -> float:
    """Return the memory that is a process's own, files that it maps left out [MB]."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024 / 1e6


def memory_growth(
    server: Server, initialize: Mapping[str, float], actions: Sequence[Mapping[str, float]], thousands: int
) -> str:
    """Return how much the process of the session grows over each thousand steps."""
    (host,) = server.hosts()
    thousand = list(itertools.islice(itertools.cycle(actions), 1000))
    step, growth = keep_alive(server.connect()), []
    for _ in range(thousands):
        server.request("PUT", "/initialize", initialize)
        before = memory(host)
        timed(step, thousand)
        growth.append(memory(host) - before)
    return ", ".join(f"{megabytes:+.2f}" for megabytes in growth) + " MB"


def over_http(
    resources: Path, state: Path, start: float, actions: Sequence[Mapping[str, float]], thousands: int
) -> tuple[list[Row], list[str]]:
    """Step a real server; return the rows and the lines about memory and start."""
    initialize = {"start_time": start}
    with Server(resources, state / "first") as server:
        first = server.start_seconds
    with Server(resources, state / "first") as server:
        seconds = {}
        for name, step in (
            ("HTTP step, http.client kept alive", keep_alive(server.connect())),
            ("HTTP step, requests.Session", with_requests(server.url)),
        ):
            server.request("PUT", "/initialize", initialize)
            seconds[name] = timed(step, actions)
        lines = [
            f"start to first reply: {first:.2f} s, FMU unpacked before: {server.start_seconds:.2f} s",
            f"memory growth per 1000 steps over HTTP: {memory_growth(server, initialize, actions, thousands)}",
        ]
    with Server(resources, state / "empty", (*GUNICORN[:-1], "benchmarks.empty:app")) as server:
        empty = timed(keep_alive(server.connect()), actions)
    rows = [Row("empty Flask handler, http.client kept alive", empty)]
    return [*rows, *(Row(name, values) for name, values in seconds.items())], lines


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table; the first is what the others are compared with."""
    bare = statistics.median(rows[0].seconds)
    lines = [
        "| | median [ms] | p95 [ms] | all [s] | steps/s | median over the bare step | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, seconds in rows:
        median, total = statistics.median(seconds), sum(seconds)
        lines.append(
            f"| {name} | {1e3 * median:.2f} | {1e3 * float(np.percentile(seconds, 95)):.2f} | {total:.2f} | "
            f"{len(seconds) / total:.0f} | {1e3 * (median - bare):+.2f} ms | {median / bare:.1f} |"
        )
    return "\n".join(lines)


def baseline(actions: InitializationActions, names: Iterable[str], start: float, count: int) -> list[dict[str, float]]:
    """Return the actions of the baseline from a time on."""
    wanted = set(names)
    times = (start + INTERVAL * k for k in range(count))
    return [{name: value for name, value in actions.at(at).items() if name in wanted} for at in times]


def recorded_actions(settings: Settings) -> InitializationActions:
    """Return the actions of the test case's own baseline; ends the program where it has none."""
    path = Resources.load(settings.resources).initialization_actions
    if path is None:
        raise SystemExit(f"{settings.resources} has no initialization actions, which this benchmark replays")
    return read_initialization_actions(path)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps of each row (default 2000)")
    parser.add_argument("--start", type=float, default=300000.0, help="start time [s] (default 300000)")
    parser.add_argument("--thousands", type=int, default=3, help="thousands of steps to watch memory over (default 3)")
    options = parser.parse_args()
    settings = Settings()
    all_actions = recorded_actions(settings)
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        state = Path(folder)
        case = open_testcase(settings.resources, state / "in-process")
        actions = baseline(all_actions, case.inputs, options.start, options.steps)
        of_case, bare = in_process(case, options.start, actions)
        case.close()
        rows, lines = over_http(settings.resources, state, options.start, actions, options.thousands)
    shown = settings.resources.relative_to(ROOT) if settings.resources.is_relative_to(ROOT) else settings.resources.name
    print(f"{options.steps} steps of {INTERVAL:.0f} s from {options.start:.0f} s, test case {shown}\n")
    print(table([Row("bare FMU step", bare), Row("TestCase step", of_case), *rows]))
    print("\n" + "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
