"""Where a driven test goes on after its process was killed: state of the test case, rows of its history, controller."""

from __future__ import annotations

import io
import pickle
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trivium.control.controller import Controller
from trivium.errors import StateError
from trivium.evaluation.testcase import TestCase
from trivium.storage import replace_file

#: Least time between two checkpoints [s].
EVERY = 0.5
#: How many times longer than it takes to write a checkpoint the test goes on before the next one.
_SHARE = 20.0


class Point(NamedTuple):
    """Where a test was.

    Attributes
    ----------
    steps : int
        Steps that are done.
    controller : Controller
        As it was after them.
    """

    steps: int
    controller: Controller


class Checkpoints:
    """Stores where a test is, now and then, and brings a test case back there.

    A model whose restore is not exact, or is impossible, is brought back by simulating the stored rows again, so that
    the results are those of a test that was not interrupted. A controller of any class is stored by `pickle`, in which
    the test case itself is left out; where it cannot be pickled the test begins anew.

    Parameters
    ----------
    folder : Path
        Of the job.
    case : TestCase
    """

    def __init__(self, folder: Path, case: TestCase) -> None:
        self._path, self._table, self._case = folder / "checkpoint", folder / "rows", case
        self._width = len(case.stepper.history.columns)
        self._rows = 0  # that are stored
        self._due = time.monotonic() + EVERY
        self._exact: bool | None = None

    def load(self) -> Point | None:
        """Bring the test case to the last checkpoint and return it; None where there is none that fits."""
        try:
            steps, rows, state, exact, by = _Unpickler(self._path.read_bytes(), self._case).load()
            table = np.fromfile(self._table, count=rows * self._width).reshape(rows, self._width)
            self._with_model(exact, lambda: self._case.set_state(state, table))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, StateError, pickle.UnpicklingError, ImportError, AttributeError) as error:
            sys.stderr.write(f"the checkpoint is of no use, and the test begins anew: {error}\n")
            return None
        self._rows, self._exact = rows, exact
        return Point(steps, by)

    def offer(self, steps: int, by: Controller) -> None:
        """Store where the test is, where that is due."""
        if time.monotonic() < self._due:
            return
        if self._exact is None:
            model = self._case.stepper.model
            self._exact = model.can_snapshot and model.exact_elsewhere
        started = time.monotonic()
        rows = self._case.history_rows(self._rows)
        state = self._with_model(self._exact, self._case.state)
        try:
            data = _pickled((steps, self._rows + len(rows), state, self._exact, by), self._case)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            sys.stderr.write(f"the controller cannot be stored, and an interrupted test begins anew: {error}\n")
            self._due = float("inf")
            return
        with self._table.open("r+b" if self._rows else "wb") as file:
            file.seek(self._rows * self._width * 8)
            file.write(rows.tobytes())
        replace_file(self._path, data)
        self._rows += len(rows)
        time_ = time.monotonic()
        self._due = time_ + max(EVERY, _SHARE * (time_ - started))

    def _with_model(self, exact: bool, work: Any) -> Any:
        """Save or restore the test case, with the state of its model or without."""
        model = self._case.stepper.model
        able = model.can_snapshot
        model.can_snapshot = able and exact
        try:
            return work()
        finally:
            model.can_snapshot = able


class _Pickler(pickle.Pickler):
    """Leaves the test case out."""

    def __init__(self, file: io.BytesIO, case: TestCase) -> None:
        super().__init__(file)
        self._case = case

    def persistent_id(self, value: Any) -> str | None:
        return "case" if value is self._case else None


class _Unpickler(pickle.Unpickler):
    """Puts the test case in its place; reads only what this user's own job wrote."""

    def __init__(self, data: bytes, case: TestCase) -> None:
        super().__init__(io.BytesIO(data))
        self._case = case

    def persistent_load(self, _: Any) -> TestCase:
        return self._case


def _pickled(value: Any, case: TestCase) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, case).dump(value)
    return buffer.getvalue()
