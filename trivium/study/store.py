"""What is on disk of a study: an SQLite file lists all of it.

::

    study.sqlite      what the study is; of every run that ended its status, parameters and metrics; which parts are
                      whole, with the hash of each; trajectories of runs whose part is not whole yet; failures
    parts/00000.h5    immutable: all runs of a part
    results.h5        virtual datasets over the parts, for other tools

A part is a fixed range of places, which are the numbers of the runs until the study grows (`trivium.study.places`), so
the files are the same however the runs were divided among workers and whenever the study was interrupted. Here and in
the parts a run has the number of its place. Results that arrive are committed to SQLite at once; when a part has all
its runs it is written as HDF5 (temporary file, closed, synced, renamed), and in one transaction listed and its loose
results dropped.
`trivium.study.index` reads the file while this module's `Store` writes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import StorageError
from trivium.model.contract import FloatArray
from trivium.study.job import PENDING, Job, Results
from trivium.study.packing import (
    Head,
    column_name,
    columns_of,
    pack_column,
    pack_head,
    pack_trajectories,
    unpack_column,
    unpack_head,
    unpack_trajectories,
)
from trivium.study.places import Places, unpacked
from trivium.study.whole import Listed, Lost, check, part_name

if TYPE_CHECKING:
    from filelock import FileLock

_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (part INTEGER PRIMARY KEY, runs INTEGER NOT NULL, size INTEGER NOT NULL,
    digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS columns (name TEXT NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (name, part));
CREATE TABLE IF NOT EXISTS loose (id INTEGER PRIMARY KEY AUTOINCREMENT, part INTEGER NOT NULL, head BLOB NOT NULL,
    trajectories BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS loose_of_part ON loose (part);
CREATE TABLE IF NOT EXISTS failures (run INTEGER PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS places (data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS proposed (first INTEGER PRIMARY KEY, parameters BLOB NOT NULL);
"""


