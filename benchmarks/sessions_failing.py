"""``python -m benchmarks.sessions_failing``: how soon a client hears of what its FMU does, beyond the limits.

FMUs that crash, exit, hang, leak and answer NaN are compiled for it; see tests/trap_fmu.py.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.small_plant import write_resources
from tests.trap_fmu import PLANT_TRAP, Trap, TrapResources
from trivium.errors import ModelError
from trivium.session.manager import SessionManager
from trivium.settings import Settings

LIMIT = 2  # TRIVIUM_STEP_TIMEOUT [s]
TRAPS = {
    "an output that is NaN": Trap.NOT_A_NUMBER,
    "status error": Trap.ERROR,
    "segmentation fault": Trap.SEGMENTATION_FAULT,
    "abort()": Trap.ABORT,
    "exit()": Trap.EXIT,
    f"hang, beyond the {LIMIT} s of the limit": Trap.HANG,
}


def heard(manager: SessionManager, trap: Trap) -> float:
    """Return the time from the request to its error [ms]."""
    started = time.perf_counter()
    try:
        manager.session(None).advance({PLANT_TRAP: int(trap)})
    except ModelError:
        return 1e3 * (time.perf_counter() - started - (LIMIT if trap is Trap.HANG else 0))
    raise SystemExit("the trap did not snap")


def main() -> int:
    """Print the figures."""
    print("| what the FMU does | the client has its error after [ms] | most [ms] |\n|---|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as folder:
        small = write_resources(Path(folder) / "small")
        resources = TrapResources(Path(folder) / "traps", small)(brittle=True)
        environ = {
            "TRIVIUM_RESOURCES": str(resources),
            "TRIVIUM_STATE_DIR": f"{folder}/s",
            "TRIVIUM_STEP_TIMEOUT": str(LIMIT),
        }
        manager = SessionManager(Settings(environ=environ))
        manager.session(None).advance()
        for what, trap in TRAPS.items():
            taken = [heard(manager, trap) for _ in range(3 if trap is Trap.HANG else 9)]
            print(f"| {what} | {statistics.median(taken):.0f} | {max(taken):.0f} |")
        manager.stop_all()
        manager.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
