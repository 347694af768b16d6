"""The summary of a session, without a request to its process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.errors import DamagedError
from trivium.process import resident
from trivium.protocol import Override
from trivium.session.folder import Folder
from trivium.session.labels import read_labels


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
    clock = last.clock if last else 0.0
    listed, labels = folder.listed(), read_labels(folder)
    return {
        "testid": folder.testid,
        "testcaseid": description.get("testcase"),
        "created": description.get("created"),
        "last_used": folder.last_used(),
        "owner": description.get("owner"),
        "default": default,
        "time": clock,
        "revision": last.acknowledged if last else 0,
        "state": state,
        "damage": damage or None,
        "confined": folder.confinement(),
        "memory": resident(serving.pid) if serving else 0,
        **labels.model_dump(),
        "baseline_of": labels.baseline_of or None,
        "parent": description.get("parent"),
        "forked_at": description.get("forked_at"),
        "scenario": listed.get("scenario"),
        "overrides": current_overrides(listed, clock),
    }


def current_overrides(listed: Mapping[str, Any], clock: float) -> dict[str, dict[str, Any]]:
    """Return the inputs that are set by hand at a time [s], of what a host noted."""
    entries = {name: Override(*entry) for name, entry in listed.get("overrides", {}).items()}
    return {name: entry._asdict() for name, entry in entries.items() if entry.acts_at(clock)}
