"""Files of rows of numbers, each block of which is compared with its checksum whenever a row of it is read."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from io import FileIO
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trivium.errors import DamagedError
from trivium.simulation.checksums import Checksums

FloatArray = NDArray[np.float64]

#: Times closer than this part of the distance between two rows are the same: clients add steps up, and round.
_SAME = 1e-6


class RowFile(NamedTuple):
    """A file that holds rows of a history.

    Attributes
    ----------
    path : Path
    rows : int
        How many of its first rows count.
    size : int
        What they take [bytes].
    checksums : bytes
        Of these; see `Checksums.pack`.
    """

    path: Path
    rows: int
    size: int
    checksums: bytes

    def check(self) -> str:
        """Return what is wrong with the file, in words; nothing where it is whole."""
        try:
            checksums = Checksums(self.size, self.checksums)
            with self.path.open("rb") as file:

                def read(start: int, length: int) -> bytes:
                    return os.pread(file.fileno(), length, start)

                damaged = checksums.damaged(0, self.size, read)
        except (OSError, ValueError) as error:
            return f"{self.path} cannot be read: {error}"
        if damaged is None:
            return ""
        width = self.size // self.rows
        return f"{self.path}: rows {damaged.start // width} to {(damaged.stop - 1) // width} are not what was written"


class Part:
    """Rows at the beginning of a file, compared with their checksums whenever they are read.

    Parameters
    ----------
    table : FloatArray, shape (rows, n_columns)
        Read-only, read from disk as they are used.
    path : Path or None
        None for an anonymous file.
    checksums : Checksums
    """

    def __init__(self, table: FloatArray, path: Path | None, checksums: Checksums) -> None:
        self._table, self.path, self.checksums = table, path, checksums
        self._bytes = table.data.cast("B") if table.size else memoryview(b"")

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, rows: slice) -> FloatArray:
        first, end, _ = rows.indices(len(self))
        self._compare(first, end)
        return self._table[first:end]

    def first(self, rows: int) -> Part:
        """Return the first rows as a part."""
        if rows == len(self):
            return self
        self._compare(max(rows - 1, 0), rows)
        return Part(self._table[:rows], self.path, self.checksums.first(rows * self._width, self._read))

    def window(self, start: float, final: float) -> FloatArray:
        """Return the rows of a window of time, see `trivium.simulation.history.History.window`."""
        times = _Times(self)
        return self[_from(times, start) : _until(times, final)]

    @property
    def _width(self) -> int:
        return 8 * int(self._table.shape[1])

    def _read(self, start: int, length: int) -> memoryview:
        return self._bytes[start : start + length]

    def _compare(self, first: int, end: int) -> None:
        if first < end:
            damaged = self.checksums.damaged(first * self._width, end * self._width, self._read)
            if damaged is not None:
                raise damage(self.path, damaged, self._width)


class _Times:
    """The times of a part."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def __len__(self) -> int:
        return len(self._part)

    def __getitem__(self, row: int) -> float:
        return float(self._part[row : row + 1][0, 0])


class Tail:
    """The file that rows are appended to.

    Parameters
    ----------
    file : FileIO
    path : Path or None
    columns : int
    """

    def __init__(self, file: FileIO, path: Path | None, columns: int) -> None:
        self.file, self.path, self._columns = file, path, columns
        self.rows = 0
        self.checksums = Checksums()

    def __len__(self) -> int:
        return self.rows

    def append(self, rows: FloatArray) -> None:
        """Write rows at the end; what a failed write left behind is overwritten by the next."""
        if not rows.size:
            return
        data = np.ascontiguousarray(rows, dtype=np.float64).data.cast("B")
        left, offset = data, self.checksums.size
        while left:
            written = os.pwrite(self.file.fileno(), left, offset)
            left, offset = left[written:], offset + written
        self.checksums.append(data)
        self.rows += len(rows)

    def withdraw(self, count: int) -> None:
        """Forget the last rows."""
        rows = self.rows - count
        self._compare(max(rows - 1, 0), rows)
        self.checksums = self.checksums.first(rows * 8 * self._columns, self._read)
        self.rows = rows

    def read(self, first: int, end: int) -> FloatArray:
        """Return rows, faster than from a map of the file."""
        self._compare(first, end)
        width = 8 * self._columns
        return np.frombuffer(self._read(first * width, (end - first) * width)).reshape(-1, self._columns)

    def part(self) -> Part:
        """Return all rows, as they are now."""
        size = self.checksums.size
        return Part(mapped(self.file, self.rows, self._columns), self.path, Checksums(size, self.checksums.pack()))

    def close(self) -> None:
        """Free the file, which goes where it has no name."""
        self.file.close()

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self.file.fileno(), length, start)

    def _compare(self, first: int, end: int) -> None:
        if first < end:
            width = 8 * self._columns
            damaged = self.checksums.damaged(first * width, end * width, self._read)
            if damaged is not None:
                raise damage(self.path, damaged, width)


def mapped(file: IO[bytes], rows: int, columns: int) -> FloatArray:
    """Return the first rows of a file, read from disk as they are used, shape (rows, columns)."""
    shape = (rows, columns)
    return np.memmap(file, dtype=np.float64, mode="r", shape=shape) if rows else np.empty(shape)


def damage(path: Path | None, part: range, width: int) -> DamagedError:
    """Return the error of bytes that are damaged, for people: by rows of a width [bytes]."""
    name = f"The row file {path}" if path is not None else "A file of the history"
    rows = f"rows {part.start // width} to {(part.stop - 1) // width}"
    return DamagedError(f"{name} is damaged: {rows} are not what was written.")


# bisect touches a few rows only, where numpy's searchsorted would copy the whole column


def _from(time: _Times, start: float) -> int:
    """Return the first row at a time or after it."""
    row = bisect_left(time, start)
    if 0 < row < len(time) and start - time[row - 1] < _SAME * (time[row] - time[row - 1]):
        return row - 1
    return row


def _until(time: _Times, final: float) -> int:
    """Return the row after the last one at a time or before it."""
    row = bisect_right(time, final)
    if 0 < row < len(time) and time[row] - final < _SAME * (time[row] - time[row - 1]):
        return row + 1
    return row
