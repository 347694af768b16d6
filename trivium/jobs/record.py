"""The record of a job: its states, which of them may follow which, and what a death counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trivium.recorder import Scalar

#: How often a job may die without having come further than before, until it counts as failed.
MOST_DEATHS = 5


class State(StrEnum):
    """Where a job stands; the text is what replies say."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESS = "Success"
    ERROR = "Error"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return not FOLLOWS[self]


#: The states that may follow a state. Running follows itself when another worker takes over a job whose worker is gone.
FOLLOWS: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.RUNNING, State.PENDING, State.SUCCESS, State.ERROR, State.CANCELLED}),
    State.SUCCESS: frozenset(),
    State.ERROR: frozenset(),
    State.CANCELLED: frozenset(),
}


def before(state: State) -> list[State]:
    """Return the states that a state may follow."""
    return [previous for previous in State if state in FOLLOWS[previous]]


@dataclass(frozen=True)
class Job:
    """A job as the store has it.

    Attributes
    ----------
    task_id, kind : str
    owner : str or None
        Name of the token that it was submitted with.
    spec : Mapping
        As the kind's model takes it.
    state : State
    message : str
        The last message of the run.
    progress : float or None
        How much is done, 0 to 1.
    counts, results : Mapping[str, Scalar]
        Figures during the run, and at its end.
    files : Mapping[str, str]
        Result files by name: paths relative to the job's folder.
    outcome, error : str or None
    created, started, finished, lease : float or None
        In the store's clock [s since 1970]; a lease is until when the job is its worker's.
    worker : str or None
        Who runs it, or ran it last.
    token : int
        Counts who took the job; what carries an older one is refused.
    attempts : int
        How often it was started.
    deaths : int
        How often its process died since it came further than before.
    furthest : float
        How far it was at its deaths.
    cancel : bool
        Whether somebody asked it to end.
    """

    task_id: str
    kind: str
    owner: str | None
    spec: Mapping[str, Any]
    state: State
    message: str
    progress: float | None
    counts: Mapping[str, Scalar]
    results: Mapping[str, Scalar]
    files: Mapping[str, str]
    outcome: str | None
    error: str | None
    created: float
    started: float | None
    finished: float | None
    lease: float | None
    worker: str | None
    token: int
    attempts: int
    deaths: int
    furthest: float
    cancel: bool

    def after_death(self) -> tuple[int, float]:
        """Return ``deaths`` and ``furthest`` after its process died once more.

        A job that comes further each time may die as often as it likes; one that dies at the same place may not.
        """
        reached = self.progress or 0.0
        return (1, reached) if reached > self.furthest else (self.deaths + 1, self.furthest)


#: What the fields of a record are, and what stands for one that is damaged.
_FIELDS: Mapping[str, tuple[type | tuple[type, ...], Any]] = {
    **dict.fromkeys(("task_id", "kind", "message"), (str, "")),
    **dict.fromkeys(("spec", "counts", "results", "files"), (dict, {})),
    **dict.fromkeys(("token", "attempts", "deaths"), (int, 0)),
    **dict.fromkeys(("created", "furthest"), ((int, float), 0.0)),
    **dict.fromkeys(("progress", "started", "finished", "lease"), ((int, float, type(None)), None)),
    **dict.fromkeys(("owner", "outcome", "error", "worker"), ((str, type(None)), None)),
    "cancel": (bool, False),
}


def job_of(record: Mapping[str, Any]) -> Job:
    """Return a job; one whose record is damaged has ended with an error that says so."""
    fields = dict(record)
    damaged = [name for name, (kind, _) in _FIELDS.items() if not isinstance(fields[name], kind)]
    for name in damaged:
        fields[name] = _FIELDS[name][1]
    if fields["state"] not in list(State):
        damaged.append("state")
    if damaged:
        problem = f"Its record is damaged: {', '.join(damaged)} cannot be read; submit it again"
        return Job(**fields | {"state": State.ERROR, "message": problem, "error": problem})
    return Job(**fields | {"state": State(fields["state"])})
