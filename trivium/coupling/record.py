"""What of a coupled run is on disk: every evaluation and every iteration, kept before the next begins.

It is an SQLite database with a write-ahead log that is synced at every commit: a run that is killed at any moment finds
all that it had kept, to the last bit.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trivium.errors import ConflictError, StorageError
from trivium.experiment import arrays
from trivium.model.contract import FloatArray
from trivium.storage import LockedError, acquire

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS evaluations (iteration INTEGER, label TEXT, inputs BLOB NOT NULL, outputs BLOB NOT NULL,
    seconds REAL NOT NULL, cached INTEGER NOT NULL, PRIMARY KEY (iteration, label));
CREATE TABLE IF NOT EXISTS iterations (number INTEGER PRIMARY KEY, x BLOB NOT NULL, g BLOB NOT NULL, factor REAL,
    seconds REAL NOT NULL, told TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Evaluation:
    """A component that was evaluated.

    Attributes
    ----------
    label : str
        The component's name; for a probe, with what was done.
    inputs, outputs : Mapping[str, FloatArray]
    seconds : float
        How long it took, when it was really done [s].
    cached : bool
        Whether its result was known.
    """

    label: str
    inputs: Mapping[str, FloatArray]
    outputs: Mapping[str, FloatArray]
    seconds: float
    cached: bool


@dataclass(frozen=True)
class Iteration:
    """An iteration.

    Attributes
    ----------
    number : int
        From 1.
    x, g : FloatArray, shape (n,)
        The iterate and the map's value there; NaN where a component failed.
    factor : float or None
        Of the residual, in the step that led to x; None for the first.
    seconds : float
        How long it took [s].
    figures : Mapping
        Figures for people, as JSON holds them; ``role`` says why x was evaluated, and ``problem`` what failed there.
    """

    number: int
    x: FloatArray
    g: FloatArray
    factor: float | None
    seconds: float
    figures: Mapping[str, float | int | str | None] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """Return what failed; empty where nothing did."""
        return str(self.figures.get("problem", ""))


class Record:
    """The record of a run; one process at a time.

    Parameters
    ----------
    folder : Path
        Made when missing.
    identity : Mapping[str, str]
        Of the case, by what it is of: a folder holds the record of one.
    accept_changes : bool
        Whether to go on with a record of another identity, which is then this one.

    Raises
    ------
    ConflictError
        When another process uses the folder, or it holds the record of another case.
    StorageError
        When it cannot be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str], *, accept_changes: bool = False) -> None:
        self._folder = folder
        with contextlib.ExitStack() as stack, self._translated_errors():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                stack.callback(acquire(folder / ".lock").release)
            except LockedError:
                raise ConflictError(f"another process works in {folder}") from None
            self._database = sqlite3.connect(folder / "iterations.sqlite", isolation_level=None, timeout=30)
            stack.callback(self._database.close)
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
                self._database.execute(statement).close()
            self._database.executescript(_TABLES)
            changed = self._changes(identity)
            if changed and not accept_changes:
                raise ConflictError(
                    f"{folder} holds a run that differs in: {', '.join(changed)}. Choose another folder, or accept the "
                    "changes (--accept-changes, accept_changes)"
                )
            row = ("identity", json.dumps(dict(identity)))
            self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", row)
            self._open = stack.pop_all()

    def _changes(self, identity: Mapping[str, str]) -> list[str]:
        """Return what of a case differs from that of the record."""
        rows = dict(self._database.execute("SELECT name, value FROM about").fetchall())
        if not rows:
            return []
        if "identity" not in rows:
            return ["the version of Trivium"]
        stored = json.loads(rows["identity"])
        return [name for name in sorted({*stored, *identity}) if stored.get(name) != identity.get(name)]

    def close(self) -> None:
        """Let others use the folder."""
        self._open.close()

    def keep(self, iteration: int, evaluations: list[Evaluation]) -> None:
        """Keep evaluations of an iteration that goes on."""
        with self._transaction():
            self._insert(iteration, evaluations)

    def keep_iteration(self, done: Iteration, evaluations: list[Evaluation]) -> None:
        """Keep an iteration that is done, with those of its evaluations that are not kept yet."""
        row = (done.number, *map(_blob, (done.x, done.g)), done.factor, done.seconds, json.dumps(dict(done.figures)))
        with self._transaction():
            self._insert(done.number, evaluations)
            self._database.execute("INSERT INTO iterations VALUES (?, ?, ?, ?, ?, ?)", row)

    def iterations(self) -> list[Iteration]:
        """Return all iterations that are done."""
        with self._translated_errors():
            rows = self._database.execute("SELECT * FROM iterations ORDER BY number").fetchall()
        return [
            Iteration(number, np.frombuffer(x), np.frombuffer(g), factor, seconds, json.loads(figures))
            for number, x, g, factor, seconds, figures in rows
        ]

    def forget(self, number: int) -> None:
        """Remove the iterations from a number on: what failed is tried again."""
        with self._transaction():
            self._database.execute("DELETE FROM iterations WHERE number >= ?", (number,))

    def evaluations(self, iteration: int) -> dict[str, Evaluation]:
        """Return the evaluations of an iteration that are kept, by label."""
        with self._translated_errors():
            rows = self._database.execute("SELECT * FROM evaluations WHERE iteration = ?", (iteration,)).fetchall()
        return {
            label: Evaluation(label, arrays.loads(inputs), arrays.loads(outputs), seconds, bool(cached))
            for _, label, inputs, outputs, seconds, cached in rows
        }

    def _insert(self, iteration: int, evaluations: list[Evaluation]) -> None:
        rows = [
            (
                iteration,
                evaluation.label,
                arrays.dumps(evaluation.inputs),
                arrays.dumps(evaluation.outputs),
                evaluation.seconds,
                evaluation.cached,
            )
            for evaluation in evaluations
        ]
        self._database.executemany("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated_errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @contextlib.contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"the record in {self._folder} cannot be used: {error}") from error


def _blob(value: FloatArray) -> bytes:
    return np.ascontiguousarray(value, dtype=np.float64).tobytes()
