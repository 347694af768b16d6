"""How hosts and sessions end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from trivium.errors import UnknownSessionError
from trivium.process import process_start, readable
from trivium.session.folder import Folder, Status


def end_session(state_dir: Path, folder: Folder) -> None:
    """End the host of a session and remove the folder.

    Raises
    ------
    UnknownSessionError
        When somebody else does.
    """
    gone = folder.path.with_name(f".stopped-{folder.testid}-{time.time_ns()}")
    try:
        folder.path.rename(gone)  # from here on nobody finds it
    except FileNotFoundError as error:
        raise UnknownSessionError(folder.testid) from error
    end_host(Folder(state_dir, folder.testid, gone))
    folder.socket.unlink(missing_ok=True)
    folder.place.unlink(missing_ok=True)
    shutil.rmtree(gone, ignore_errors=True)


def end_host(folder: Folder) -> None:
    """End the host of a session, whatever it does."""
    status = folder.serving()
    if status is not None:
        kill(status)


def dismiss(status: Status) -> None:
    """Have a host end as soon as it has nothing to do; its session stays."""
    _signal(status, signal.SIGTERM, wait=0.0)


def kill(status: Status) -> None:
    """Kill a process, and never another one that got its number."""
    _signal(status, signal.SIGKILL, wait=5.0)


def _signal(status: Status, number: signal.Signals, wait: float) -> None:
    """Send a signal to a host and wait for its end for a time [s]."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(status.pid)
        try:
            if process_start(status.pid) == status.started:
                signal.pidfd_send_signal(handle, number)
                readable(handle, wait)
        finally:
            os.close(handle)
