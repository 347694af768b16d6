"""Files that several processes share: files written as a whole, locks, and a cache of results in SQLite."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trivium.errors import StorageError

if TYPE_CHECKING:
    from filelock import FileLock

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL,
    used REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
CREATE TABLE IF NOT EXISTS total (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0);
"""
#: Bytes of a row besides its data.
_ROW = 64
#: How many keys one query asks for.
_KEYS = 500


#: How long others may hold a lock that is waited for [s].
PATIENCE = 600.0


class LockedError(Exception):
    """Another process, or another part of this one, holds the lock."""


def acquire(path: Path, *, patience: float = 0.0, opened: Callable[[int], None] | None = None) -> FileLock:
    """Lock a file until it is released or this process ends; what the process forks does not hold the lock.

    Parameters
    ----------
    path : Path
        Made when missing, readable for its owner only, and never removed.
    patience : float
        How long to wait until the lock is free [s].
    opened : callable, optional
        Called with the descriptor of the locked file, which remains the lock's.

    Returns
    -------
    FileLock
        ``release()`` frees the file; any thread may call it.

    Raises
    ------
    LockedError
        When somebody else holds the lock.
    OSError
        When the file cannot be opened.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(
        path,
        mode=0o600,
        thread_local=False,
        poll_interval=0.01,
        fallback_to_soft=False,
        preserve_lock_file=True,
        on_acquired=opened,
    )
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise LockedError(f"{path} is locked") from None
    return lock


def is_locked(path: Path) -> bool:
    """Return whether somebody holds the lock of a file; two who ask at once do not take each other for the holder.

    Raises
    ------
    OSError
        When the file cannot be opened.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # filelock knows no shared lock of a file
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


@contextlib.contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of a file, for which other processes wait.

    Parameters
    ----------
    path : Path
    patience : float
        How long another process may hold it [s].

    Raises
    ------
    TimeoutError
        When another process holds it for longer, which may have been stopped.
    OSError
        When the file cannot be opened.
    """
    try:
        lock = acquire(path, patience=patience)
    except LockedError as error:
        message = f"another process has held its lock for {patience:g} s"
        raise TimeoutError(errno.ETIMEDOUT, message, str(path)) from error
    try:
        yield
    finally:
        lock.release()


def replace_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file as a whole or not at all, readable for its owner only.

    Parameters
    ----------
    path : Path
    data : bytes
    durable : bool
        Whether the file survives a power cut, too.

    Raises
    ------
    StorageError
        When it cannot be written; the file is as before.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        unfinished = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            (replace_durably if durable else os.replace)(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error


def replace_durably(unfinished: Path, path: Path) -> None:
    """Give a closed file its name, so that after a power cut either the whole file has it or none."""
    sync(unfinished)
    os.replace(unfinished, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk store a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Content(NamedTuple):
    """What a cache holds.

    Attributes
    ----------
    entries : int
    size, limit : int
        [bytes]
    """

    entries: int
    size: int
    limit: int


class Cache:
    """Bytes by key in an SQLite file; several processes and threads may use it at once.

    When the cache is full, the entries that were used least recently go. A damaged entry counts as missing.

    Parameters
    ----------
    path : Path
        Made when missing.
    limit : int
        Most that the cache holds [bytes]; 0 stores nothing.

    Raises
    ------
    StorageError
        When the file cannot be used; all methods raise it.
    """

    def __init__(self, path: Path, limit: int = 10**9) -> None:
        self._path, self._limit, self._lock = path, limit, threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None, timeout=60.0, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last entries
            self._base.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def content(self) -> Content:
        """Count the entries and their bytes."""
        with self._translated():
            (entries,) = self._base.execute("SELECT count(*) FROM entries").fetchone()
            (size,) = self._base.execute("SELECT bytes FROM total").fetchone()
        return Content(entries, size, self._limit)

    def clear(self) -> None:
        """Remove all entries."""
        with self._translated():
            self._base.executescript("DELETE FROM entries; UPDATE total SET bytes = 0; VACUUM;")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries of those keys that have one."""
        entries: dict[bytes, bytes] = {}
        with self._translated():
            for start in range(0, len(keys), _KEYS):
                block = keys[start : start + _KEYS]
                places = ",".join("?" * len(block))
                query = f"SELECT key, data, checksum FROM entries WHERE key IN ({places})"  # noqa: S608  # nosec B608
                rows = self._base.execute(query, block)
                entries.update((key, data) for key, data, checksum in rows if zlib.crc32(data) == checksum)
            if entries:
                now = time.time()
                with self._transaction():
                    self._base.executemany("UPDATE entries SET used = ? WHERE key = ?", [(now, key) for key in entries])
        return entries

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Store entries; one that is there already is replaced."""
        now = time.time()
        rows = [(key, data, zlib.crc32(data), now) for key, data in entries.items() if len(data) + _ROW <= self._limit]
        with self._translated(), self._transaction():
            self._remove(list(entries))
            self._base.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
            self._count(sum(len(row[1]) + _ROW for row in rows))
            self._shrink()

    def _shrink(self) -> None:
        (size,) = self._base.execute("SELECT bytes FROM total").fetchone()
        if size <= self._limit:
            return
        oldest = []
        # a tenth more than needed, so that the next entry finds room
        for key, length in self._base.execute("SELECT key, length(data) FROM entries ORDER BY used"):
            if size <= 0.9 * self._limit:
                break
            oldest.append(key)
            size -= length + _ROW
        self._remove(oldest)

    def _remove(self, keys: Sequence[bytes]) -> None:
        for key in keys:
            row = self._base.execute("DELETE FROM entries WHERE key = ? RETURNING length(data)", (key,)).fetchone()
            if row:
                self._count(-row[0] - _ROW)

    def _count(self, size: int) -> None:
        self._base.execute("UPDATE total SET bytes = bytes + ?", (size,))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (OSError, sqlite3.Error) as error:
                raise StorageError(f"the cache {self._path} cannot be used: {error}") from error
