"""The kinds of jobs: a name, what a specification of it looks like, and what runs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from trivium.document import refusals
from trivium.errors import InvalidValueError, NotFoundError
from trivium.extras import missing
from trivium.numbers import shown
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings
from trivium.suggestions import near_or_all

#: Where the kinds are; each is imported when it is first asked for: a server does not load what it only hands on.
_PLACES = {"converge": "trivium.jobs.converge", "step": "trivium.jobs.step", "sweep": "trivium.jobs.sweep"}
#: The extras that bring what they import.
_EXTRAS = {"converge": "coupling", "sweep": "sweep"}


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
    """

    about: str
    spec: type[BaseModel]
    run: Callable[[Any, Recorder, Settings], Outcome]
    example: Mapping[str, Any]


def names() -> list[str]:
    """Return the names of all kinds."""
    return sorted(_PLACES)


def find(name: str) -> Kind:
    """Return a kind.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    MissingExtraError
        When a package that it needs is not installed.
    """
    if name not in _PLACES:
        raise NotFoundError(f"There is no kind of job {shown(name)}.{near_or_all(name, names())}")
    try:
        kind: Kind = importlib.import_module(_PLACES[name]).KIND
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or str(error.name).startswith("trivium"):
            raise
        raise missing(f"The kind of job {name}", _EXTRAS[name]) from error
    return kind


def parse(kind: Kind, given: Mapping[str, Any], settings: Settings) -> BaseModel:
    """Check a specification.

    Parameters
    ----------
    kind : Kind
    given : Mapping
        The specification.
    settings : Settings
        Of the server that is to run it; validators have them as their context.

    Raises
    ------
    InvalidValueError
        Naming every field that is wrong.
    """
    try:
        return kind.spec.model_validate(dict(given), context=settings)
    except ValidationError as error:
        wrong = refusals(error, kind.spec)
        raise InvalidValueError(" ".join(map(str, wrong)), wrong[0].field) from error
