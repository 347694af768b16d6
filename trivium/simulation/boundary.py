"""Boundary data of a test case: inputs that follow a table over time, the disturbances.

The table is a CSV file with a column ``time`` [s], first, and a column for each input that it drives::

    time,T_outside,m_water
    0,285.1,131.2
    300,285.2,130.7

Times grow, at any distance. A value holds from its time on until the next; or it is interpolated linearly, and each
sub-step holds the value of its beginning.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray
from trivium.simulation.times import difference

#: Times closer than this part of the interval are the same.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Disturbances:
    """Inputs that follow a table.

    Parameters
    ----------
    names : tuple of str
        The inputs.
    time0, interval : float
        Time of the first row and between rows [s]; where the times are not equidistant, between the last two.
    values : FloatArray, shape (rows, n)
        One column a name [the unit of the model's input].
    linear : bool
        Whether values are interpolated; otherwise they hold.
    irregular : FloatArray, shape (rows,), optional
        Times of the rows [s], where they are not equidistant.
    """

    names: tuple[str, ...]
    time0: float
    interval: float
    values: FloatArray
    linear: bool = False
    irregular: FloatArray | None = None

    @classmethod
    def none(cls) -> Disturbances:
        """Return the boundary data of a test case that has none: no inputs, at any time."""
        return cls((), -math.inf, math.inf, np.empty((1, 0)), irregular=np.array([-math.inf]))

    @classmethod
    def read(cls, path: Path, *, linear: bool = False) -> Disturbances:
        """Read a CSV table whose first column is ``time`` [s]; once a process, as long as the file is the same.

        Raises
        ------
        ResourcesError
            When the file is missing, holds something that is no finite number, or its times do not grow.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise ResourcesError(f"{path.name} cannot be read: {error}") from error
        return cls._read(path, (status.st_ino, status.st_size, status.st_mtime_ns), linear)

    @classmethod
    @lru_cache(maxsize=4)
    def _read(cls, path: Path, _version: tuple[int, ...], linear: bool) -> Disturbances:
        """Read the table; the second argument distinguishes versions of the file."""
        try:
            with path.open(encoding="utf-8-sig") as file:
                names = tuple(name.strip().strip('"') for name in file.readline().split(","))
                table = np.loadtxt(file, delimiter=",", ndmin=2)
        except (OSError, ValueError) as error:
            raise ResourcesError(f"{path.name} cannot be read: {error}") from error
        if names[0] != "time" or table.shape[1] != len(names) or table.shape[0] < 2:
            raise ResourcesError(f"{path.name} must be a table of at least two rows whose first column is time")
        if len({*names}) < len(names):
            raise ResourcesError(f"{path.name} has two columns of one name")
        if not np.isfinite(table).all():
            raise ResourcesError(f"{path.name} holds values that are not finite numbers")
        times = np.ascontiguousarray(table[:, 0])
        if (np.diff(times) <= 0).any():
            raise ResourcesError(f"the times of {path.name} do not grow")
        time0, interval = float(times[0]), difference(float(times[-1]), float(times[-2]))
        regular = np.array_equal(times, time0 + interval * np.arange(times.size))
        values = np.ascontiguousarray(table[:, 1:])
        values.flags.writeable = False  # who opens the file next gets the same
        return cls(names[1:], time0, interval, values, linear, None if regular else times)

    @cached_property
    def times(self) -> FloatArray:
        """Times of the rows [s], shape (rows,)."""
        if self.irregular is not None:
            return self.irregular
        return self.time0 + self.interval * np.arange(len(self.values), dtype=np.float64)

    @property
    def last(self) -> float:
        """Time of the last row [s]."""
        return float(self.times[-1])

    @property
    def equidistant(self) -> bool:
        """Whether there are rows, all one interval apart."""
        return bool(self.names) and bool(np.allclose(np.diff(self.times), self.interval, rtol=_SAME, atol=0.0))

    @cached_property
    def end(self) -> float:
        """End of what the data covers [s]: the last time, one interval later where values hold."""
        last = float(self.times[-1])
        return last if self.linear else math.inf if not self.names else last + self.interval

    def split(self, times: Sequence[float]) -> Sequence[float]:
        """Split a stretch of time at the rows of the table.

        Parameters
        ----------
        times : sequence of float, length k + 1
            Where it is split already, both ends included [s].

        Returns
        -------
        sequence of float
            Where each part ends: all but the first of the times, and those of the rows between them.
        """
        low = bisect_right(self._times, times[0] + self._slack)
        high = bisect_left(self._times, times[-1] - self._slack, low)
        if low == high:
            return times[1:]
        edges, rows = np.array(times), self.times[low:high]
        at = np.searchsorted(edges, rows)
        same = (edges[at] - rows <= self._slack) | (rows - edges[at - 1] <= self._slack)
        return times[1:] if same.all() else np.sort(np.concatenate((edges[1:], rows[~same]))).tolist()

    def at(self, starts: Sequence[float], end: float) -> FloatArray:
        """Return what holds from some times on.

        Parameters
        ----------
        starts : sequence of float, length k
            Times, growing [s].
        end : float
            Until when the last one is wanted [s].

        Returns
        -------
        FloatArray, shape (k, n)

        Raises
        ------
        InvalidValueError
            When the data does not cover all that time.
        """
        if starts[0] < self.time0 - self._slack or end > self.end + self._slack:
            raise InvalidValueError(
                f"No boundary data for {starts[0]}s to {end}s: the data covers {self.time0}s to {self.end}s.",
                "start_time",
            )
        if self.linear:
            return self._interpolated(np.array(starts))
        if len(starts) == 1:  # a single step: faster than through an array
            row = bisect_right(self._times, starts[0] + self._slack)
            return self.values[row - 1 : row]
        held: FloatArray = self.values[self._rows(np.array(starts))]
        return held

    def column(self, name: str, times: FloatArray) -> FloatArray:
        """Return a column at growing times [s], shape (k,); before the first row and behind the last theirs holds."""
        values = self.values[:, self.names.index(name)]
        if self.linear:
            return np.interp(times, self.times, values)
        held: FloatArray = values[np.maximum(self._rows(times), 0)]
        return held

    def row(self, time: float) -> dict[str, float]:
        """Return what holds from a time [s] on, by name.

        Raises
        ------
        InvalidValueError
            When the data does not cover it.
        """
        return dict(zip(self.names, self.at([time], time)[0].tolist(), strict=True))

    def _interpolated(self, times: FloatArray) -> FloatArray:
        rows = self._rows(times)
        after = np.minimum(rows + 1, len(self.values) - 1)
        length = np.maximum(self.times[after] - self.times[rows], self._slack)
        part = np.clip((times - self.times[rows]) / length, 0.0, 1.0)
        before = self.values[rows]
        interpolated: FloatArray = before + part[:, np.newaxis] * (self.values[after] - before)
        return interpolated

    def _rows(self, times: FloatArray) -> NDArray[np.intp]:
        """Return the row that each time is in."""
        return np.searchsorted(self.times, times + self._slack, side="right") - 1

    @cached_property
    def _times(self) -> memoryview:
        """The times for bisect, which is several times faster with plain floats."""
        return np.ascontiguousarray(self.times).data

    @cached_property
    def _slack(self) -> float:
        return _SAME * float(np.min(np.diff(self.times))) if self.names else 0.0
