"""What sessions cost: start, journal, recovery, fork. ``python -m benchmarks.sessions``."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from adcc.session.journal import Durability, Journal, Kind
from adcc.session.local import open_testcase
from adcc.session.manager import SessionManager
from adcc.session.process import process_start
from adcc.settings import ROOT, Settings

#: Bytes that one step appends to the journal: intent, and commit with a row and the reply.
INTENT, COMMIT = 2500, 9000
LENGTHS = (100, 1000, 10000)


def milliseconds(call: Callable[[], object], times: int = 1) -> float:
    """Return the median time of a call [ms]."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return 1e3 * statistics.median(taken)


def journal(folder: Path, durability: Durability) -> float:
    """Return what the two records of a step cost [ms]."""
    writer = Journal(folder, durability)
    writer.start_generation([(Kind.BASE, b"")])
    intent, commit = os.urandom(INTENT), os.urandom(COMMIT)

    def step() -> None:
        writer.append(Kind.INTENT, intent)
        writer.append(Kind.COMMIT, commit)

    try:
        return milliseconds(step, 2000)
    finally:
        writer.close()


def kill(manager: SessionManager) -> None:
    """Kill the host of the default session."""
    pid = manager.call(None, "about").payload["pid"]
    os.kill(pid, signal.SIGKILL)
    while process_start(pid):
        time.sleep(0.001)


def recovery(manager: SessionManager, steps: int) -> float:
    """Return the time from a request after kill -9 to its reply, in a session of so many steps [ms]."""
    manager.call(None, "initialize", 300000)
    for _ in range(steps // 100):
        manager.call(None, "advance", {"steps": 100, "point_names": ["Tchw_supply"]}, "many")
    taken = []
    for _ in range(3):
        kill(manager)
        taken.append(milliseconds(lambda: manager.call(None, "get_step")))
    return statistics.median(taken)


def main() -> int:
    """Print the figures."""
    resources = ROOT / "Resources"
    with tempfile.TemporaryDirectory(prefix="adcc-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(folder)
        manager = SessionManager(Settings.from_env({"ADCC_STATE_DIR": folder}))
        print("| | [ms] |\n|---|--:|")
        print(f"| first session of a server: zygote, self-test, host | {milliseconds(manager.open_default):.0f} |")
        (name,) = manager.testcases()
        print(f"| a further session from the zygote, ready | {milliseconds(lambda: manager.select(name), 9):.0f} |")
        manager.call(None, "initialize", 300000)
        case = open_testcase(resources, state / "here")
        case.initialize(300000)
        alone = milliseconds(lambda: case.advance({}), 1000)
        case.close()
        hosted = milliseconds(lambda: manager.call(None, "advance", {}), 1000)
        print(f"| TestCase step, in process | {alone:.2f} |")
        print(f"| the same through socket, host and journal | {hosted:.2f} |")
        for durability in ("process", "power"):
            cost = journal(state / f"journal-{durability}", durability)
            print(f"| journal alone, intent and commit of a step, `{durability}` | {cost:.3f} |")
        print(f"| snapshot | {milliseconds(lambda: manager.snapshot(None), 9):.1f} |")
        forks: list[str] = []
        print(f"| fork: the new session exists | {milliseconds(lambda: forks.append(manager.fork(None)), 9):.1f} |")
        first = milliseconds(lambda: manager.call(forks.pop(), "get_step"), 9)
        print(f"| first reply of a fork: its host starts | {first:.0f} |")
        for steps in LENGTHS:
            print(f"| first reply after kill -9 of the host, {steps} steps | {recovery(manager, steps):.0f} |")
        manager.stop_all()
        manager.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
