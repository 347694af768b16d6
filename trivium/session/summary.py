"""The summary of a session, without a request to its process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from trivium.errors import DamagedError
from trivium.process import resident
from trivium.protocol import Override
from trivium.session.folder import Folder, Status, read_status, serving
from trivium.session.labels import read_labels


def summarize(folder: Folder, default: bool) -> dict[str, Any]:
    """Return the summary of a session, as in the reply to ``GET /sessions``.

    Parameters
    ----------
    folder : Folder
    default : bool
        Whether it is the default session.
    """
    description, damage = _described(folder)
    last, present = folder.status(), folder.serving()
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
        "state": _state(bool(damage), present, folder.queued.exists),
        "damage": damage or None,
        "confined": folder.confinement(),
        "memory": resident(present.pid) if present else 0,
        **labels.model_dump(),
        "baseline_of": labels.baseline_of or None,
        "parent": description.get("parent"),
        "forked_at": description.get("forked_at"),
        "scenario": listed.get("scenario"),
        "overrides": current_overrides(listed, clock),
    }


def state_of(path: str, described: bool) -> str:
    """Return the state of a session, as its summary has it.

    Parameters
    ----------
    path : str
        Of its folder.
    described : bool
        Whether its description is whole.
    """
    damaged = not described or os.path.exists(f"{path}/damaged")
    return _state(damaged, serving(read_status(f"{path}/status")), lambda: os.path.exists(f"{path}/queued"))


def _described(folder: Folder) -> tuple[dict[str, Any], str]:
    """Return the description of a session, and what is damaged of it."""
    try:
        return folder.description(), folder.damage()
    except DamagedError as error:
        return {}, str(error)


def _state(damaged: bool, present: Status | None, queued: Callable[[], bool]) -> str:
    if damaged:
        return "damaged"
    if present is None:
        return "queued" if queued() else "hibernated"
    return "busy" if present.busy_since else "idle"


def current_overrides(listed: Mapping[str, Any], clock: float) -> dict[str, dict[str, Any]]:
    """Return the inputs that are set by hand at a time [s], of what a host noted."""
    entries = {name: Override(*entry) for name, entry in listed.get("overrides", {}).items()}
    return {name: entry._asdict() for name, entry in entries.items() if entry.acts_at(clock)}
