"""The kinds of jobs: a name, what a specification of it looks like, and what runs it.

Packages bring kinds by the entry point group ``trivium.jobs``; each refers to a `Kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from trivium.document import refusals
from trivium.entry_points import Registry
from trivium.errors import InvalidValueError, NotFoundError
from trivium.numbers import shown
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings
from trivium.suggestions import near_or_all


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    about : str
        What it does, in a sentence.
    spec : type of BaseModel
    run : callable
        Takes a specification, a `Recorder` (see there what it may rely on) and the settings of the server. Called in a
        process of its own.
    example : Mapping
        A specification that runs on the shipped examples.
    check : callable, optional
        Takes a specification and the settings, before the job is accepted; raises what a run would raise at once.
    prepare : callable, optional
        Called in a process that waits for its job, which may be of another kind: what a run loads first.
    """

    about: str
    spec: type[BaseModel]
    run: Callable[[Any, Recorder, Settings], Outcome]
    example: Mapping[str, Any]
    check: Callable[[Any, Settings], None] | None = None
    prepare: Callable[[], None] | None = None


#: Kinds whose results are the runs of a study.
WITH_RUNS = ("optimize", "sweep")
#: All kinds; each is imported when it is used first: a server does not load what it only hands on.
KINDS: Registry[Kind] = Registry("trivium.jobs")


def names() -> list[str]:
    """Return the names of all kinds."""
    return sorted(KINDS.names())


def find(name: str) -> Kind:
    """Return a kind.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    MissingExtraError
        When a package that it needs is not installed.
    SettingsError
        When it cannot be loaded otherwise.
    """
    try:
        return KINDS.load(name)
    except KeyError:
        raise NotFoundError(f"There is no kind of job {shown(name)}.{near_or_all(name, names())}") from None


def parse(kind: Kind, spec: Mapping[str, Any], settings: Settings) -> BaseModel:
    """Check a specification.

    Parameters
    ----------
    kind : Kind
    spec : Mapping
        The specification.
    settings : Settings
        Of the server that is to run it; validators have them as their context.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    try:
        return kind.spec.model_validate(dict(spec), context=settings)
    except ValidationError as error:
        wrong = refusals(error, kind.spec)
        raise InvalidValueError(" ".join(map(str, wrong)), wrong[0].field) from error
