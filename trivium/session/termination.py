"""How hosts and sessions end."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import time
from pathlib import Path

from trivium.errors import UnknownSessionError
from trivium.session.folder import Folder, Status
from trivium.session.process import process_start


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
    shutil.rmtree(gone, ignore_errors=True)


def end_host(folder: Folder) -> None:
    """End the host of a session, whatever it does."""
    status = folder.serving()
    if status is not None:
        kill(status)


def kill(status: Status) -> None:
    """Kill a process, and never another one that got its number."""
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(status.pid)
        try:
            if process_start(status.pid) == status.started:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [], 5.0)
        finally:
            os.close(handle)
