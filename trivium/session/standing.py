"""What is known of a session without asking its process."""

from __future__ import annotations

from typing import Any

from trivium.session.folder import Folder
from trivium.session.process import resident


def tell(folder: Folder, default: bool) -> dict[str, Any]:
    """Return what is known of a session, as ``GET /sessions`` answers it.

    Parameters
    ----------
    folder : Folder
    default : bool
        Whether it is the default session.
    """
    about, last, now = folder.about(), folder.status(), folder.serving()
    if now is None:
        state = "queued" if folder.queued.exists() else "hibernated"
    else:
        state = "busy" if now.busy_since else "idle"
    return {
        "testid": folder.testid,
        "testcaseid": about.get("testcase"),
        "created": about.get("created"),
        "default": default,
        "time": last.clock if last else 0.0,
        "state": state,
        "memory": resident(now.pid) if now else 0,
    }
