"""What the environment and the client cost: steps in process, in a host, at a server, in vectors; resets; requests.

``python -m benchmarks.gym``. All rows simulate the same steps, the actions of the test case's own baseline, in all 100
inputs. The bare loop gets the inputs that a TestCase recorded for them, so it is the FMU alone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import adcc.gym
from adcc.client import Client
from adcc.gym import DataCenterCoolingEnv
from adcc.session.local import open_testcase
from adcc.settings import Settings
from benchmarks.__main__ import INTERVAL, Row, baseline, in_process, recorded_actions, table, timed, with_requests
from tests.server import Server


def stepped(env: Any, start: float, actions: Sequence[Any], repeats: int = 1) -> list[float]:
    """Return the seconds of each step of an environment."""
    env.reset(options={"start_time": start})
    seconds = timed(env.step, actions)
    return [one / repeats for one in seconds]


def resets(make: Callable[..., DataCenterCoolingEnv], starts: Sequence[float]) -> str:
    """Return the median times of resets at starts that are new, and at those that the plant has stored [ms]."""
    env, taken = make(), {}
    for _ in range(3):  # the second visit finds out whether a restored start goes on exactly like a simulated one
        taken = {start: timed(lambda _, at=start: env.reset(options={"start_time": at}), [{}])[0] for start in starts}
        cold = taken if _ == 0 else cold  # noqa: F821
    env.reset(options={"start_time": starts[0]})
    snapshot = env.snapshot()
    back = [timed(lambda _: env.reset(options={"snapshot": snapshot}), [{}])[0] for _ in starts]
    env.close()
    return " | ".join(f"{1e3 * statistics.median(times):.2f}" for times in (cold.values(), taken.values(), back))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps of each row (default 2000)")
    parser.add_argument("--start", type=float, default=300000.0, help="start time [s] (default 300000)")
    options = parser.parse_args()
    settings = Settings.from_env()
    count, start = options.steps, options.start
    with tempfile.TemporaryDirectory(prefix="adcc-bench-") as folder:
        state = Path(folder)
        case = open_testcase(settings.resources, state)
        names = list(case.get_inputs().payload)
        given = baseline(recorded_actions(settings), names, start, count)
        actions = [np.array([action[name] for name in names], dtype=np.float32) for action in given]
        of_case, bare = in_process(case, start, [dict(zip(names, one.tolist(), strict=True)) for one in actions])
        case.close()
        about = {"normalise": False, "episode": (count + 1) * INTERVAL, "resources": settings.resources}

        def make(where: str = "in-process", **more: Any) -> DataCenterCoolingEnv:
            return DataCenterCoolingEnv(where, **{**about, "state_dir": state, **more})

        rows = [Row("bare FMU step", bare), Row("TestCase step", of_case)]
        with Server(settings.resources, state / "server") as server:
            for name, where in (("in process", "in-process"), ("in a host", "host"), ("at a server", server.url)):
                env = make(where)
                rows.append(Row(f"environment {name}", stepped(env, start, actions)))
                env.close()
            few = make(server.url, actions=["Tchws_set_CHI", "Tchws_set_HEX"])
            rows.append(Row("environment at a server, 2 inputs", stepped(few, start, [one[97:99] for one in actions])))
            few.close()
            for mode in ("sync", "async"):
                vector = gymnasium.make_vec(
                    adcc.gym.ENV_ID,
                    num_envs=2,
                    vectorization_mode=mode,
                    state_dir=state,
                    disable_env_checker=True,
                    **about,
                )
                both = [np.stack((one, one)) for one in actions]
                rows.append(Row(f"vector(2), {mode}, a step of one", stepped(vector, start, both, repeats=2)))
                vector.close()
            with Client(server.url) as client, client.select() as session:
                session.initialize(start)
                rows.append(Row("adcc.client, advance", timed(session.advance, given)))
                session.initialize(start)
                started = time.perf_counter()
                session.steps(trajectory={name: [one[name] for one in given] for name in names})
                each = (time.perf_counter() - started) / count
                rows.append(Row("adcc.client, all steps in one request", [each] * count))
            server.request("PUT", "/initialize", {"start_time": start})
            rows.append(Row("requests.Session, advance", timed(with_requests(server.url), given)))
            print(f"{count} steps of {INTERVAL:.0f} s from {start:.0f} s\n")
            print(table(rows))
            starts = [start + 86400.0 * k for k in range(20)]
            print("\n| reset [ms] | new start | stored start | snapshot |\n|---|--:|--:|--:|")
            for name, where in (("in process", "in-process"), ("in a host", "host"), ("at a server", server.url)):
                print(f"| {name} | {resets(lambda at=where: make(at), starts)} |")


if __name__ == "__main__":
    main()
