"""Results of components that are known, from any run: the same inputs of the same component are not evaluated again.

The key is `trivium.coupling.arrays.digest`. What was used least recently goes when the cache is full.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from trivium.coupling import arrays
from trivium.errors import StorageError
from trivium.model.contract import FloatArray

_TABLES = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, outputs BLOB NOT NULL, sum INTEGER NOT NULL,
    used REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON results (used);
"""


class Cache:
    """Results by key; several processes and threads may use it at once.

    Parameters
    ----------
    path : Path
        An SQLite file; made when missing.
    limit : int
        Most that it holds [bytes].

    Raises
    ------
    StorageError
        When it cannot be written.
    """

    def __init__(self, path: Path, limit: int = 10**9) -> None:
        self._path, self._limit, self._lock = path, limit, threading.Lock()
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
            for statement in (
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = NORMAL",
            ):  # what is lost is found again
                self._database.execute(statement).close()
            self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def get(self, key: str) -> dict[str, FloatArray] | None:
        """Return the outputs kept under a key; None where there are none, or they are damaged."""
        with self._told():
            row = self._database.execute("SELECT outputs, sum FROM results WHERE key = ?", (key,)).fetchone()
            if row is None or zlib.crc32(row[0]) != row[1]:
                return None
            self._database.execute("UPDATE results SET used = ? WHERE key = ?", (time.time(), key))
        return arrays.loads(row[0])

    def put(self, key: str, outputs: Mapping[str, FloatArray]) -> None:
        """Keep outputs."""
        data = arrays.dumps(outputs)
        if len(data) > self._limit:
            return
        with self._told():
            row = (key, data, zlib.crc32(data), time.time())
            self._database.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)
            ((pages,), (size,)) = (
                self._database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
            )
            if pages * size > self._limit:
                self._make_room()

    def _make_room(self) -> None:
        """Drop results from the one that was used least recently, until what is left is nine tenths of the limit."""
        (held,) = self._database.execute("SELECT coalesce(sum(length(outputs)), 0) FROM results").fetchone()
        if held <= self._limit:
            return
        rows = self._database.execute("SELECT key, length(outputs) FROM results ORDER BY used").fetchall()
        for key, size in rows:
            if held <= 0.9 * self._limit:
                break
            self._database.execute("DELETE FROM results WHERE key = ?", (key,))
            held -= size

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                raise StorageError(f"the cache {self._path} cannot be used: {error}") from error
