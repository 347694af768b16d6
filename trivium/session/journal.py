"""The journal of one session: what was meant to be done, and what was done, in the order in which it happened.

A journal is a folder with a lock and one file per generation, of which the highest is the one that counts::

    lock              held by the writer for as long as it lives; holds the fencing epoch as text
    journal-00000001  records, one after the other

A record is a header of 40 bytes, little endian, and a body::

    magic "TVJ2" | CRC32 of the rest of the header and of the CRC32 of the record before u32 | CRC32 of the body u32 |
    length of the body u32 | kind u32 | sequence u64 | epoch u64 | generation u32

The sequence grows by one from record to record, also across generations. A generation starts with records that need
nothing before them. It becomes valid as a whole when its file is renamed into place, so whatever the generations before
it held is never read again: a tail that a client discarded cannot come back.

A record that was cut off when its writer died stands at the end and is shorter than its header states; it is dropped
when the journal is opened. Whatever else is not as it was written is damage and is refused: the disk changed it, so
nobody can be sure what was acknowledged. Where the file ends at a record but too early, only its reader can notice,
by the sequence that was acknowledged last.
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

from trivium.errors import DamagedError, StateError, StorageError
from trivium.storage import acquire, sync

Durability = Literal["process", "power"]

_MAGIC = b"TVJ2"
_HEAD = struct.Struct("<4sI")
_REST = struct.Struct("<IIIQQI")
#: Bytes of the header of a record.
HEADER = _HEAD.size + _REST.size
#: Records of before had no checksum of their header.
_OLD = b"TVJ1"
#: What epochs are below; more digits in a lock are damage.
_EPOCHS = 2**63
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
        When the folder cannot be written.
    StateError
        When a record is damaged, or the journal is another version's.
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
                #: Each writer has a higher one than those before.
                self.epoch = 0
                self._open()
                self._raise_epoch()
        except BaseException:
            self.close()
            raise

    def _raise_epoch(self) -> None:
        """Go beyond the epochs of the lock and of the records; the lock may be damaged."""
        self.epoch = max(self.epoch, _epoch(os.pread(self._lock_file, 32, 0))) + 1
        os.ftruncate(self._lock_file, 0)
        os.pwrite(self._lock_file, b"%d" % self.epoch, 0)

    def _open(self) -> None:
        generations = _generations(self._folder)
        self.generation = max(generations, default=0)
        self.sequence = self._last = 0
        #: Bytes of the present generation.
        self.size = 0
        self._records: list[Record] = []
        if not generations:
            return
        path = generations.pop(self.generation)
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        data = path.read_bytes()
        try:
            self._records = list(read(data, str(path)))
        except StateError as error:
            self._unreadable(error)
            return
        self.size = sum(HEADER + len(record.body) for record in self._records)
        if self.size < len(data):
            os.ftruncate(self._file, self.size)  # the torn end
        if self._records:
            last = self._records[-1]
            self.sequence, self.epoch = last.sequence, max(self.epoch, last.epoch)
            self._last = _checksum(data[self.size - HEADER - len(last.body) :])
        for old in generations.values():  # left behind by a writer that died between renaming and removing
            old.unlink()

    def _unreadable(self, error: StateError) -> None:
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
        if os.fstat(self._file).st_size < self.size:
            raise DamagedError(f"the journal in {self._folder} is shorter than what was written")
        data = _pack(Record(kind, self.sequence + 1, self.epoch, self.generation, body), self._last)
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
        self._last = _checksum(data)
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
                end, sequence, last = 0, self.sequence, 0
                for kind, body in records:
                    sequence += 1
                    data = _pack(Record(kind, sequence, self.epoch, generation, body), last)
                    _write(file, data, end)
                    end, last = end + len(data), _checksum(data)
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
            self.size, self.sequence, self.generation, self._last = end, sequence, generation, last
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
            current = _epoch(os.pread(self._lock_file, 32, 0)) if mine else -1
        except OSError:
            current = -1
        if current != self.epoch:
            raise StorageError("the journal belongs to another writer by now")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _error(self._folder, error) from error


class _Header(NamedTuple):
    """What precedes the body of a record."""

    checksum: int
    checksum_of_body: int
    length: int
    kind: int
    sequence: int
    epoch: int
    generation: int


def read(data: bytes, name: str = "journal") -> Iterator[Record]:
    """Return the records of a generation; one at the end that was cut off is left out.

    Raises
    ------
    DamagedError
        When a record is not what was written; those before it have been returned.
    StateError
        When they are another version's.
    """
    if data.startswith(_OLD) and _MAGIC not in data:
        raise StateError(f"{name} was written by an earlier version of this server; initialize the session anew.")
    view, at, last = memoryview(data), 0, _Header(0, 0, 0, 0, 0, 0, 0)
    while not _ends(rest := view[at:]):
        header = _header(rest, last.checksum)
        body = rest[HEADER : HEADER + header.length] if header is not None else rest
        if (
            header is None
            or (at and header.sequence != last.sequence + 1)
            or header.epoch < last.epoch
            or (len(body) == header.length and zlib.crc32(body) != header.checksum_of_body)
        ):
            raise DamagedError(
                f"{name} is damaged at byte {at}, after record {last.sequence}: `trivium verify` says more; initialize "
                "the session anew, or restore a snapshot."
            )
        if len(body) < header.length:
            return
        at, last = at + HEADER + header.length, header
        yield Record(Kind(header.kind), header.sequence, header.epoch, header.generation, bytes(body))


def present(folder: Path) -> Iterator[Record]:
    """Return what is recorded in a journal that somebody else may be writing; errors as `read`."""
    while (path := latest(folder)) is not None:
        with contextlib.suppress(FileNotFoundError):  # another generation began meanwhile
            yield from read(path.read_bytes(), str(path))
            return


def latest(folder: Path) -> Path | None:
    """Return the file of a journal's generation that counts; None where there is none."""
    try:
        generations = _generations(folder)
    except FileNotFoundError:
        return None
    return generations[max(generations)] if generations else None


def _ends(rest: memoryview) -> bool:
    """Return whether no whole header follows: what a writer that died left, or room that was never filled."""
    begun = bytes(rest[: len(_MAGIC)])
    return (len(rest) < HEADER and _MAGIC.startswith(begun)) or not any(rest)


def _header(rest: memoryview, last: int) -> _Header | None:
    """Return the header of a record, given the checksum of the record before; None when it is damaged."""
    if len(rest) < HEADER:
        return None
    magic, checksum = _HEAD.unpack_from(rest)
    if magic != _MAGIC or zlib.crc32(rest[_HEAD.size : HEADER], last) != checksum:
        return None
    return _Header(checksum, *_REST.unpack_from(rest, _HEAD.size))


def _pack(record: Record, last: int) -> bytes:
    """Return a record as bytes, given the checksum of the one before."""
    kind, sequence, epoch, generation, body = record
    if len(body) > LARGEST:
        raise StorageError(f"a record of {len(body)} bytes is larger than the journal takes")
    rest = _REST.pack(zlib.crc32(body), len(body), kind, sequence, epoch, generation)
    return _HEAD.pack(_MAGIC, zlib.crc32(rest, last)) + rest + body


def _checksum(data: bytes) -> int:
    """Return the checksum of what `_pack` returned."""
    checksum: int = _HEAD.unpack_from(data)[1]
    return checksum


def _epoch(data: bytes) -> int:
    """Return the epoch that a lock holds; 0 where it is damaged."""
    try:
        epoch = int(data)
    except ValueError:
        return 0
    return epoch if 0 <= epoch < _EPOCHS else 0


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
