"""How hosts and sessions end."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

from trivium.errors import UnknownSessionError
from trivium.process import end_process
from trivium.session.folder import Folder, Status


def end_session(state_dir: Path, folder: Folder) -> None:
    """End the host of a session and remove the folder.

    Raises
    ------
    UnknownSessionError
        When somebody else does.
    """
    shutil.rmtree(set_aside(state_dir, folder), ignore_errors=True)


def set_aside(state_dir: Path, folder: Folder) -> Path:
    """End the host of a session, and return where the folder is from then on; errors as `end_session`."""
    gone = folder.path.with_name(f".stopped-{folder.testid}-{time.time_ns()}")
    try:
        folder.path.rename(gone)  # from here on nobody finds it
    except FileNotFoundError as error:
        raise UnknownSessionError(folder.testid) from error
    end_host(Folder(state_dir, folder.testid, gone))
    folder.socket.unlink(missing_ok=True)
    folder.place.unlink(missing_ok=True)
    return gone


def end_host(folder: Folder) -> None:
    """End the host of a session, whatever it does."""
    status = folder.serving()
    if status is not None:
        kill(status)


def dismiss(status: Status) -> None:
    """Have a host end as soon as it has nothing to do; its session stays."""
    end_process(status.pid, status.started, signal.SIGTERM, 0.0)


def kill(status: Status) -> None:
    """Kill a host, and never another process that got its number."""
    end_process(status.pid, status.started)
