"""Boundary data ahead, with BOPTEST's contract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from trivium.arguments import listed
from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray
from trivium.numbers import finite, shown
from trivium.simulation.boundary import Disturbances
from trivium.simulation.times import Clock

#: Most values of each point in a forecast.
MOST_POINTS = 200_000


class Table(Protocol):
    """Data over time."""

    @property
    def names(self) -> Sequence[str]:
        """Columns."""

    @property
    def last(self) -> float:
        """Time of the last data [s]."""

    def at(self, starts: Sequence[float], end: float, /) -> FloatArray:
        """Return what holds from some growing times on [s], up to an end [s], shape (k, n)."""


class Repeated:
    """Data that begins anew after a period.

    Parameters
    ----------
    table : Disturbances
    period : float
        [s]

    Raises
    ------
    ResourcesError
        When the data does not cover a period.
    """

    def __init__(self, table: Disturbances, period: float) -> None:
        covered = table.end - table.time0
        if covered < period:
            raise ResourcesError(
                f"testcase.toml: boundary.period is {period:g} s, and data of {', '.join(table.names[:3])} covers "
                f"{covered:g} s only"
            )
        self._table, self._period = table, period
        self.names = table.names
        #: There is data for every time [s].
        self.last = math.inf

    def at(self, starts: Sequence[float], end: float, /) -> FloatArray:
        """Return what holds at times, growing [s], shape (k, n); before the data as `Disturbances.at`."""
        times, time0 = np.asarray(starts, dtype=np.float64), self._table.time0
        if not times.size or end <= time0 + self._period:
            return self._table.at(starts, end)
        within = np.where(times >= time0 + self._period, time0 + np.mod(times - time0, self._period), times)
        order = np.argsort(within, kind="stable")
        values = np.empty((times.size, len(self.names)))
        values[order] = self._table.at(within[order].tolist(), float(within.max()))
        return values


def forecast(
    tables: Sequence[Table], now: float, point_names: Any, horizon: Any, interval: Any
) -> dict[str, FloatArray]:
    """Return the boundary data ahead.

    A value holds from its time on until the next of the data; what lies beyond the data is left out.

    Parameters
    ----------
    tables : sequence of Table
        The first that has a point gives it.
    now : float
        Clock [s].
    point_names : sequence of str
    horizon : float, int or str
        How far ahead [s], not negative; both ends are in the answer.
    interval : float, int or str
        Between two values [s], positive.

    Returns
    -------
    dict[str, FloatArray]
        ``time`` and each point once.

    Raises
    ------
    InvalidValueError
        Naming the parameter and the rule.
    """
    ahead, apart = finite(horizon, "horizon"), finite(interval, "interval")
    if ahead < 0:
        raise InvalidValueError(f"Invalid value {ahead} for parameter horizon. Value must not be negative.", "horizon")
    if apart <= 0:
        raise InvalidValueError(f"Invalid value {apart} for parameter interval. Value must be positive.", "interval")
    if isinstance(point_names, str) or not isinstance(point_names, Sequence):
        listed(point_names, "point_names")
    table_of = {name: table for table in reversed(tables) for name in table.names}
    wrong = [shown(name) for name in point_names if not isinstance(name, str) or name not in table_of]
    if wrong:
        raise InvalidValueError(
            f"Invalid point name(s) {wrong} in parameter point_names.  Check list of available forecast points.",
            "point_names",
        )
    asked = [table for table in tables if any(table_of[name] is table for name in point_names)]
    # a horizon is cut where the data ends, before anything is made of it
    last = min([now + ahead, *(table.last for table in asked or tables[:1])])
    if last - now > apart * MOST_POINTS:
        raise InvalidValueError(
            f"Invalid value {apart} for parameter interval. The answer would have more than {MOST_POINTS} values of "
            f"each point.",
            "interval",
        )
    count = int((last - now) / apart + 1e-9) + 1 if last >= now else 0
    time = Clock(now, apart).times(count - 1) if count else []
    columns: dict[str, FloatArray] = {"time": np.array(time)}
    for table in asked:
        values = table.at(time, last) if count else np.empty((0, len(table.names)))
        columns |= {name: values[:, i] for i, name in enumerate(table.names) if table_of[name] is table}
    return {name: columns[name] for name in ("time", *point_names)}