class Store:
    """The SQLite file of a study, for the one process that writes it.

    Parameters
    ----------
    folder : Path
        Is made where it does not exist.

    Attributes
    ----------
    lock : file or None
        Held by the one process that writes.

    Raises
    ------
    StorageError
        When it cannot be opened or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts_folder = folder / "parts"
        self.lock: FileLock | None = None
        try:
            self.parts_folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(folder / "study.sqlite", isolation_level=None, timeout=60.0)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{folder} cannot hold results: {error}") from error

    def close(self) -> None:
        """Close the file; another process may write then."""
        self._base.close()
        if self.lock is not None:
            self.lock.release()

    def about(self) -> dict[str, str]:
        """Return what the study is."""
        return dict(self._base.execute("SELECT key, value FROM about"))

    def set_about(self, **values: str) -> None:
        """Say what the study is."""
        with self._transaction():
            self._base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def places(self) -> Places:
        """Return where the runs are."""
        about = self.about()
        size, count = int(about["runs_per_part"]), int(about.get("places", about["runs"]))
        row = self._base.execute("SELECT data FROM places").fetchone()
        return Places(size, count) if row is None else unpacked(size, count, row[0])

    def move(self, places: Places, **about: str) -> None:
        """Give the runs of the study other places, and say what it is then."""
        with self._transaction():
            self._base.execute("DELETE FROM places")
            self._base.execute("INSERT INTO places VALUES (?)", (places.packed(),))
            values = {**about, "places": str(places.count)}
            self._base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def propose(self, first: int, rows: FloatArray) -> None:
        """Keep the parameters of runs that a search adds, from this number on, before any of them runs."""
        with self._transaction():
            self._base.execute("INSERT INTO proposed VALUES (?, ?)", (first, pack_column(rows)))
            self._base.execute("UPDATE about SET value = ? WHERE key = 'runs'", (str(first + len(rows)),))

    def proposed(self, parameters: int) -> FloatArray:
        """Return the parameters of all runs that a search added, shape (k, parameters)."""
        stored = self._base.execute("SELECT parameters FROM proposed ORDER BY first")
        tables = [unpack_column("parameters", data).reshape(-1, parameters) for (data,) in stored]
        return np.concatenate(tables) if tables else np.empty((0, parameters))

    def path_of(self, part: int) -> Path:
        """Return the file of a part."""
        return self.folder / part_name(part)

    def parts(self) -> dict[int, int]:
        """Return the parts that are whole, and how many runs each has."""
        return dict(self._base.execute("SELECT part, runs FROM parts ORDER BY part"))

    def repair(self, say: Callable[[str], None], *, deep: bool = False) -> list[Lost]:
        """Forget parts whose file is not what was listed, so that their runs are missing, and remove unfinished files.

        Parameters
        ----------
        say : callable
            Called with a sentence for each of these parts.
        deep : bool
            Whether the content of all files is compared with its hash, rather than their sizes only.

        Returns
        -------
        list of Lost
            These parts.
        """
        places = self.places()
        parts = self._base.execute("SELECT part, runs, size, digest FROM parts ORDER BY part").fetchall()
        found = [check(self.folder, Listed(*row), places, deep=deep) for row in parts]
        lost = [each for each in found if each is not None]
        for each in lost:
            span = each.part * places.size, (each.part + 1) * places.size - 1
            say(f"{each}; these runs are missing now")
            with self._transaction():
                self._base.execute("DELETE FROM parts WHERE part = ?", (each.part,))
                self._base.execute("DELETE FROM columns WHERE part = ?", (each.part,))
                self._base.execute("DELETE FROM failures WHERE run BETWEEN ? AND ?", span)
        for path in [*self.parts_folder.glob(".*.unfinished"), *self.folder.glob(".*.unfinished")]:
            path.unlink(missing_ok=True)
        return lost

    def check(self, part: int) -> Lost | None:
        """Compare the content of a part that is listed with its hash; None where it is whole."""
        query = "SELECT part, runs, size, digest FROM parts WHERE part = ?"
        row = self._base.execute(query, (part,)).fetchone()
        return check(self.folder, Listed(*row), self.places(), deep=True)

    def add(self, part: int, job: Job, rows: FloatArray, results: Results) -> None:
        """Keep results of a part that is not whole yet; they survive the end of the process and of the power."""
        with self._transaction():
            self._fail(results)
            self._insert(part, job, rows, results)

    def loose(self, part: int) -> Iterator[tuple[Head, NDArray[np.generic]]]:
        """Yield the results that are kept of a part, and their trajectories; later ones replace earlier ones."""
        rows = self._base.execute("SELECT id FROM loose WHERE part = ? ORDER BY id", (part,)).fetchall()
        for row in rows:
            head, data = self._base.execute("SELECT head, trajectories FROM loose WHERE id = ?", row).fetchone()
            yield unpack_head(head), unpack_trajectories(data)

    def loose_runs(self) -> dict[int, NDArray[np.int64]]:
        """Return the runs whose results are kept, by part; growing."""
        runs_by_part: dict[int, list[NDArray[np.int64]]] = {}
        for part, head in self._base.execute("SELECT part, head FROM loose"):
            runs_by_part.setdefault(part, []).append(unpack_head(head).runs)
        return {part: np.unique(np.concatenate(runs)) for part, runs in runs_by_part.items()}

    def rows(self, part: int, names: Sequence[str]) -> tuple[NDArray[np.int64], FloatArray]:
        """Return the runs of a part that ended, and their parameters by name, shape (n_runs, n_names)."""
        columns = [column_name("parameters", name) for name in names]
        stored = dict(self._base.execute("SELECT name, data FROM columns WHERE part = ?", (part,)))
        if stored:
            ended = np.flatnonzero(unpack_column("status", stored["status"]) != PENDING)
            values = [unpack_column(name, stored[name])[ended] for name in columns]
            return part * int(self.about()["runs_per_part"]) + ended, _table(values, ended.size)
        query = "SELECT head FROM loose WHERE part = ? ORDER BY id"
        heads = [unpack_head(head) for (head,) in self._base.execute(query, (part,))]
        runs = np.concatenate([np.empty(0, np.int64), *(head.runs for head in heads)])
        rows = [_table([head.columns[name] for name in columns], head.runs.size) for head in heads]
        return runs, np.concatenate([np.empty((0, len(names))), *rows])

    def list_part(self, part: int, job: Job, rows: FloatArray, results: Results, listed: Listed) -> None:
        """List a part whose file stands on disk, and drop its loose results."""
        columns = [(name, part, pack_column(values)) for name, values in columns_of(job, rows, results).items()]
        with self._transaction():
            self._fail(results)
            self._base.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?)", (part, listed.runs, listed.size, listed.digest)
            )
            self._base.executemany("INSERT OR REPLACE INTO columns VALUES (?, ?, ?)", columns)
            self._base.execute("DELETE FROM loose WHERE part = ?", (part,))

    def reopen(self, part: int, job: Job, rows: FloatArray, kept: Results, runs: NDArray[np.int64]) -> None:
        """Replace all that there is of a part, of these runs, by loose results of some of them."""
        with self._transaction():
            self._base.execute("DELETE FROM parts WHERE part = ?", (part,))
            self._base.execute("DELETE FROM columns WHERE part = ?", (part,))
            self._base.execute("DELETE FROM loose WHERE part = ?", (part,))
            span = (int(runs[0]), int(runs[-1]))
            self._base.execute("DELETE FROM failures WHERE run BETWEEN ? AND ?", span)
            self._fail(kept)
            if kept.runs.size:
                self._insert(part, job, rows, kept)

    def compact(self) -> None:
        """Give back to the disk what loose results took, and leave all in one file."""
        try:
            self._base.execute("VACUUM")
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StorageError(f"the results cannot be written: {error}") from error

    def failures(self) -> dict[int, str]:
        """Return why runs failed."""
        return dict(self._base.execute("SELECT run, reason FROM failures ORDER BY run"))

    def _insert(self, part: int, job: Job, rows: FloatArray, results: Results) -> None:
        self._base.execute(
            "INSERT INTO loose (part, head, trajectories) VALUES (?, ?, ?)",
            (part, pack_head(job, rows, results), pack_trajectories(results.trajectories)),
        )

    def _fail(self, results: Results) -> None:
        self._base.executemany("INSERT OR REPLACE INTO failures VALUES (?, ?)", results.reasons.items())

    def _transaction(self) -> _Transaction:
        return _Transaction(self._base)


def _table(columns: list[NDArray[Any]], count: int) -> FloatArray:
    return np.stack(columns, axis=1) if columns else np.empty((count, 0))


class _Transaction:
    """All or nothing; an error of SQLite becomes ours."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def __enter__(self) -> None:
        self._base.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if kind is None:
            try:
                self._base.execute("COMMIT")
            except sqlite3.Error as failed:
                raise StorageError(f"the results cannot be written: {failed}") from failed
            return
        self._base.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise StorageError(f"the results cannot be written: {error}") from error
