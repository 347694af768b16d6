"""What is on disk of a study: an SQLite file lists all of it.

::

    study.sqlite      what the study is, which parts are whole, results of runs whose part is not whole yet, failures
    parts/00000.h5    immutable: all runs of a part
    results.h5        virtual datasets over the parts

A part is a fixed range of runs, so the files are the same however the runs were divided among workers and whenever
the study was interrupted. Results that arrive are committed to SQLite at once; when a part has all its runs it is
written as HDF5 (temporary file, closed, synced, renamed), and in one transaction listed and its loose results dropped.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trivium.errors import StorageError
from trivium.study.job import Results

if TYPE_CHECKING:
    from filelock import FileLock

_TABLES = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts (part INTEGER PRIMARY KEY, size INTEGER NOT NULL, runs INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS loose (first INTEGER PRIMARY KEY, part INTEGER NOT NULL, results BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS loose_of_part ON loose (part);
CREATE TABLE IF NOT EXISTS failures (run INTEGER PRIMARY KEY, reason TEXT NOT NULL);
"""


class Store:
    """The SQLite file of a study.

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

    def path_of(self, part: int) -> Path:
        """Return the file of a part."""
        return self.parts_folder / f"{part:05d}.h5"

    def parts(self) -> dict[int, int]:
        """Return the parts that are whole, and how many runs each has."""
        return dict(self._base.execute("SELECT part, runs FROM parts ORDER BY part"))

    def repair(self) -> None:
        """Forget parts whose file is not what was listed, and remove unfinished files."""
        runs_per_part = int(self.about()["runs_per_part"])
        for part, size in self._base.execute("SELECT part, size FROM parts").fetchall():
            path = self.path_of(part)
            if not path.is_file() or path.stat().st_size != size:
                span = (part * runs_per_part, (part + 1) * runs_per_part)
                with self._transaction():
                    self._base.execute("DELETE FROM parts WHERE part = ?", (part,))
                    self._base.execute("DELETE FROM failures WHERE run >= ? AND run < ?", span)
        for path in [*self.parts_folder.glob(".*.unfinished"), *self.folder.glob(".*.unfinished")]:
            path.unlink(missing_ok=True)

    def add(self, part: int, results: Results) -> None:
        """Keep results of a part that is not whole yet; they survive the end of the process and of the power."""
        with self._transaction():
            self._fail(results)
            self._base.execute(
                "INSERT OR REPLACE INTO loose VALUES (?, ?, ?)", (int(results.runs[0]), part, _pack(results))
            )

    def loose(self, part: int) -> Iterator[Results]:
        """Yield the results that are kept of a part."""
        rows = self._base.execute("SELECT first FROM loose WHERE part = ? ORDER BY first", (part,)).fetchall()
        for (first,) in rows:
            (data,) = self._base.execute("SELECT results FROM loose WHERE first = ?", (first,)).fetchone()
            yield _unpack(data)

    def loose_runs(self) -> dict[int, NDArray[np.int64]]:
        """Return the runs whose results are kept, by part."""
        runs_by_part: dict[int, list[NDArray[np.int64]]] = {}
        for part, first in self._base.execute("SELECT part, first FROM loose").fetchall():
            (data,) = self._base.execute("SELECT results FROM loose WHERE first = ?", (first,)).fetchone()
            runs_by_part.setdefault(part, []).append(_unpack(data).runs)
        return {part: np.concatenate(runs) for part, runs in runs_by_part.items()}

    def list_part(self, part: int, results: Results) -> None:
        """List a part whose file stands on disk, and drop its loose results."""
        with self._transaction():
            self._fail(results)
            size = self.path_of(part).stat().st_size
            self._base.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", (part, size, results.runs.size))
            self._base.execute("DELETE FROM loose WHERE part = ?", (part,))

    def compact(self) -> None:
        """Give back to the disk what loose results took."""
        self._base.execute("VACUUM")

    def failures(self) -> dict[int, str]:
        """Return why runs failed."""
        return dict(self._base.execute("SELECT run, reason FROM failures ORDER BY run"))

    def _fail(self, results: Results) -> None:
        self._base.executemany("INSERT OR REPLACE INTO failures VALUES (?, ?)", results.reasons.items())

    def _transaction(self) -> _Transaction:
        return _Transaction(self._base)


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


def _pack(results: Results) -> bytes:
    file = io.BytesIO()
    reasons = np.frombuffer(json.dumps({str(run): text for run, text in results.reasons.items()}).encode(), np.uint8)
    np.savez(
        file,
        runs=results.runs,
        status=results.status,
        metrics=results.metrics,
        trajectories=results.trajectories,
        reasons=reasons,
        seconds=np.float64(results.seconds),
    )
    return file.getvalue()


def _unpack(data: bytes) -> Results:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        reasons = {int(run): text for run, text in json.loads(archive["reasons"].tobytes() or b"{}").items()}
        return Results(
            archive["runs"],
            archive["status"],
            archive["metrics"],
            archive["trajectories"],
            reasons,
            float(archive["seconds"]),
        )
