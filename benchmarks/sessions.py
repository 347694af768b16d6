"""What sessions cost: start, journal, fork, and what depends on their length. ``python -m benchmarks.sessions``."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.__main__ import memory
from trivium.environment import ROOT
from trivium.process import process_start
from trivium.session.folder import Folder
from trivium.session.journal import Durability, Journal, Kind
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings

#: Bytes that one step appends to the journal: intent, and commit with a row and the reply.
INTENT, COMMIT = 2500, 9000
LENGTHS = (100, 1000, 10000, 100000)


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
    pid = manager.session(None).host_state().pid
    os.kill(pid, signal.SIGKILL)
    while process_start(pid):
        time.sleep(0.001)


def simulated(manager: SessionManager, steps: int) -> float:
    """Bring the default session to so many steps after its start; return how much its host grew on the last 9/10 [MB].

    In requests of ten steps: one host does them all.
    """
    manager.session(None).initialize(0)
    pid, before = manager.session(None).host_state().pid, 0.0
    for k in range(steps // 10):
        if k == steps // 100:
            before = memory(pid)
        manager.session(None).advance_many(steps=10, point_names=["Tchw_supply"])
    if manager.session(None).host_state().pid != pid:
        raise SystemExit("the host was replaced")
    return memory(pid) - before


def private(pid: int) -> float:
    """Return the memory that no other process shares [MB]."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))) / 1e3


def recovery(manager: SessionManager) -> float:
    """Return the time from a request after kill -9 to its reply [ms]."""
    taken = []
    for _ in range(5):
        kill(manager)
        taken.append(milliseconds(lambda: manager.session(None).step))
        for _ in range(20):
            manager.session(None).advance({})
    return statistics.median(taken)


def first_step(manager: SessionManager, make: Callable[[], str], times: int = 9) -> float:
    """Return the time from asking for a session to the reply of its first step [ms]."""
    made: list[str] = []

    def both() -> None:
        made.append(make())
        manager.session(made[-1]).advance({})

    taken = milliseconds(both, times)
    for testid in made:
        manager.stop(testid)
    return taken


def lengths(manager: SessionManager) -> None:
    """Print what depends on the length of a session: nothing should."""
    print(
        "\n| steps | first reply after kill -9 [ms] | snapshot [ms] | fork and its first step [ms] | journal [MB] | "
        "rows [MB] | host's own memory [MB] | its growth over the last 9/10 [MB] |\n|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    for steps in LENGTHS:
        growth = simulated(manager, steps)
        folder = Folder(manager._state_dir, manager._default)
        journal, rows = (sum(f.stat().st_size for f in of.iterdir()) / 1e6 for of in (folder.journal, folder.rows))
        own = private(manager.session(None).host_state().pid)
        back = recovery(manager)
        snapshot = milliseconds(lambda: manager.session(None).snapshot(), 9)
        fork = first_step(manager, lambda: manager.fork(None))
        print(
            f"| {steps} | {back:.0f} | {snapshot:.1f} | {fork:.0f} | {journal:.1f} | {rows:.0f} | {own:.1f} | "
            f"{growth:+.2f} |"
        )


def main() -> int:
    """Print the figures."""
    resources = ROOT / "Resources"
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(folder)
        manager = SessionManager(Settings(environ={"TRIVIUM_STATE_DIR": folder}))
        print("| | [ms] |\n|---|--:|")
        print(
            f"| first session of a server: zygote, trial of the FMU, host | {milliseconds(manager.open_default):.0f} |"
        )
        (name,) = manager.testcases()
        print(f"| a further session and its first step | {first_step(manager, lambda: manager.select(name)):.0f} |")
        manager.session(None).initialize(300000)
        case = open_testcase(resources, state / "here")
        case.initialize(300000)
        alone = milliseconds(lambda: case.advance({}), 1000)
        case.close()
        hosted = milliseconds(lambda: manager.session(None).advance({}), 1000)
        print(f"| TestCase step, in process | {alone:.2f} |")
        print(f"| the same through socket, host and journal | {hosted:.2f} |")
        for durability in ("process", "power"):
            cost = journal(state / f"journal-{durability}", durability)
            print(f"| journal alone, intent and commit of a step, `{durability}` | {cost:.3f} |")
        print(f"| fork: the new session exists | {milliseconds(lambda: manager.fork(None), 9):.1f} |")
        print(f"| fork and its first step | {first_step(manager, lambda: manager.fork(None)):.0f} |")
        manager.stop_all()
        lengths(manager)
        manager.stop_all()
        manager.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
