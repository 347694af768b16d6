"""History of a session: rows of numbers on disk, so that memory stays flat however long a session runs.

A history is a list of parts, each of them rows at the beginning of a file: all but the last stay as they are, and rows
are appended to the last. A file is only ever appended to, so a holder of its first rows, in this process or another,
keeps them; histories that begin alike share files and do not copy them.

The files are anonymous: a process that dies leaves nothing behind, and two processes never share one. After
`History.keep` they have names in a folder instead, and `History.adopt` takes them over later.
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trivium.errors import StorageError

FloatArray = NDArray[np.float64]

#: How much is read at a time [bytes].
_CHUNK = 4 * 2**20
#: Parts with up to so many rows more than all after them are copied, not shared, so that there are never many.
_SMALL = 512
#: Times closer than this part of the distance between two rows are the same: clients add steps up, and round.
_SAME = 1e-6


class Part(NamedTuple):
    """Rows at the beginning of a file.

    Attributes
    ----------
    table : FloatArray, shape (rows, n_columns)
        Read-only, read from disk as they are used.
    path : Path or None
        None for an anonymous file.
    """

    table: FloatArray
    path: Path | None


class History:
    """Append-only table of float64 on disk.

    Parameters
    ----------
    directory : Path
        Where the files are made; it is created when missing.
    columns : sequence of str
        Names of the columns; the first must be ``time``, and rows come in time order.

    Raises
    ------
    StorageError
        When the directory or a file cannot be written.
    """

    def __init__(self, directory: Path, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._position = {name: i for i, name in enumerate(self.columns)}
        self._width = 8 * len(self.columns)
        self._directory = directory.absolute()
        self._kept = False
        self._parts: list[Part] = []  # all but the last
        self._before = 0  # rows in them
        self._file, self._path = self._new_file()
        self._rows = 0  # of the last part

    def keep(self, folder: Path) -> None:
        """Give the files names in a folder from now on.

        Raises
        ------
        StorageError
            When it cannot be written; the history is then as before.
        """
        before = self._directory, self._kept
        self._directory, self._kept = folder.absolute(), True
        try:
            self.replace(self.rows())
        except StorageError:
            self._directory, self._kept = before
            raise

    def twin(self) -> History:
        """Return a second, empty history of the same columns, of anonymous files."""
        return History(self._directory, self.columns)

    def __len__(self) -> int:
        return self._before + self._rows

    def append(self, rows: FloatArray) -> None:
        """Add rows, all or none.

        Parameters
        ----------
        rows : FloatArray, shape (k, n_columns)

        Raises
        ------
        StorageError
            When the disk does not take them; the history is then as before.
        """
        self._write(self._file, self._rows, rows)
        self._rows += len(rows)

    def withdraw(self, count: int) -> None:
        """Forget the rows that were appended last, which nobody has read: the next ones overwrite them."""
        self._rows -= count

    def replace(self, rows: FloatArray) -> None:
        """Start anew with these rows, in a new file.

        Raises
        ------
        StorageError
            When the disk does not take them; the history is then as before.
        """
        self._begin([], [rows])

    def cut(self, rows: int) -> None:
        """Keep the first rows only; who still reads the old rows keeps them.

        Raises
        ------
        StorageError
            When the disk does not take it; the history is then as before.
        """
        if rows >= len(self):
            return
        parts, left = [], rows
        for part in self._every_part():
            if left:
                parts.append(Part(part.table[:left], part.path))
                left -= len(parts[-1].table)
        self._take(parts)

    def parts(self) -> list[tuple[Path, int]]:
        """Return the files that hold the rows, and how many rows each; `adopt` takes them.

        Raises
        ------
        StorageError
            When they are anonymous.
        """
        parts = []
        for part in self._every_part():
            if part.path is None:
                raise StorageError("this history is in files without names")
            parts.append((part.path, len(part.table)))
        return parts

    def adopt(self, parts: Sequence[tuple[Path, int]]) -> None:
        """Take over the rows of other histories, without copying more than a few.

        Parameters
        ----------
        parts : sequence of (Path, int)
            What `parts` returned, there.

        Raises
        ------
        StorageError
            When a file is missing or too short, or the disk does not take it; the history is then as before.
        """
        shared = []
        for path, rows in parts:
            try:
                with path.open("rb") as file:
                    if os.fstat(file.fileno()).st_size < rows * self._width:
                        raise StorageError(f"{path} does not hold {rows} rows")
                    shared.append(Part(self._mapped(file, rows), path))
            except OSError as error:
                raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
        self._take(shared)

    def rows(self, first: int = 0) -> FloatArray:
        """Return the rows from one on, as they are now.

        Returns
        -------
        FloatArray, shape (len(self) - first, n_columns)
            Stays as it is while rows are added or the history starts anew.
        """
        if first >= self._before and (len(self) - first) * self._width <= _CHUNK:  # faster than mapping the file
            data = os.pread(
                self._file.fileno(), (len(self) - first) * self._width, (first - self._before) * self._width
            )
            return np.frombuffer(data).reshape(-1, len(self.columns))
        return _joined([part[max(first - at, 0) :] for at, part in self._tables()], len(self.columns))

    def table(self) -> FloatArray:
        """Return all rows, read from disk as they are used where they lie in one file.

        Returns
        -------
        FloatArray, shape (len(self), n_columns)
            Stays as it is while rows are added or the history starts anew.
        """
        return _joined([part for _, part in self._tables()], len(self.columns))

    def row(self, index: int) -> FloatArray:
        """Return one row, shape (n_columns,)."""
        for at, part in reversed(self._tables() if index < self._before else []):
            if index >= at:
                return np.array(part[index - at])
        data = os.pread(self._file.fileno(), self._width, (index - self._before) * self._width)
        return np.frombuffer(data)

    def window(self, names: Sequence[str], start: float, final: float) -> dict[str, FloatArray]:
        """Return columns over a window of time.

        Parameters
        ----------
        names : sequence of str
            Columns; ``time`` may be among them.
        start, final : float
            The window [s], both ends included, also where rounding puts a row a hair beside.

        Returns
        -------
        dict[str, FloatArray]
            Each name once, ``time`` last, in time order. The arrays are views on the file where there is one.
        """
        inside = []
        for _, part in self._tables():
            time = part[:, 0]
            inside.append(part[_from(time, start) : _until(time, final)])
        requested = dict.fromkeys(name for name in names if name != "time")
        columns = {name: self._position[name] for name in (*requested, "time")}
        if len(inside) == 1:
            return {name: inside[0][:, i] for name, i in columns.items()}
        return {name: np.concatenate([part[:, i] for part in inside]) for name, i in columns.items()}

    def sync(self) -> None:
        """Have the disk take what was appended.

        Raises
        ------
        StorageError
            When it does not.
        """
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Free the file; safe to call again."""
        self._file.close()

    def _every_part(self) -> list[Part]:
        return [*self._parts, Part(self._mapped(self._file, self._rows), self._path)]

    def _tables(self) -> list[tuple[int, FloatArray]]:
        """Return the rows of all parts, each with how many come before."""
        tables, at = [], 0
        for part in self._every_part():
            tables.append((at, part.table))
            at += len(part.table)
        return tables

    def _take(self, parts: list[Part]) -> None:
        """Go on from parts: large ones stay where they are, small ones at the end are copied to a new file."""
        shared, copied = list(parts), 0
        while shared and len(shared[-1].table) <= copied + _SMALL:
            copied += len(shared.pop().table)
        self._begin(shared, [part.table for part in parts[len(shared) :]])

    def _begin(self, parts: list[Part], tables: Sequence[FloatArray]) -> None:
        """Begin a new file with these tables, after parts that stay."""
        file, path = self._new_file()
        rows = 0
        try:
            for table in tables:
                self._write(file, rows, table)
                rows += len(table)
        except StorageError:
            file.close()
            if path is not None:
                path.unlink(missing_ok=True)
            raise
        self._file.close()
        self._parts, self._before = parts, sum(len(part.table) for part in parts)
        self._file, self._path, self._rows = file, path, rows

    def _new_file(self) -> tuple[FileIO, Path | None]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            # nothing is buffered: a row that was appended is in the file
            if not self._kept:
                return tempfile.TemporaryFile(prefix="history-", dir=self._directory, buffering=0), None
            path = self._directory / os.urandom(8).hex()
            return path.open("x+b", buffering=0), path
        except OSError as error:
            raise self._error(error) from error

    def _mapped(self, file: IO[bytes], rows: int) -> FloatArray:
        shape = (rows, len(self.columns))
        return np.memmap(file, dtype=np.float64, mode="r", shape=shape) if rows else np.empty(shape)

    def _write(self, file: FileIO, row: int, rows: FloatArray) -> None:
        """Write rows from a row on; what a failed write left behind is overwritten by the next."""
        if not rows.size:
            return
        data = np.ascontiguousarray(rows, dtype=np.float64).data.cast("B")
        offset = row * self._width
        try:
            while data:
                written = os.pwrite(file.fileno(), data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> StorageError:
        return StorageError(f"the state directory {self._directory} cannot be written: {error.strerror or error}")


# bisect touches a few rows only, where numpy's searchsorted would copy the whole column


def _from(time: FloatArray, start: float) -> int:
    """Return the first row at a time or after it."""
    row = bisect_left(time, start)
    if 0 < row < len(time) and start - time[row - 1] < _SAME * (time[row] - time[row - 1]):
        return row - 1
    return row


def _until(time: FloatArray, final: float) -> int:
    """Return the row after the last one at a time or before it."""
    row = bisect_right(time, final)
    if 0 < row < len(time) and time[row] - final < _SAME * (time[row] - time[row - 1]):
        return row + 1
    return row


def _joined(tables: Sequence[FloatArray], width: int) -> FloatArray:
    """Return tables one after the other; a single one is not copied."""
    filled = [table for table in tables if len(table)]
    if len(filled) == 1:
        return filled[0]
    return np.concatenate(filled) if filled else np.empty((0, width))
