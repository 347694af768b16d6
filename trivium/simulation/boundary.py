"""Boundary data of a test case: inputs that follow a table over time, the disturbances.

The table is a CSV file with a column ``time`` [s] and a column for each input that it drives; see
`trivium.simulation.input_table`::

    time,T_outside,m_water
    0,285.1,131.2
    300,285.2,130.7

Times do not fall, at any distance; where a time appears twice, values jump. A value holds from its time on until the
next. Or continuous inputs follow straight lines between the rows, while all others hold.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray
from trivium.simulation.input_table import InputTable, read_input_table
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
        Time of the first row and between rows [s]; where the times are not equidistant, between the last two that
        differ.
    values : FloatArray, shape (rows, n)
        One column a name [the unit of the model's input].
    linear : bool
        Whether values follow straight lines between the rows; otherwise they hold.
    irregular : FloatArray, shape (rows,), optional
        Times of the rows [s], where they are not equidistant.
    held : frozenset of str
        Names whose values hold, although the others follow lines.
    """

    names: tuple[str, ...]
    time0: float
    interval: float
    values: FloatArray
    linear: bool = False
    irregular: FloatArray | None = None
    held: frozenset[str] = frozenset()

    @classmethod
    def none(cls) -> Disturbances:
        """Return the boundary data of a test case that has none: no inputs, at any time."""
        return cls((), -math.inf, math.inf, np.empty((1, 0)), irregular=np.array([-math.inf]))

    @classmethod
    def read(cls, path: Path, *, linear: bool = False) -> Disturbances:
        """Read a CSV table as it is; see `of`.

        Raises
        ------
        ResourcesError
            When the file cannot be read, or is no such table.
        """
        return cls.of(read_input_table(path), linear=linear)

    @classmethod
    def of(cls, table: InputTable, *, linear: bool, held: Collection[str] = ()) -> Disturbances:
        """Return the data of a table of numbers.

        Parameters
        ----------
        table : InputTable
        linear : bool
            Whether values follow straight lines between the rows.
        held : collection of str
            Names whose values hold all the same.

        Raises
        ------
        ResourcesError
            When it has fewer than two different times or no input, or holds arrays.
        """
        times, arrays = table.times, [name for name, values in table.columns.items() if values.ndim > 1]
        if arrays:
            raise ResourcesError(f"{table.source}: {arrays[0]} holds several numbers in a cell")
        apart = np.flatnonzero(np.diff(times))
        if not table.columns or not apart.size:
            raise ResourcesError(f"{table.source} must have at least two rows with different times, and one input")
        last = int(apart[-1])
        time0, interval = float(times[0]), difference(float(times[last + 1]), float(times[last]))
        regular = np.array_equal(times, time0 + interval * np.arange(times.size))
        values = np.stack(list(table.columns.values()), axis=1)
        values.flags.writeable = False
        names = tuple(table.columns)
        kept = frozenset(held) & frozenset(names) if linear else frozenset[str]()
        return cls(names, time0, interval, values, linear, None if regular else times, kept)

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
        return times[1:] if same.all() else np.sort(np.concatenate((edges[1:], np.unique(rows[~same])))).tolist()

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

    def slopes(self, start: float) -> FloatArray:
        """Return how fast the values change from a time [s] until the next row, shape (n,) [the unit of each a second].

        Where they hold, and beyond the last row, this is 0.
        """
        row = int(self._rows(np.array([start]))[0])
        if not self.linear or row + 1 >= len(self.values):
            return np.zeros(len(self.names))
        rates = (self.values[row + 1] - self.values[row]) / (self.times[row + 1] - self.times[row])
        return np.where(self._follows, rates, 0.0)

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
        return np.where(self._follows, interpolated, before) if self.held else interpolated

    @cached_property
    def _follows(self) -> NDArray[np.bool_]:
        """Which columns follow lines, shape (n,)."""
        return np.array([name not in self.held for name in self.names], dtype=bool)

    def _rows(self, times: FloatArray) -> NDArray[np.intp]:
        """Return the row that each time is in."""
        return np.searchsorted(self.times, times + self._slack, side="right") - 1

    @cached_property
    def _times(self) -> memoryview:
        """The times for bisect, which is several times faster with plain floats."""
        return np.ascontiguousarray(self.times).data

    @cached_property
    def _slack(self) -> float:
        apart = np.diff(self.times) if self.names else np.empty(0)
        return _SAME * float(np.min(apart[apart > 0.0])) if self.names else 0.0
