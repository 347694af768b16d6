"""History of a session: rows of numbers on disk, so that memory stays flat however long a session runs.

A history is a list of parts, each of them rows at the beginning of a file: all but the last stay as they are, and rows
are appended to the last. A file is only ever appended to, so a holder of its first rows, in this process or another,
keeps them; histories that begin alike share files and do not copy them.

The files are anonymous: a process that dies leaves nothing behind, and two processes never share one. After
`History.keep` they have names in a folder instead, and `History.adopt` takes them over later.

Every block of a file has a checksum, which is compared whenever a row of it is read: a number that the disk changed is
never returned.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trivium.errors import DamagedError, StorageError
from trivium.simulation.checksums import Checksums
from trivium.simulation.row_files import FloatArray, Part, RowFile, Tail, mapped

#: How much is read at a time [bytes].
_CHUNK = 4 * 2**20
#: Parts with up to so many rows more than all after them are copied, not shared, so that there are never many.
_SMALL = 512


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
        self._tail = self._new_tail()

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
        return self._before + len(self._tail)

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
        try:
            self._tail.append(rows)
        except OSError as error:
            raise self._error(error) from error

    def withdraw(self, count: int) -> None:
        """Forget the rows that were appended last, which nobody has read: the next ones overwrite them."""
        self._tail.withdraw(count)

    def replace(self, rows: FloatArray) -> None:
        """Start anew with these rows, in a new file.

        Raises
        ------
        StorageError
            When the disk does not take them; the history is then as before.
        """
        self._begin([], rows)

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
                parts.append(part.first(min(left, len(part))))
                left -= len(parts[-1])
        self._take(parts)

    def parts(self) -> list[RowFile]:
        """Return the files that hold the rows; `adopt` takes them.

        Raises
        ------
        StorageError
            When they are anonymous.
        """
        parts = []
        for part in self._every_part():
            if part.path is None:
                raise StorageError("this history is in files without names")
            parts.append(RowFile(part.path, len(part), part.checksums.size, part.checksums.pack()))
        return parts

    def adopt(self, parts: Sequence[RowFile]) -> None:
        """Take over the rows of other histories, without copying more than a few.

        Parameters
        ----------
        parts : sequence of RowFile
            What `parts` returned, there.

        Raises
        ------
        DamagedError
            When a file is missing, too short or damaged; the history is then as before.
        StorageError
            When the disk does not take it; the same.
        """
        shared = []
        for path, rows, _, checksums in parts:
            try:
                with path.open("rb") as file:
                    if os.fstat(file.fileno()).st_size < rows * self._width:
                        raise DamagedError(f"The row file {path} does not hold its {rows} rows any more.")
                    table = mapped(file, rows, len(self.columns))
                    shared.append(Part(table, path, Checksums(rows * self._width, checksums)))
            except OSError as error:
                raise DamagedError(f"The row file {path} cannot be read: {error.strerror or error}.") from error
            except ValueError as error:
                raise DamagedError(f"The row file {path} cannot be compared: {error}.") from error
        self._take(shared)

    def rows(self, first: int = 0) -> FloatArray:
        """Return the rows from one on, as they are now.

        Returns
        -------
        FloatArray, shape (len(self) - first, n_columns)
            Stays as it is while rows are added or the history starts anew.
        """
        if first >= self._before and (len(self) - first) * self._width <= _CHUNK:  # faster than mapping the file
            return self._tail.read(first - self._before, len(self._tail))
        return _joined([part[max(first - at, 0) :] for at, part in self._placed()], len(self.columns))

    def table(self) -> FloatArray:
        """Return all rows, read from disk as they are used where they lie in one file.

        Returns
        -------
        FloatArray, shape (len(self), n_columns)
            Stays as it is while rows are added or the history starts anew.
        """
        return _joined([part[:] for part in self._every_part()], len(self.columns))

    def row(self, index: int) -> FloatArray:
        """Return one row, shape (n_columns,)."""
        for at, part in reversed(self._placed() if index < self._before else []):
            if index >= at:
                return np.array(part[index - at : index - at + 1][0])
        place = index - self._before
        return np.array(self._tail.read(place, place + 1)[0])

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
        inside = [part.window(start, final) for part in self._every_part()]
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
            os.fsync(self._tail.file.fileno())
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Free the file; safe to call again."""
        self._tail.close()

    def _every_part(self) -> list[Part]:
        return [*self._parts, self._tail.part()]

    def _placed(self) -> list[tuple[int, Part]]:
        """Return all parts, each with how many rows come before."""
        placed, at = [], 0
        for part in self._every_part():
            placed.append((at, part))
            at += len(part)
        return placed

    def _take(self, parts: list[Part]) -> None:
        """Go on from parts: large ones stay where they are, small ones at the end are copied to a new file."""
        shared, copied = list(parts), 0
        while shared and len(shared[-1]) <= copied + _SMALL:
            copied += len(shared.pop())
        self._begin(shared, *(part[:] for part in parts[len(shared) :]))

    def _begin(self, parts: list[Part], *tables: FloatArray) -> None:
        """Begin a new file with these tables, after parts that stay."""
        tail = self._new_tail()
        try:
            for table in tables:
                tail.append(table)
        except OSError as error:
            tail.close()
            if tail.path is not None:
                tail.path.unlink(missing_ok=True)
            raise self._error(error) from error
        self._tail.close()
        self._parts, self._before = parts, sum(len(part) for part in parts)
        self._tail = tail

    def _new_tail(self) -> Tail:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            # nothing is buffered: a row that was appended is in the file
            if not self._kept:
                file = tempfile.TemporaryFile(prefix="history-", dir=self._directory, buffering=0)  # noqa: SIM115
                return Tail(file, None, len(self.columns))
            path = self._directory / os.urandom(8).hex()
            return Tail(path.open("x+b", buffering=0), path, len(self.columns))
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> StorageError:
        return StorageError(f"the state directory {self._directory} cannot be written: {error.strerror or error}")


def _joined(tables: Sequence[FloatArray], width: int) -> FloatArray:
    """Return tables one after the other; a single one is not copied."""
    filled = [table for table in tables if len(table)]
    if len(filled) == 1:
        return filled[0]
    return np.concatenate(filled) if filled else np.empty((0, width))
