"""The data of a test case inside an FMU: tables of one year, which repeat.

Weather is linear between its rows, all else holds from its time on. Before the first row of a table and behind its last
their values hold. What lies beyond the year is that of the year again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from trivium.evaluation.vocabulary import WEATHER, known
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.simulation.embedded import EmbeddedCase, read_table

YEAR = 365 * 86400.0


class Yearly:
    """Data of a year.

    Parameters
    ----------
    tables : sequence of (names, numbers)
        Columns and their numbers, shape (rows, columns), the time [s] first.
    variables : Mapping[str, Variable]
        Columns with unit and description.
    """

    def __init__(self, tables: Sequence[tuple[Sequence[str], FloatArray]], variables: Mapping[str, Variable]) -> None:
        self.variables = variables
        #: All columns.
        self.names = tuple(name for names, _ in tables for name in names[1:])
        #: There is data for every time [s].
        self.last = math.inf
        self._columns = {
            name: (numbers[:, 0], np.ascontiguousarray(numbers[:, i]))
            for names, numbers in tables
            for i, name in enumerate(names)
            if i
        }

    @classmethod
    def read(cls, case: EmbeddedCase) -> Yearly:
        """Read the tables of a test case, once a process.

        Raises
        ------
        ResourcesError
            Naming the table that is wrong.
        """
        return _read(case)

    def values(self, name: str, times: FloatArray) -> FloatArray:
        """Return a column at times, growing [s], shape (k,)."""
        rows, values = self._columns[name]
        within = _within_year(times)
        if name.partition("[")[0] in WEATHER:
            return np.interp(within, rows, values)
        held: FloatArray = values[np.maximum(np.searchsorted(rows, within, side="right") - 1, 0)]
        return held

    def at(self, starts: Sequence[float], _end: float) -> FloatArray:
        """Return all columns at times, growing [s], shape (k, n), as `Disturbances.at`."""
        times = np.asarray(starts, dtype=np.float64)
        return np.column_stack([self.values(name, times) for name in self.names])


@lru_cache(maxsize=4)
def _read(case: EmbeddedCase) -> Yearly:
    variables = {}
    for name, column in case.columns.items():
        point = known(name)
        unit = column.unit if point is None else point.unit
        variables[name] = Variable(
            name, unit=unit or "1", description=column.description if point is None else point.description
        )
    return Yearly([read_table(case.fmu, table.member) for table in case.tables], variables)


def _within_year(times: FloatArray) -> FloatArray:
    """Return times of the year [s]: a series that begins before the turn of a year takes its last value there."""
    within = times - np.floor(times[0] / YEAR) * YEAR if len(times) else times
    beyond = within > YEAR
    return np.where(beyond, np.mod(within, YEAR), within) if beyond.any() else within
