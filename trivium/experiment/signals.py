"""Inputs that follow a table: a frame of pandas, indexed by time or with a column ``time``."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.variable import parse_input
from trivium.simulation.input_table import TIME, read_input_table
from trivium.suggestions import did_you_mean

#: Names that a refusal lists.
_LISTED = 10


@dataclass(frozen=True)
class Signals:
    """Values of inputs over time.

    Real inputs follow straight lines; inputs that are discrete hold the value of the last row. Before the first row its
    values hold, after the last row those. Where a time appears twice, inputs jump: the first row ends the line before,
    the second begins the next.

    Attributes
    ----------
    variables : tuple of FmuVariable
        The inputs, length n.
    times : FloatArray, shape (k,)
        Growing [s].
    values : FloatArray, shape (k, n)
    """

    variables: tuple[FmuVariable, ...]
    times: FloatArray
    values: FloatArray

    def at(self, times: Iterable[float]) -> FloatArray:
        """Return the values of all inputs, shape (len(times), n); at a jump those behind it."""
        table, follows = self.times.tolist(), np.array([v.continuous for v in self.variables], dtype=bool)
        rows = [np.where(follows, self._on_line(table, time), self._held(table, time)) for time in times]
        return np.array(rows).reshape(len(rows), len(self.variables))

    def slopes(self, times: Sequence[float]) -> FloatArray:
        """Return how fast the inputs change between times, on the average.

        Parameters
        ----------
        times : sequence of float, length k + 1
            Growing [s].

        Returns
        -------
        FloatArray, shape (k, n)
            In the unit of each input a second; 0 for inputs that are discrete.
        """
        table, follows = self.times.tolist(), np.array([v.continuous for v in self.variables], dtype=bool)
        ends = np.array([self._on_line(table, time, before=True) for time in times[1:]])
        rates = (ends - self.at(times[:-1])) / np.diff(times)[:, np.newaxis]
        return np.where(follows, rates, 0.0)

    @property
    def changes(self) -> bool:
        """Whether a continuous input changes along a line."""
        follows = [v.continuous for v in self.variables]
        apart = np.diff(self.times) > 0.0
        return bool((np.diff(self.values, axis=0)[apart][:, follows] != 0.0).any())

    @property
    def bends(self) -> list[float]:
        """Return the times of all rows [s], where lines may bend and inputs jump."""
        return np.unique(self.times).tolist()  # type: ignore[no-any-return]

    @property
    def events(self) -> list[float]:
        """Return the times at which an input jumps or a discrete one changes [s]."""
        jumps = set(self.times[:-1][np.diff(self.times) == 0.0].tolist())
        for variable, column in zip(self.variables, self.values.T, strict=True):
            if not variable.continuous:
                jumps |= set(self.times[1:][np.diff(column) != 0.0].tolist())
        return sorted(jumps)

    def _held(self, table: Sequence[float], time: float) -> FloatArray:
        row = bisect_left(table, time)
        if row == 0:
            return self._row(0)
        row -= 1
        while row + 1 < len(table) and (table[row + 1] < time or math.isclose(time, table[row + 1])):
            row += 1
        return self._row(row)

    def _on_line(self, table: Sequence[float], time: float, *, before: bool = False) -> FloatArray:
        """Return values on the lines; at a jump those behind it, or before it."""
        row, last = bisect_left(table, time), len(table) - 1
        if row == 0 or row > last:
            return self._row(min(row, last))
        while before and math.isclose(time, table[row - 1]):
            row -= 1
            if row == 0:
                return self._row(0)
        if not before and math.isclose(time, table[row]) and row < last and math.isclose(table[row], table[row + 1]):
            while row < last and math.isclose(table[row], table[row + 1]):
                row += 1
            return self._row(row)
        share = (table[row] - time) / (table[row] - table[row - 1])
        line: FloatArray = share * self.values[row - 1] + (1.0 - share) * self.values[row]
        return line

    def _row(self, row: int) -> FloatArray:
        values: FloatArray = self.values[row]
        return values


def read_signals(inputs: Any, drivable: Mapping[str, FmuVariable], fmu: str) -> Signals:
    """Return the signals of a table, checked.

    Parameters
    ----------
    inputs : DataFrame or Mapping or path or None
        A table over time, also as a CSV file, whose further columns are ignored with a warning; or numbers by name,
        which are held.
    drivable : Mapping[str, FmuVariable]
        Inputs and tunable parameters of the FMU, by name.
    fmu : str
        Name of the FMU, for refusals.

    Raises
    ------
    InvalidValueError
        Naming the column that the FMU does not have or the value that it cannot take, or when there is no time.
    """
    if inputs is None:
        return Signals((), np.zeros(1), np.empty((1, 0)))
    if isinstance(inputs, str | Path):
        inputs = _from_file(Path(inputs), drivable, fmu)
    times, columns = _from_frame(inputs) if hasattr(inputs, "columns") else _from_mapping(inputs)
    _check_times(times)
    for name in columns:
        if name not in drivable:
            names = list(drivable)
            shown = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "") or "none"
            hint = did_you_mean(name, names)
            raise InvalidValueError(f"inputs: {fmu} has no input {name}.{hint} Its inputs: {shown}.", "inputs")
    variables = tuple(drivable[name] for name in columns)
    series = [_checked(column, variable, times) for column, variable in zip(columns.values(), variables, strict=True)]
    return Signals(variables, times, np.stack(series, axis=1) if series else np.empty((len(times), 0)))


def _from_file(path: Path, drivable: Mapping[str, FmuVariable], fmu: str) -> dict[str, FloatArray]:
    """Return what a CSV file has for the FMU; warn of what it has besides."""
    try:
        table, remark = read_input_table(path).matched(drivable, fmu)
    except ResourcesError as error:
        raise InvalidValueError(f"inputs: {error}", "inputs") from error
    if remark:
        warnings.warn(f"inputs: {remark}", stacklevel=4)
    return {TIME: table.times, **table.columns}


def _from_mapping(inputs: Any) -> tuple[FloatArray, dict[str, FloatArray]]:
    if not isinstance(inputs, Mapping):
        raise InvalidValueError(
            "inputs must be a pandas.DataFrame that is indexed by time or has a column time, or a dictionary of "
            f"numbers that are held; it is of the type {type(inputs).__name__}.",
            "inputs",
        )
    if "time" not in inputs:
        return np.zeros(1), {name: np.atleast_1d(_numbers(value, name)) for name, value in inputs.items()}
    columns = {name: np.atleast_1d(_numbers(value, name)) for name, value in inputs.items()}
    return columns.pop("time"), columns


def _from_frame(frame: Any) -> tuple[FloatArray, dict[str, FloatArray]]:
    columns = {str(name): frame[name] for name in frame.columns}
    if "time" in columns:
        times = columns.pop("time")
    else:
        times, unnamed = frame.index, type(frame.index).__name__ == "RangeIndex" and frame.index.name is None
        if unnamed or not np.issubdtype(times.dtype, np.number):
            raise InvalidValueError(
                'inputs have no time: add a column "time" [s], or make the time the index: '
                'frame.set_index("time"), or frame.rename_axis("time") where the index is it already.',
                "inputs",
            )
    return _numbers(times, "time"), {name: _numbers(column, name) for name, column in columns.items()}


def _numbers(values: Any, name: str) -> FloatArray:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"inputs: the values of {name} are no numbers: {error}", "inputs") from error
    if numbers.ndim > 1:
        raise InvalidValueError(
            f"inputs: {name} must be a number or a series, and has {numbers.ndim} dimensions.", name
        )
    return numbers


def _check_times(times: FloatArray) -> None:
    if not times.size:
        raise InvalidValueError("inputs have no rows.", "inputs")
    if not np.isfinite(times).all():
        row = int(np.argmin(np.isfinite(times)))
        raise InvalidValueError(f"inputs: the time in row {row} is {times[row]}, which is no finite number.", "inputs")
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        row = int(back[0])
        raise InvalidValueError(
            f"inputs: times must not fall, but {times[row + 1]:g} s follows {times[row]:g} s; sort the rows by time.",
            "inputs",
        )


def _checked(column: FloatArray, variable: FmuVariable, times: FloatArray) -> FloatArray:
    name = variable.variable.name
    if len(column) != len(times):
        raise InvalidValueError(f"inputs: {name} has {len(column)} values for {len(times)} times.", "inputs")
    if not np.isfinite(column).all():
        row = int(np.argmin(np.isfinite(column)))
        raise InvalidValueError(
            f"inputs: {name} is {column[row]} at {times[row]:g} s, which is no finite number; fill it or drop the row.",
            "inputs",
        )
    extremes = np.array([column.min(), column.max()]) if variable.continuous else np.unique(column)
    for value in extremes.tolist():
        parse_input(value, variable.variable)
    return column.astype(np.float32).astype(np.float64) if variable.type == "Float32" else column
