"""The journal of one session: what was meant to be done, and what was done, in the order in which it happened.

A journal is a folder with a lock and one file per generation, of which the highest is the one that counts::

    lock              held by the writer for as long as it lives; holds the fencing epoch as text
    journal-00000001  records, one after the other

A record is a header of 36 bytes, little endian, and a body::

    magic "TVJ1" | CRC32 of all that follows u32 | length of the body u32 | kind u32 | sequence u64 | epoch u64 |
    generation u32

The sequence grows by one from record to record, also across generations. A generation starts with records that need
nothing before them. It becomes valid as a whole when its file is renamed into place, so whatever the generations before
it held is never read again: a tail that a client discarded cannot come back.

A record that was cut off when its writer died stands at the end, and is dropped when the journal is opened. A record
that is damaged while later ones are whole is no such tail, and is refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from trivium.errors import StorageError
from trivium.storage import acquire, sync

Durability = Literal["process", "power"]

_MAGIC = b"TVJ1"
_HEAD = struct.Struct("<4sI")
_REST = struct.Struct("<IIQQI")
_HEADER = _HEAD.size + _REST.size
_NAME = re.compile(r"journal-(\d{8})")
#: Largest body of a record [bytes].
LARGEST = 2**30


class Kind(IntEnum):
    """What a record is."""

    BASE = 1  #: a state to start from; the first of a generation
    INTENT = 2  #: a request that is about to be done
    COMMIT = 3  #: the request was done; follows its intent
    ABORT = 4  #: the request was refused or failed, and changed nothing; follows its intent


class Record(NamedTuple):
    """One record.

    Attributes
    ----------
    kind : Kind
    sequence : int
        Number of the record, from 1.
    epoch : int
        Which writer wrote it; each has a higher one than those before.
    generation : int
    body : bytes
    """

    kind: Kind
    sequence: int
    epoch: int
    generation: int
    body: bytes


class Journal:
    """Writes the journal of one session; who holds one is the only writer.

    Parameters
    ----------
    folder : Path
        Made when missing.
    durability : {"process", "power"}
        ``process``: what was appended survives the death of every process. ``power``: and of the machine.

    Raises
    ------
    LockedError
        When another process has it open.
    StorageError
        When the folder cannot be written, or a record is damaged in the midst of others.
    """

    def __init__(self, folder: Path, durability: Durability = "process") -> None:
        self._folder = folder
        self._power = durability == "power"
        self._file = -1
        self._lock_path = str(folder / "lock")
        self._lock_file = -1  # the lock's own
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = acquire(folder / "lock", opened=partial(setattr, self, "_lock_file"))
        try:
            with self._translated():
                self.epoch = self._next_epoch()
                self._open()
        except BaseException:
            self.close()
            raise

    def _next_epoch(self) -> int:
        epoch = int(os.pread(self._lock_file, 32, 0) or b"0") + 1
        os.pwrite(self._lock_file, b"%d" % epoch, 0)
        return epoch

    def _open(self) -> None:
        generations = _generations(self._folder)
        self.generation = max(generations, default=0)
        self.sequence = 0
        #: Bytes of the present generation.
        self.size = 0
        self._records: list[Record] = []
        if not generations:
            return
        path = generations.pop(self.generation)
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        data = path.read_bytes()
        try:
            self._records = list(read(data, path.name))
        except StorageError as error:
            self._unreadable(error)
            return
        self.size = sum(_HEADER + len(record.body) for record in self._records)
        if self.size < len(data):
            os.ftruncate(self._file, self.size)  # the torn end
        if self._records:
            self.sequence = self._records[-1].sequence
        for old in generations.values():  # left behind by a writer that died between renaming and removing
            old.unlink()

    def _unreadable(self, error: StorageError) -> None:
        """Take note that what is recorded cannot be read; it stays as it is."""
        raise error

    def recorded(self) -> list[Record]:
        """Return the records that were found when the journal was opened, once: they are not kept."""
        records, self._records = self._records, []
        return records

    def append(self, kind: Kind, body: bytes) -> int:
        """Add a record and return its sequence.

        Raises
        ------
        StorageError
            When the disk does not take it, or another writer took over; the journal is as before.
        """
        if self._file < 0:
            raise StorageError("the journal has no generation yet")
        self._check_fence()
        data = _pack(kind, self.sequence + 1, self.epoch, self.generation, body)
        try:
            _write(self._file, data, self.size)
            if self._power:
                os.fdatasync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise _error(self._folder, error) from error
        self.size += len(data)
        self.sequence += 1
        return self.sequence

    def start_generation(self, records: Iterable[tuple[Kind, bytes]]) -> None:
        """Begin anew with these records; all that was recorded before is forgotten.

        Raises
        ------
        StorageError
            When the disk does not take them; the journal is as before.
        """
        self._check_fence()
        generation = self.generation + 1
        path = self._folder / f"journal-{generation:08d}"
        unfinished = self._folder / "unfinished"
        with self._translated():
            file = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                end, sequence = 0, self.sequence
                for kind, body in records:
                    sequence += 1
                    data = _pack(kind, sequence, self.epoch, generation, body)
                    _write(file, data, end)
                    end += len(data)
                if self._power:
                    os.fsync(file)
                unfinished.rename(path)
            except OSError:
                os.close(file)
                with contextlib.suppress(OSError):
                    unfinished.unlink()
                raise
            # from here on the new generation counts
            old, self._file = self._file, file
            self.size, self.sequence, self.generation = end, sequence, generation
            if self._power:
                sync(self._folder)
        if old >= 0:
            os.close(old)
            with contextlib.suppress(OSError):  # the next opener removes it
                (self._folder / f"journal-{generation - 1:08d}").unlink()

    def reopen(self) -> None:
        """Read again what is recorded, as a new writer would; the lock is kept.

        Raises
        ------
        StorageError
            When another writer took over, or the folder cannot be read.
        """
        self._check_fence()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        with self._translated():
            self._open()

    def close(self) -> None:
        """Let others write; safe to call again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._lock.release()
        self._lock_file = -1

    def _check_fence(self) -> None:
        """Refuse to write when somebody else took the lock, as after its file was replaced."""
        try:
            mine = self._lock_file >= 0 and os.path.samestat(os.stat(self._lock_path), os.fstat(self._lock_file))
            current = int(os.pread(self._lock_file, 32, 0)) if mine else -1
        except (OSError, ValueError):
            current = -1
        if current != self.epoch:
            raise StorageError("the journal belongs to another writer by now")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _error(self._folder, error) from error


