"""History of a session: rows of numbers on disk, so that memory stays flat however long a session runs.

The file is anonymous: it has no name once it is open, so a process that dies leaves nothing behind, two processes never
share one, and who still reads an old history keeps it.
"""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adcc.errors import StorageError

FloatArray = NDArray[np.float64]

#: How much is copied at a time [bytes].
_CHUNK = 4 * 2**20


class History:
    """Append-only table of float64 on disk.

    Parameters
    ----------
    directory : Path
        Where the file is made; the directory is created when missing.
    columns : sequence of str
        Names of the columns; the first must be ``time``, and rows come in time order.

    Raises
    ------
    StorageError
        When the directory or the file cannot be written.
    """

    def __init__(self, directory: Path, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._position = {name: i for i, name in enumerate(self.columns)}
        self._directory = directory
        self._file = self._new_file()
        self._rows = 0

    def _new_file(self) -> FileIO:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            # nothing is buffered: a row that was appended is in the file
            return tempfile.TemporaryFile(prefix="history-", dir=self._directory, buffering=0)
        except OSError as error:
            raise self._error(error) from error

    def twin(self) -> History:
        """Return a second, empty history of the same columns."""
        return History(self._directory, self.columns)

    def __len__(self) -> int:
        return self._rows

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

    def replace(self, rows: FloatArray) -> None:
        """Start anew with these rows, in a new file.

        Raises
        ------
        StorageError
            When the disk does not take them; the history is then as before.
        """
        file = self._new_file()
        try:
            self._write(file, 0, rows)
        except StorageError:
            file.close()
            raise
        self._file.close()
        self._file, self._rows = file, len(rows)

    def cut(self, rows: int) -> None:
        """Keep the first rows only, in a new file: who still reads the old rows keeps them.

        Raises
        ------
        StorageError
            When the disk does not take them; the history is then as before.
        """
        if rows >= self._rows:
            return
        file, offset, end = self._new_file(), 0, rows * 8 * len(self.columns)
        try:
            while offset < end:
                data = os.pread(self._file.fileno(), min(end - offset, _CHUNK), offset)
                offset += os.pwrite(file.fileno(), data, offset)
        except OSError as error:
            file.close()
            raise self._error(error) from error
        self._file.close()
        self._file, self._rows = file, rows

    def table(self) -> FloatArray:
        """Return all rows, read from disk as they are used.

        Returns
        -------
        FloatArray, shape (len(self), n_columns)
            Read-only; stays as it is while rows are added or the history starts anew.
        """
        shape = (self._rows, len(self.columns))
        if self._rows == 0:
            return np.empty(shape)
        return np.memmap(self._file, dtype=np.float64, mode="r", shape=shape)

    def window(self, names: Sequence[str], start: float, final: float) -> dict[str, FloatArray]:
        """Return columns over a window of time.

        Parameters
        ----------
        names : sequence of str
            Columns; ``time`` may be among them.
        start, final : float
            The window [s], both ends included.

        Returns
        -------
        dict[str, FloatArray]
            Each name once, ``time`` last, in time order. The arrays are views on the file.
        """
        table = self.table()
        time = table[:, 0]
        # bisect touches a few rows only, where numpy's searchsorted would copy the whole column
        first, last = bisect_left(time, start), bisect_right(time, final)
        wanted = dict.fromkeys(name for name in names if name != "time")
        return {name: table[first:last, self._position[name]] for name in (*wanted, "time")}

    def close(self) -> None:
        """Free the file; safe to call again."""
        self._file.close()

    def _write(self, file: FileIO, row: int, rows: FloatArray) -> None:
        """Write rows from a row on; what a failed write left behind is overwritten by the next."""
        if not rows.size:
            return
        data = np.ascontiguousarray(rows, dtype=np.float64).data.cast("B")
        offset = row * 8 * len(self.columns)
        try:
            while data:
                written = os.pwrite(file.fileno(), data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> StorageError:
        return StorageError(f"the state directory {self._directory} cannot be written: {error.strerror or error}")
