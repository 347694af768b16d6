"""Processes that tests wait for and kill."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from trivium.process import process_start

#: How long a test waits for what must happen before it fails [s]: much longer than it takes on a machine that is busy.
PATIENCE = 300.0


def gone(*pids: int) -> None:
    """Wait until there are no such processes."""
    deadline = time.monotonic() + PATIENCE
    while any(process_start(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.02)


def kill(*pids: int) -> None:
    """Kill processes, unless they have ended, and wait for their end.

    Who asks one that is about to die may get its last words in place of what its successor replies.
    """
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    gone(*pids)
