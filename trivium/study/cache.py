"""Runs that were simulated before, in any study: a run known here is not simulated again.

The key is a hash of all that the results depend on: the FMU, the parameters to the last bit, the settings, the kind of
machine and the version of the loop. The least recently used runs go when the cache is full.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trivium.errors import StorageError
from trivium.model.contract import FloatArray
from trivium.study.job import DONE, Job, Results

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (key BLOB PRIMARY KEY, data BLOB NOT NULL, used REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON runs (used);
CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0);
CREATE TABLE IF NOT EXISTS strategies (fmu TEXT PRIMARY KEY, strategy TEXT NOT NULL);
"""
#: Bytes of a row besides its data.
_ROW = 64
#: How many keys one query asks for.
_KEYS = 500


class Content(NamedTuple):
    """What is in a cache.

    Attributes
    ----------
    runs : int
    size, limit : int
        [bytes]
    """

    runs: int
    size: int
    limit: int


class Cache:
    """The runs of all studies.

    Parameters
    ----------
    path : Path
        An SQLite file.
    limit : int
        Most bytes of results that are kept; 0 keeps none.

    Raises
    ------
    StorageError
        When it cannot be opened.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = limit
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None, timeout=60.0)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the cache {path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def content(self) -> Content:
        """Tell what is in it."""
        (runs,) = self._base.execute("SELECT count(*) FROM runs").fetchone()
        (size,) = self._base.execute("SELECT bytes FROM total").fetchone()
        return Content(runs, size, self._limit)

    def clear(self) -> None:
        """Forget everything."""
        self._base.executescript("DELETE FROM runs; UPDATE total SET bytes = 0; DELETE FROM strategies; VACUUM;")

    def strategy(self, fmu: str) -> str | None:
        """Return how instances of an FMU are reused, where that was found out before."""
        found = self._base.execute("SELECT strategy FROM strategies WHERE fmu = ?", (fmu,)).fetchone()
        return found[0] if found else None

    def set_strategy(self, fmu: str, strategy: str) -> None:
        """Keep it."""
        self._base.execute("INSERT OR REPLACE INTO strategies VALUES (?, ?)", (fmu, strategy))

    def find(self, job: Job, keys: Sequence[bytes], results: Results) -> None:
        """Fill results with those runs that are known; their status is `DONE` then.

        Parameters
        ----------
        job : Job
        keys : sequence of bytes, length k
        results : Results
            Empty ones of the runs of these keys.
        """
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _KEYS):
            some = keys[start : start + _KEYS]
            places = ",".join("?" * len(some))
            found.update(self._base.execute(f"SELECT key, data FROM runs WHERE key IN ({places})", some))  # noqa: S608  # nosec B608
        if not found:
            return
        now = time.time()
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany("UPDATE runs SET used = ? WHERE key = ?", [(now, key) for key in found])
        self._base.execute("COMMIT")
        for place, key in enumerate(keys):
            if key in found:
                _unpack(found[key], job, results, place)

    def add(self, job: Job, keys: Mapping[int, bytes], results: Results) -> None:
        """Keep the runs that are done.

        Parameters
        ----------
        job : Job
        keys : Mapping[int, bytes]
            By number of the run.
        results : Results
        """
        now = time.time()
        rows = [
            (keys[run], _pack(job, results, place), now)
            for place, run in enumerate(results.runs.tolist())
            if results.status[place] == DONE
        ]
        self._base.execute("BEGIN IMMEDIATE")
        added = 0
        for row in rows:
            if self._base.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, ?)", row).rowcount:
                added += len(row[1]) + _ROW
        self._base.execute("UPDATE total SET bytes = bytes + ?", (added,))
        self._shrink()
        self._base.execute("COMMIT")

    def _shrink(self) -> None:
        (size,) = self._base.execute("SELECT bytes FROM total").fetchone()
        if size <= self._limit:
            return
        gone = []
        # a tenth more than needed, so that it is not done again at once
        for key, length in self._base.execute("SELECT key, length(data) FROM runs ORDER BY used"):
            if size <= 0.9 * self._limit:
                break
            gone.append((key,))
            size -= length + _ROW
        self._base.executemany("DELETE FROM runs WHERE key = ?", gone)
        self._base.execute("UPDATE total SET bytes = ?", (size,))


def keys_of(identity: str, rows: FloatArray) -> list[bytes]:
    """Return the keys of runs.

    Parameters
    ----------
    identity : str
        Of the job, `Job.identity`.
    rows : FloatArray, shape (k, n_parameters)
    """
    start = hashlib.sha256(identity.encode())
    keys = []
    for row in rows + 0.0:  # -0.0 and 0.0 are one value
        key = start.copy()
        key.update(row.astype("<f8").tobytes())
        keys.append(key.digest())
    return keys


def _pack(job: Job, results: Results, place: int) -> bytes:
    """Return a run as bytes; only differences of quanta are compressed, of floats it saves little and takes long."""
    raw = results.metrics[place].tobytes() + results.trajectories[place].tobytes()
    return zlib.compress(raw, 1) if job.quantum else raw


def _unpack(data: bytes, job: Job, results: Results, place: int) -> None:
    raw = zlib.decompress(data) if job.quantum else data
    split = results.metrics[place].nbytes
    results.metrics[place] = np.frombuffer(raw[:split], np.float64)
    results.trajectories[place] = np.frombuffer(raw[split:], job.dtype).reshape(results.trajectories[place].shape)
    results.status[place] = DONE