def read(data: bytes, name: str = "journal") -> Iterator[Record]:
    """Return the whole records at the beginning of a journal's bytes.

    Raises
    ------
    StorageError
        When a record is damaged and whole ones follow.
    """
    at, epoch = 0, 0
    while (record := _unpack(data, at)) is not None and record.epoch >= epoch:
        at += _HEADER + len(record.body)
        epoch = record.epoch
        yield record
    later = at
    while (later := data.find(_MAGIC, later + 1)) >= 0:
        record = _unpack(data, later)
        if record is not None and record.epoch >= epoch:
            raise StorageError(f"{name} is damaged at byte {at}; the records after it are whole, so nothing is dropped")


def _pack(kind: Kind, sequence: int, epoch: int, generation: int, body: bytes) -> bytes:
    if len(body) > LARGEST:
        raise StorageError(f"a record of {len(body)} bytes is larger than the journal takes")
    rest = _REST.pack(len(body), kind, sequence, epoch, generation)
    return _HEAD.pack(_MAGIC, zlib.crc32(body, zlib.crc32(rest))) + rest + body


def _unpack(data: bytes, at: int) -> Record | None:
    """Return the record at a place; None when there is no whole one."""
    if len(data) - at < _HEADER:
        return None
    magic, checksum = _HEAD.unpack_from(data, at)
    length, kind, sequence, epoch, generation = _REST.unpack_from(data, at + _HEAD.size)
    end = at + _HEADER + length
    if magic != _MAGIC or end > len(data) or zlib.crc32(memoryview(data)[at + _HEAD.size : end]) != checksum:
        return None
    return Record(Kind(kind), sequence, epoch, generation, data[at + _HEADER : end])


def _write(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _generations(folder: Path) -> dict[int, Path]:
    names = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return {int(match[1]): path for match, path in names if match}


def _error(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"the session's folder {folder} cannot be written: {error.strerror or error}")
