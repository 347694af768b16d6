"""How a simulation is brought into operation before its start: initialization actions, the first observation.

Two forms of initialization actions are read. The compact one (``.npz``) holds the distinct actions once:

=============  ==================  ===============================================
array          shape, type         content
=============  ==================  ===============================================
``names``      (n,) unicode        control inputs, the columns of ``unique``
``time0``      () float            time of the first row [s]
``interval``   () float            time between rows [s]
``unique``     (m, n) float64      the distinct actions
``index``      (rows,) int         which distinct action a row is
=============  ==================  ===============================================

The other is a CSV table with a column ``time``, of tens of megabytes; it is indexed on first use and read row by row.
"""

from __future__ import annotations

import csv
import itertools
import math
import mmap
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray


class InitializationActions(ABC):
    """Actions that bring the plant into operation: each holds from its time on, until the next."""

    @abstractmethod
    def at(self, time: float) -> Mapping[str, float]:
        """Return the action that holds at a time.

        Parameters
        ----------
        time : float
            [s]

        Returns
        -------
        Mapping[str, float]
            Control inputs by name.

        Raises
        ------
        InvalidValueError
            When the table does not cover the time.
        ResourcesError
            When the table is damaged.
        """


def read_initialization_actions(path: Path) -> InitializationActions:
    """Read initialization actions of either form, chosen by the suffix.

    Raises
    ------
    ResourcesError
        When the file cannot be read.
    """
    return CompactActions.read(path) if path.suffix == ".npz" else TableActions(path)


@dataclass(frozen=True, eq=False)
class CompactActions(InitializationActions):
    """Initialization actions from the compact form; see the head of this module.

    Parameters
    ----------
    names : tuple of str
    time0, interval : float
        [s]
    unique : FloatArray, shape (m, n)
    index : NDArray of int, shape (rows,)
    """

    names: tuple[str, ...]
    time0: float
    interval: float
    unique: FloatArray
    index: NDArray[np.int32]

    @classmethod
    def read(cls, path: Path) -> CompactActions:
        """Read the compact form.

        Raises
        ------
        ResourcesError
            When the file cannot be read or its arrays do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                names = tuple(str(name) for name in arrays["names"])
                time0, interval = float(arrays["time0"]), float(arrays["interval"])
                unique, index = arrays["unique"].astype(np.float64), arrays["index"].astype(np.int32)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ResourcesError(f"{path.name} cannot be read: {error}") from error
        fits = unique.ndim == 2 and unique.shape[1] == len(names) and index.ndim == 1 and interval > 0
        if not fits or not index.size or index.min() < 0 or index.max() >= len(unique) or not np.isfinite(unique).all():
            raise ResourcesError(f"the arrays of {path.name} do not fit together")
        return cls(names, time0, interval, unique, index)

    def at(self, time: float) -> Mapping[str, float]:
        """Return the action of a time; see the base class."""
        row = _row(time, self.time0, self.interval)
        if not 0 <= row < len(self.index):
            raise _no_action(time)
        return dict(zip(self.names, self.unique[self.index[row]].tolist(), strict=True))


class TableActions(InitializationActions):
    """Initialization actions from a CSV table with a column ``time``.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ResourcesError
        When the file cannot be read or has no column ``time``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open(newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file), [])
        except OSError as error:
            raise ResourcesError(f"{path.name} cannot be read: {error}") from error
        if "time" not in self._columns:
            raise ResourcesError(f"{path.name} has no column time")
        self._time_column = self._columns.index("time")
        self._starts: NDArray[np.int64] | None = None

    def at(self, time: float) -> Mapping[str, float]:
        """Return the action of a time; see the base class."""
        try:
            with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                row = self._row(text, time)
        except (OSError, ValueError) as error:
            raise ResourcesError(f"{self.path.name} cannot be read: {error}") from error
        if row is None:
            raise _no_action(time)
        return {name: value for name, value in zip(self._columns, row, strict=True) if name not in {"time", ""}}

    def _row(self, text: mmap.mmap, time: float) -> list[float] | None:
        """Return the row that a time is in where times are equidistant; None where there is none."""
        starts = self._line_starts(text)
        count = len(starts) - 2  # less the header and the end
        if count < 1:
            return None
        time0 = self._numbers(text, starts, 0)[self._time_column]
        interval = self._numbers(text, starts, 1)[self._time_column] - time0 if count > 1 else 1.0
        if interval <= 0:
            raise ValueError("its times do not grow")
        number = _row(time, time0, interval)
        if not 0 <= number < count:
            return None
        row = self._numbers(text, starts, number)
        if not math.isclose(row[self._time_column], time0 + number * interval, rel_tol=1e-9):
            raise ValueError("its times are not equidistant")
        return row

    def _numbers(self, text: mmap.mmap, starts: NDArray[np.int64], row: int) -> list[float]:
        """Return the numbers of a row, counted without the header."""
        fields = text[starts[row + 1] : starts[row + 2]].decode("utf-8").strip().split(",")
        numbers = [float(field) for field in fields]
        if len(numbers) != len(self._columns) or not all(map(math.isfinite, numbers)):
            raise ValueError(f"row {row} does not hold {len(self._columns)} finite numbers")
        return numbers

    def _line_starts(self, text: mmap.mmap) -> NDArray[np.int64]:
        """Return where each line starts and, last, where the last one ends."""
        if self._starts is None:
            body = np.frombuffer(text, dtype=np.uint8)
            ends = np.flatnonzero(body == ord("\n")) + 1
            size = body.size
            del body  # holds the map open otherwise
            starts = np.concatenate(([0], ends))
            self._starts = starts if starts[-1] == size else np.append(starts, size)
        return self._starts


def _row(time: float, time0: float, interval: float) -> int:
    """Return the number of the row that a time is in, of rows an interval apart [s]."""
    return math.floor((time - time0) / interval + 1e-9)


def _no_action(time: float) -> InvalidValueError:
    return InvalidValueError(f"No initialization action for the time {time}s.", "start_time")


def read_observation(path: Path) -> dict[str, float]:
    """Read the first observation: a CSV table of one row, ``time`` left out.

    Returns
    -------
    dict[str, float]
        Outputs and control inputs by name.

    Raises
    ------
    ResourcesError
        When the file cannot be read or holds something that is no finite number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            names, texts = itertools.islice(csv.reader(file), 2)
        values = {name.strip(): float(text) for name, text in zip(names, texts, strict=True) if name.strip() != "time"}
    except (OSError, ValueError) as error:
        raise ResourcesError(f"{path.name} cannot be read: {error}") from error
    if not values or not all(map(math.isfinite, values.values())):
        raise ResourcesError(f"{path.name} must hold one row of finite numbers")
    return values
