"""``python -m benchmarks.sessions_at_once``: four workers, eight sessions at once, against the bare rate of all cores.

Each client steps a session of its own over HTTP with a kept connection, in requests of one step and of many; clients
have processes of their own, on the same cores as the server. The bare rate is that of TestCases in as many processes as
there are cores, with nothing between them and the caller.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.sessions import private
from tests.server import Server
from trivium.environment import ROOT
from trivium.session.local import open_testcase

RESOURCES = ROOT / "Resources"
CASE = "/testcases/AlphaDataCenterCooling_Gym/select"
JSON = {"Content-Type": "application/json"}
START = 300000


def bare(barrier: Barrier, state: Path, steps: int) -> None:
    """Step a TestCase in this process."""
    case = open_testcase(RESOURCES, state)
    case.initialize(START)
    barrier.wait()
    for _ in range(steps):
        case.advance({})
    barrier.wait()
    os._exit(0)


def client(barrier: Barrier, port: int, path: str, requests: int, body: bytes) -> None:
    """Send the same request again and again."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    barrier.wait()
    for _ in range(requests):
        connection.request("POST", path, body, JSON)
        response = connection.getresponse()
        reply = response.read()
        if response.status != 200:
            sys.exit(reply.decode())
    barrier.wait()


def together(target: object, arguments: list[tuple[object, ...]]) -> float:
    """Run processes at once and return how long they took, without their start [s]."""
    barrier = multiprocessing.Barrier(len(arguments) + 1)
    processes = [multiprocessing.Process(target=target, args=(barrier, *given)) for given in arguments]  # type: ignore[arg-type]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    return seconds


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions_at_once", description=__doc__)
    parser.add_argument("--steps", type=int, default=1000, help="steps of each session (default 1000)")
    parser.add_argument("--sessions", type=int, default=8, help="sessions (default 8)")
    parser.add_argument("--workers", type=int, default=4, help="workers of gunicorn (default 4)")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as folder:
        seconds = together(bare, [(Path(folder) / f"bare-{k}", options.steps) for k in range(cores)])
        rate = cores * options.steps / seconds
        print(f"bare TestCases, {cores} processes on {cores} cores: {rate:.0f} steps/s\n")
        print(f"| {options.workers} workers, {options.sessions} sessions at once | steps/s | of the bare rate |")
        print("|---|--:|--:|")
        command = (sys.executable, "-m", "gunicorn", "-w", str(options.workers))
        with Server(RESOURCES, Path(folder) / "empty", (*command, "benchmarks.empty:app")) as server:
            seconds = together(client, [(server.port, "/advance", options.steps, b"{}")] * options.sessions)
            got = options.sessions * options.steps / seconds
            print(f"| for comparison: a handler that does nothing | {got:.0f} | {100 * got / rate:.0f} % |")
        with Server(RESOURCES, Path(folder) / "server", (*command, "restapi:app")) as server:
            testids = [server.request("POST", CASE)[1]["testid"] for _ in range(options.sessions)]
            for many in (1, 10, 100):
                for testid in testids:
                    wanted = {"start_time": START, "warmup_period": 0}
                    server.request("PUT", f"/initialize/{testid}", wanted)
                requests = options.steps // many
                path, body = ("advance", b"{}") if many == 1 else ("steps", json.dumps({"steps": many}).encode())
                given = [(server.port, f"/{path}/{testid}", requests, body) for testid in testids]
                seconds = together(client, given)
                got = options.sessions * requests * many / seconds
                print(f"| {many} step{'s' if many > 1 else ''} a request | {got:.0f} | {100 * got / rate:.0f} % |")
            told = server.request("GET", "/sessions")[1]["payload"]
            own = sorted(private(pid) for pid in server.hosts())
            resident = sorted(one["memory"] / 1e6 for one in told if one["memory"])
            print(
                f"\nmemory of a session's process: {own[len(own) // 2]:.0f} MB of its own, "
                f"{resident[len(resident) // 2]:.0f} MB with what it shares with others"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
