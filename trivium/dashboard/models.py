"""Models that forms of studies name: the server's test cases, and FMUs in the folders of studies."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trivium import locations
from trivium.dashboard.context import Context
from trivium.errors import InvalidValueError, TriviumError
from trivium.extras import missing
from trivium.names import is_file_name
from trivium.simulation.calendar import Calendar
from trivium.simulation.resources import Resources

#: Most models of folders that are listed.
_MOST = 200
_OPENING = threading.Lock()


def models(context: Context) -> dict[str, str]:
    """Return models: what forms call them, and what readers see."""
    cases = context.sessions.testcases()
    listed = {f"testcase:{name}": name for name in cases}
    # the default one is usually the first of the shipped ones, under its own name
    shipped = [name for name, place in locations.TESTCASES.items() if place() != context.settings.resources]
    listed |= {f"testcase:{name}": f"{name} (shipped)" for name in shipped if name not in cases}
    files = sorted(context.settings.studies.glob("*/*.fmu"))[:_MOST]
    return listed | {f"file:{file.parent.name}/{file.name}": f"{file.parent.name}/{file.name}" for file in files}


def cases(context: Context) -> list[str]:
    """Return the coupled cases of the server."""
    return sorted(file.parent.name for file in context.settings.studies.glob("*/case.json"))


def offer(context: Context, model: str, *, study: bool = True) -> Mapping[str, Any]:
    """Return what a model offers; the first look at it takes some seconds. ``study``: see `offer_of`.

    Raises
    ------
    TriviumError
        When there is none of this name, or it cannot be used.
    """
    try:
        from trivium.study.offer import offer_of
    except ModuleNotFoundError as error:
        raise missing("The form of a study", "sweep") from error
    path = _place(context, model)
    with _OPENING, context.readings.room():  # a page asks several times, and a model is opened once
        return offer_of(path, context.settings.state_dir / "fmu", study=study)


def calendar(context: Context, model: str) -> Calendar | None:
    """Return the calendar of a model; None where its times have no dates."""
    kind, _, name = model.partition(":")
    if kind != "testcase":
        return None
    try:
        if name in context.sessions.testcases():
            return context.sessions.declared_case(name).calendar
        return _shipped(name) if name in locations.TESTCASES else None
    except TriviumError:
        return None


@cache
def _shipped(name: str) -> Calendar | None:
    return Resources.load(locations.shipped_testcase(name)).calendar


def _place(context: Context, model: str) -> Path:
    kind, _, name = model.partition(":")
    if kind == "testcase":
        from trivium.jobs.sweep import testcase_folder

        try:
            return testcase_folder(name, context.settings)
        except ValueError as error:
            raise InvalidValueError(str(error), "testcase") from error
    parts = name.split("/")
    if len(parts) != 2 or not all(map(is_file_name, parts)):
        raise InvalidValueError(f"There is no model {model}.", "model")
    place = context.settings.studies.resolve()
    path = (place / name).resolve()
    if not path.is_relative_to(place) or not path.exists():
        raise InvalidValueError(f"There is no model {model}.", "model")
    return path
