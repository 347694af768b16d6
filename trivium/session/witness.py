"""What requests to a session leave in its events and labels."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from trivium.errors import TriviumError
from trivium.protocol import Simulation
from trivium.session.events import Event, Events
from trivium.session.folder import Folder
from trivium.session.labels import label, read_labels

_STEPS = frozenset({Simulation.advance.__name__, Simulation.advance_many.__name__})
_OTHERS = frozenset(
    each.__name__
    for each in (
        Simulation.initialize, Simulation.set_scenario, Simulation.restore, Simulation.override, Simulation.release,
    )
)  # fmt: skip
_FAULT = 500


def note(folder: Folder, kind: str, text: str) -> None:
    """Store that something happens in a session now."""
    Events(folder.path).add(_clock(folder), kind, text)


def matters(method: str, outcome: Any) -> bool:
    """Return whether a request leaves an event: most steps do not, so that they cost nothing."""
    if method in _STEPS:
        return _failure(outcome) is not None
    return method in _OTHERS and outcome is not None and not isinstance(outcome, TriviumError)


def witness(folder: Folder, method: str, arguments: Sequence[Any], options: Mapping[str, Any], outcome: Any) -> None:
    """Store what a request has done that `matters`.

    Parameters
    ----------
    folder : Folder
        Of the session.
    method : str
        A member of `trivium.protocol.Simulation`.
    arguments, options : sequence, Mapping
        Those of the request.
    outcome : Any
        What it returned, or the `TriviumError` that it raised.
    """
    if method in _STEPS:
        note(folder, "failure", f"A step failed: {_failure(outcome)}")
    elif method == Simulation.initialize.__name__:
        _start(folder, "Started here.")
    elif method == Simulation.set_scenario.__name__:
        chosen = {name: value for name, value in options.items() if value is not None and name != "faults"}
        parts = ", ".join(f"{name} {value}" for name, value in chosen.items())
        if options.get("time_period"):
            _start(folder, f"Started here, in the scenario: {parts}.")
        else:
            note(folder, "scenario", f"The scenario was changed: {parts or 'faults'}.")
    elif method == Simulation.override.__name__:
        values = arguments[0] if arguments else options["inputs"]
        note(folder, "override", f"By hand: {', '.join(f'{name} {value}' for name, value in values.items())}.")
    elif method == Simulation.release.__name__:
        names = (arguments[0] if arguments else options.get("names")) or ("all inputs",)
        note(folder, "override", f"Released: {', '.join(names)}.")
    elif method == Simulation.restore.__name__:
        events = Events(folder.path)
        events.keep(events.until(float(outcome)))
        events.add(float(outcome), "restore", "The session was brought back to here.")


def driven(folder: Folder, controller: str) -> None:
    """Store that a controller drives a session from now on, until it begins anew."""
    label(folder, {"controller": controller})
    note(folder, "controller", f"The controller {controller} drives the session.")


def inherit(folder: Folder, source: Folder, at: float | None) -> None:
    """Give a fork the events of the session that it goes on from, up to a time [s]."""
    clock = _clock(source) if at is None else at
    kept = [event for event in Events(source.path).until(clock) if event.kind != "snapshot"]
    Events(folder.path).keep([*kept, Event(clock, "fork", f"Forked from the session {source.testid}.", time.time())])


def _failure(outcome: Any) -> TriviumError | None:
    """Return the fault that ended steps; None where they were done, or only refused."""
    error = outcome if isinstance(outcome, TriviumError) else getattr(outcome, "error", None)
    return error if error is not None and error.status == _FAULT else None


def _start(folder: Folder, text: str) -> None:
    events = Events(folder.path)
    events.keep(())
    events.add(_clock(folder), "initialize", text)
    if read_labels(folder).controller:
        with contextlib.suppress(TriviumError):  # the session has begun anew all the same
            label(folder, {"controller": ""})


def _clock(folder: Folder) -> float:
    status = folder.status()
    return status.clock if status is not None else 0.0
