"""``python -m benchmarks.many``: many steps in one request against a bare loop; forks; JSON against columns.

The bare loop is the least that the same steps can cost: for each, the row of the boundary data, Head_required from the
surrogates, the FMU's step. It checks nothing, keeps nothing and cannot go back. Both simulate the actions of the test
case's own baseline, in turns, so that both feel whatever else the machine does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import INTERVAL, baseline, recorded_actions
from tests.server import Server
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase
from trivium.settings import Settings


def bare_loop(case: TestCase, start: float, controls: np.ndarray) -> tuple[float, np.ndarray]:
    """Simulate with nothing around the plant; return the seconds and the last outputs."""
    case.initialize(start)
    model, data, of = case.stepper.model, case.stepper.disturbances, case.stepper.inputs
    law = of.law
    if law is None:
        raise SystemExit("this benchmark simulates test cases with a law of the required head")
    at, outputs, stepped = case.time, np.array(case.stepper.history.table()[-1, 1 + len(model.inputs) :]), False
    inputs = np.empty(len(model.inputs))
    started = time.perf_counter()
    for row in controls:
        inputs[of.controlled] = row
        inputs[of.disturbed] = data.values[round((at - data.time0) / data.interval)]
        inputs[of.computed] = law(inputs, outputs, stepped=stepped)
        outputs = model.step(INTERVAL, inputs)
        at, stepped = at + INTERVAL, True
    return time.perf_counter() - started, outputs


def in_one_request(case: TestCase, start: float, request: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
    """Simulate with one call; return the seconds and the columns."""
    case.initialize(start)
    started = time.perf_counter()
    reply = case.advance_many(**request)
    return time.perf_counter() - started, reply.columns


def against_the_bare_loop(case: TestCase, start: float, actions: Sequence[Mapping[str, float]], rounds: int) -> None:
    """Print what many steps in one call cost over the bare loop."""
    by_name = {name: [action[name] for action in actions] for name in actions[0]}
    outputs = [variable.name for variable in case.stepper.model.outputs]
    requests: dict[str, Mapping[str, Any]] = {
        "a list for each input, all points": {"trajectory": by_name},
        "a list for each input, 5 points": {"trajectory": by_name, "point_names": outputs[:5]},
        "a list of actions, all points": {"trajectory": list(actions)},
        "up to the first failure": {"trajectory": by_name, "atomic": False},
    }
    case.initialize(start)
    controls = case.actions.trajectory(by_name, np.zeros(len(case.actions.variables)))
    bare: list[float] = []
    many: dict[str, list[float]] = {name: [] for name in requests}
    for _ in range(rounds):
        for name, request in requests.items():
            seconds, last = bare_loop(case, start, controls)
            bare.append(seconds)
            seconds, columns = in_one_request(case, start, request)
            many[name].append(seconds / bare[-1])
            if not all(columns[o][-1] == last[i] for i, o in enumerate(outputs) if o in columns):
                raise SystemExit("the request and the bare loop came to different ends")
    print(
        f"{len(actions)} steps in one call over the bare loop ({1e3 * min(bare):.0f} ms), median of {rounds} rounds\n"
    )
    print("| request | over the bare loop |\n|---|--:|")
    for name, ratios in many.items():
        print(f"| {name} | {100 * (statistics.median(ratios) - 1):+.1f} % |")


def over_http(resources: Path, state: Path, start: float, actions: Sequence[Mapping[str, float]]) -> None:
    """Print what the same costs over HTTP, in JSON and in columns, and what a fork costs."""
    by_name = {name: [action[name] for action in actions] for name in actions[0]}
    body = json.dumps({"trajectory": by_name}).encode()
    print("\n| over HTTP | seconds | reply [MB] |\n|---|--:|--:|")
    with Server(resources, state, TRIVIUM_MAX_BODY=str(2**26)) as server:
        connection = server.connect(300.0)
        for accept in ("application/json", "application/x-npz"):
            server.request("PUT", "/initialize", {"start_time": start})
            started = time.perf_counter()
            connection.request("POST", "/steps", body, {"Content-Type": "application/json", "Accept": accept})
            response = connection.getresponse()
            reply = response.read()
            seconds = time.perf_counter() - started
            if response.status != 200:
                raise SystemExit(reply.decode())
            print(f"| {len(actions)} steps, {accept} | {seconds:.2f} | {len(reply) / 1e6:.2f} |")
        forks = []
        for _ in range(10):
            started = time.perf_counter()
            testid = server.request("POST", "/fork")[1]["payload"]["testid"]
            server.request("POST", f"/steps/{testid}")
            forks.append(time.perf_counter() - started)
            stop = server.connect()
            stop.request("PUT", f"/stop/{testid}")
            stop.getresponse().read()
            stop.close()
    median = 1e3 * statistics.median(forks)
    print(f"\nfork of a session after {len(actions)} steps, with the first step of it: median {median:.0f} ms")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps of a request (default 2000)")
    parser.add_argument("--start", type=float, default=300000.0, help="start time [s] (default 300000)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds (default 9)")
    options = parser.parse_args()
    settings = Settings()
    all_actions = recorded_actions(settings)
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        case = open_testcase(settings.resources, Path(folder) / "in-process")
        actions = baseline(all_actions, case.inputs, options.start, options.steps)
        against_the_bare_loop(case, options.start, actions, options.rounds)
        case.close()
        over_http(settings.resources, Path(folder) / "server", options.start, actions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
