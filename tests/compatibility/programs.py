"""A process in which an unmodified program of another project runs against a server of ours.

``python -m tests.compatibility.programs <kind> <checkout> <url> <outcome> [<argument> ...]``: the kind is a function
below, the outcome a JSON file that it writes.

Two things are arranged for the program, neither in its files: requests to this machine go to the server, whichever port
the program has in its text; and infinity in a JSON body is sent, as ``requests`` did before its version 2.26.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import unittest
from pathlib import Path
from typing import Any

import requests

_LOCAL = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?")


def redirect(server: str) -> None:
    """Send all requests to this machine to the URL of a server."""
    send = requests.Session.request

    def request(self: requests.Session, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        body = options.pop("json", None)
        if body is not None:
            options["data"] = json.dumps(body)
            options["headers"] = {"Content-Type": "application/json", **(options.get("headers") or {})}
        return send(self, method, _LOCAL.sub(server, url, count=1), *arguments, **options)

    requests.Session.request = request  # type: ignore[method-assign]


def suite(checkout: Path, _url: str, outcome: Path, module: str) -> None:
    """Run a unittest module of BOPTEST's ``testing``: the outcome has None or the traceback of each test, by name."""
    sys.path[:0] = [str(checkout), str(checkout / "testing")]
    os.chdir(checkout / "testing")
    tests = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
    outcomes: dict[str, str | None] = {}
    for test in _each(tests):
        result = unittest.TestResult()
        test.run(result)
        outcomes[test.id().partition(".")[2]] = next((text for _, text in [*result.failures, *result.errors]), None)
        outcome.write_text(json.dumps(outcomes))  # as far as they are, should one never end


def _each(tests: unittest.TestSuite) -> list[unittest.TestCase]:
    cases: list[unittest.TestCase] = []
    for test in list(tests):
        cases += _each(test) if isinstance(test, unittest.TestSuite) else [test]
    return cases


def client(checkout: Path, _url: str, outcome: Path, testcase: str) -> None:
    """Run BOPTEST's client with its baseline controller, half a day from a start with a warm-up."""
    sys.path.insert(0, str(checkout))
    interface = importlib.import_module("examples.python.interface")
    indicators, results, _, _ = interface.control_test(
        testcase, "examples.python.controllers.baseline", start_time=864000, warmup_period=7200, length=43200, step=1800
    )
    outcome.write_text(json.dumps({"indicators": indicators, "rows": len(results), "columns": list(results.columns)}))


def boptest_gym(checkout: Path, url: str, outcome: Path, options: str) -> None:
    """Check BOPTEST's Gymnasium environment by its own library's check, and step it over two episodes."""
    sys.path.insert(0, str(checkout))
    os.chdir(outcome.parent)
    from stable_baselines3.common.env_checker import check_env

    module = importlib.import_module("boptestGymEnv")
    env = module.BoptestGymEnv(url=url, **json.loads(options))
    check_env(env)
    starts, rewards = [], []
    env.action_space.seed(3)
    for _ in range(2):
        env.reset()
        starts.append(float(env.start_time))
        over = False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            rewards.append(float(reward))
            over = terminated or truncated
    env.stop()
    outcome.write_text(json.dumps({"starts": starts, "rewards": rewards}))


def notebook(checkout: Path, _url: str, outcome: Path, path: str) -> None:
    """Run the cells of a notebook in its folder."""
    import matplotlib as mpl

    mpl.use("agg")
    sys.path.insert(0, str(checkout))
    os.chdir(Path(path).parent)
    cells = [c for c in json.loads(Path(path).read_text())["cells"] if c["cell_type"] == "code"]
    names: dict[str, Any] = {"display": print}
    for cell in cells:
        exec(compile("".join(cell["source"]), path, "exec"), names)  # noqa: S102, that is what the test is for
    outcome.write_text(json.dumps({"cells": len(cells)}))


def main(kind: str, checkout: str, url: str, outcome: str, *arguments: str) -> None:
    """Run a program."""
    redirect(url)
    kinds = {"suite": suite, "client": client, "boptest_gym": boptest_gym, "notebook": notebook}
    kinds[kind](Path(checkout), url, Path(outcome), *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
