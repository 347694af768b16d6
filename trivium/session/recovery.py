"""Bring a test case to where the journal of its session ends.

From the state that the generation begins with, what was committed since is done again, and compared with what was
recorded then. An uncommitted request is never done again.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import StateError
from trivium.evaluation.testcase import TestCase
from trivium.model.contract import FloatArray
from trivium.model.contract import State as ModelState
from trivium.session import rows
from trivium.session.ledger import Ledger
from trivium.session.local import Prepared
from trivium.simulation import state


class Attempts:
    """Counts the processes that did not survive a recovery, in a file: entered before, left after it.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def died(self) -> int:
        """How many processes died since one survived."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def age(self) -> float:
        """Time since the last one began [s]."""
        try:
            return max(0.0, time.time() - self._path.stat().st_mtime)
        except FileNotFoundError:
            return math.inf

    def __enter__(self) -> None:
        with contextlib.suppress(OSError), self._path.open("ab") as file:  # a full disk does not hinder a recovery
            file.write(b"x")

    def __exit__(self, *_: object) -> None:
        self.forget()

    def forget(self) -> None:
        """Count from 0 again."""
        self._path.unlink(missing_ok=True)


def recover(prepared: Prepared, ledger: Ledger, folder: Path, again: Callable[[Mapping[str, Any]], object]) -> str:
    """Bring a test case to where a journal ends that has a base.

    Parameters
    ----------
    prepared : Prepared
    ledger : Ledger
    folder : Path
        Of the row files.
    again : Callable
        Does a recorded request once more.

    Returns
    -------
    str
        ``exact``, ``inexact`` or ``replayed``; see docs/sessions.md.

    Raises
    ------
    TriviumError
        When it cannot be done.
    """
    assert ledger.base is not None  # noqa: S101, the caller has looked
    case = prepared.case
    history = case.stepper.history
    history.adopt(rows.parts(folder, ledger.base.rows))
    before = len(history)
    table = np.frombuffer(b"".join(done.rows for done in ledger.done)).reshape(-1, len(history.columns))
    light = ledger.done[-1].state if ledger.done else None
    if light is not None:  # it was recorded where the model could not be serialized
        history.append(table)
        case.set_state(bytes(light))
        return "replayed"
    case.set_state(ledger.base.state)
    for done in ledger.done:
        again(done.intent)
    if not len(table):
        return came_back(case, exact=case.stepper.model.exact_elsewhere)
    if np.array_equal(case.history_rows(before), table, equal_nan=True):
        return "exact" if case.can_restore else "replayed"
    _adopt(prepared, before, table)
    return "inexact"


def came_back(case: TestCase, *, exact: bool) -> str:
    """Return how a test case came back where there is nothing to compare with, by the qualification of its FMU."""
    if case.stepper.model.state is ModelState.FRESH:
        return "exact"  # there is no instance yet that could be another
    if not case.can_restore:
        return "replayed"
    return "exact" if exact else "inexact"


def _adopt(prepared: Prepared, before: int, table: FloatArray) -> None:
    """Let the stored rows stand where a replay gave others: what was acknowledged stays as it was."""
    case, history = prepared.case, prepared.case.stepper.history
    replayed = state.decode(case.state(), prepared.origin)
    if float(table[-1, 0]) != replayed.position.time or before + len(table) != replayed.mark.rows:
        raise StateError("replaying the journal led to another time than it records")
    history.cut(before)
    history.append(table)
    outputs = table[-1, 1 + len(case.stepper.model.inputs) :]
    case.set_state(
        state.encode(replayed._replace(position=replayed.position._replace(outputs=outputs)), prepared.origin)
    )
