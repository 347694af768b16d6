"""The summary of a session, without a request to its process."""

from __future__ import annotations

from typing import Any

from trivium.errors import DamagedError
from trivium.process import resident
from trivium.session.folder import Folder


def summarize(folder: Folder, default: bool) -> dict[str, Any]:
    """Return the summary of a session, as in the reply to ``GET /sessions``.

    Parameters
    ----------
    folder : Folder
    default : bool
        Whether it is the default session.
    """
    damage = folder.damage()
    try:
        description = folder.description()
    except DamagedError as error:
        description, damage = {}, str(error)
    last, serving = folder.status(), folder.serving()
    if damage:
        state = "damaged"
    elif serving is None:
        state = "queued" if folder.queued.exists() else "hibernated"
    else:
        state = "busy" if serving.busy_since else "idle"
    return {
        "testid": folder.testid,
        "testcaseid": description.get("testcase"),
        "created": description.get("created"),
        "last_used": folder.last_used(),
        "owner": description.get("owner"),
        "default": default,
        "time": last.clock if last else 0.0,
        "state": state,
        "damage": damage or None,
        "confined": folder.confinement(),
        "memory": resident(serving.pid) if serving else 0,
    }
