"""What the environment and the client cost: steps in process, in a host, at a server, in vectors; resets; requests.

``python -m benchmarks.gym``. All rows simulate the same steps, the actions of the test case's own baseline, in all 100
inputs. The bare loop gets the inputs that a TestCase recorded for them, so it is the FMU alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import urllib3

import trivium.gym
from benchmarks.__main__ import (
    INTERVAL,
    Row,
    baseline,
    in_process,
    keep_alive,
    recorded_actions,
    table,
    timed,
    with_requests,
)
from tests.server import Server
from trivium.client import Client
from trivium.gym import DataCenterCoolingEnv
from trivium.session.local import open_testcase
from trivium.settings import Settings

DAY = 86400.0


def stepped(env: Any, start: float, actions: Sequence[Any], repeats: int = 1) -> list[float]:
    """Return the seconds of each step of an environment; of a vector those of one plant's step."""
    env.reset(options={"start_time": start})
    seconds = [one / repeats for one in timed(env.step, actions)]
    env.close()
    return seconds


def with_urllib3(url: str) -> Callable[[Mapping[str, float]], None]:
    """Return a step through a pool of urllib3."""
    pool = urllib3.PoolManager()

    def step(action: Mapping[str, float]) -> None:
        headers = {"Content-Type": "application/json"}
        reply = pool.request("POST", f"{url}/advance", body=json.dumps(action).encode(), headers=headers)
        if reply.status != 200:
            raise SystemExit(reply.data.decode())

    return step


def requested(server: Server, start: float, actions: Sequence[Mapping[str, float]]) -> list[Row]:
    """Return what a step costs through each library and through the client."""
    rows = []
    for name, step in (
        ("http.client", keep_alive(server.connect())),
        ("urllib3.PoolManager", with_urllib3(server.url)),
        ("requests.Session", with_requests(server.url)),
    ):
        server.request("PUT", "/initialize", {"start_time": start})
        rows.append(Row(name, timed(step, actions)))
    with Client(server.url) as client, client.select() as session:
        session.initialize(start)
        rows.append(Row("trivium.client, advance", timed(session.advance, actions)))
        session.initialize(start)
        trajectory = {name: [one[name] for one in actions] for name in actions[0]}
        (seconds,) = timed(lambda whole: session.advance_many(trajectory=whole), [trajectory])
        rows.append(Row("trivium.client, all steps in one request", [seconds / len(actions)] * len(actions)))
    return rows


def resets(env: DataCenterCoolingEnv, starts: Sequence[float]) -> str:
    """Return the median times of resets [ms]: at new starts, at those that the plant has stored, from a snapshot."""

    def rounds(options: Sequence[Mapping[str, Any]]) -> float:
        return 1e3 * statistics.median(timed(lambda one: env.reset(options=dict(one)), options))

    at = [{"start_time": start} for start in starts]
    new = rounds(at)
    rounds(at)  # finds out whether a restored start goes on exactly like a simulated one
    stored = rounds(at)
    snapshot = rounds([{"snapshot": env.snapshot()}] * len(starts))
    env.close()
    return f"{new:.2f} | {stored:.2f} | {snapshot:.2f}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps of each row (default 2000)")
    parser.add_argument("--start", type=float, default=300000.0, help="start time [s] (default 300000)")
    options = parser.parse_args()
    settings, count, start = Settings(), options.steps, options.start
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        state = Path(folder)
        case = open_testcase(settings.resources, state)
        names = list(case.inputs)
        given = baseline(recorded_actions(settings), names, start, count)
        actions = [np.array([action[name] for name in names], dtype=np.float32) for action in given]
        of_case, bare = in_process(case, start, [dict(zip(names, one.tolist(), strict=True)) for one in actions])
        case.close()
        about = {"state_dir": state, "normalise": False, "episode": (count + 1) * INTERVAL}
        rows = [Row("bare FMU step", bare), Row("TestCase step", of_case)]
        with Server(settings.resources, state / "server") as server:
            places = {"in process": "in-process", "in a host": "host", "at a server": server.url}
            for name, where in places.items():
                env = DataCenterCoolingEnv(where, resources=settings.resources, **about)
                rows.append(Row(f"environment {name}", stepped(env, start, actions)))
            env = DataCenterCoolingEnv(resources=settings.resources, kpis=["ener_tot", "tdis_tot"], **about)
            rows.append(Row("environment in process, 2 indicators", stepped(env, start, actions)))
            for mode in ("sync", "async"):
                vector = gymnasium.make_vec(
                    trivium.gym.ENV_ID, num_envs=2, vectorization_mode=mode, resources=settings.resources, **about
                )
                both = [np.stack((one, one)) for one in actions]
                rows.append(Row(f"vector of 2, {mode}, a plant's step", stepped(vector, start, both, repeats=2)))
            rows += requested(server, start, given)
            print(f"{count} steps of {INTERVAL:.0f} s from {start:.0f} s\n")
            print(table(rows))
            starts = [start + DAY * k for k in range(20)]
            print("\n| reset [ms] | new start | stored start | snapshot |\n|---|--:|--:|--:|")
            for name, where in places.items():
                env = DataCenterCoolingEnv(where, resources=settings.resources, state_dir=state)
                print(f"| {name} | {resets(env, starts)} |")


if __name__ == "__main__":
    main()
