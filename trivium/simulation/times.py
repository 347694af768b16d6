"""Times that do not drift: clocks count steps, grids divide them, and decimal numbers stay what they were written as.

A float stands here for the shortest decimal number that leads to it, which is the one that a client or a file wrote. So
ten steps of 0.1 s end at 1.0 and three at 0.3, not a hair beside it.

Control steps are divided at the grid of the results, so that rows and indicators do not depend on their length: a
simulation has a row at each whole multiple of an interval, counted from time 0, and at the end of each control step.
Steps of 30 s and of 2 h therefore share the times of the grid, and the model takes the same sub-steps in between.

All ways to run a model count their times by `Clock` and pass it the `difference` of two: the step that was chosen, not
one that is a rounding error longer or shorter, which a model that counts steps of its own takes for one less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.numbers import finite

#: Most parts of a control step where nobody chose an interval.
MOST = 100
#: Times closer than this part of the interval are the same.
_SAME = 1e-6
_ROUND = (1, 2, 5, 10)
_ZERO = Decimal(0)
#: Denominators of fractions that a time may have been rounded from, as 1/3 s and 1/60 s.
_DENOMINATOR = 1000
#: Up to so many places a decimal number is likelier than such a fraction: there are as many of both between 0 and 1.
_PLACES = 5


def difference(later: float, earlier: float) -> float:
    """Return the time between two times [s]: what was added to the earlier one, not what rounding made of it.

    Between decimal numbers it is exact. With many places the times were rounded, most likely: then it is a fraction
    with a small denominator where one is as near, as between multiples of 1/3 s.
    """
    if later.is_integer() and earlier.is_integer():
        return later - earlier
    length = decimal(later) - decimal(earlier)
    exponent = length.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_PLACES:
        near = Fraction(length).limit_denominator(_DENOMINATOR)
        if abs(near - Fraction(length)) <= math.ulp(later) + math.ulp(earlier):
            return float(near)
    return float(length)


def decimal(time: float) -> Decimal:
    """Return the decimal number that a time [s] was written as."""
    return Decimal(float.__repr__(time))


class Clock(NamedTuple):
    """Time in steps of one length, counted so that no error adds up.

    Attributes
    ----------
    anchor : float
        Where the counting began [s].
    step : float
        Length of a step [s].
    done : int
        Steps since then.
    """

    anchor: float
    step: float
    done: int = 0

    @property
    def time(self) -> float:
        """Where the clock stands [s]."""
        if self.anchor.is_integer() and self.step.is_integer():
            return self.anchor + self.step * self.done
        return self.times(0)[0]

    def times(self, count: int) -> list[float]:
        """Return where the clock stands now and after each of the next steps [s]."""
        counted = range(self.done, self.done + count + 1)
        if self.anchor.is_integer() and self.step.is_integer():
            return [self.anchor + self.step * k for k in counted]
        anchor, step = decimal(self.anchor), decimal(self.step)
        return [float(anchor + step * k) for k in counted]

    def after(self, count: int) -> Clock:
        """Return the clock after further steps."""
        return self._replace(done=self.done + count)

    def with_step(self, step: float) -> Clock:
        """Return a clock that goes on from here in other steps."""
        return Clock(self.time, step)


@dataclass(frozen=True)
class Grid:
    """Times inside control steps.

    Attributes
    ----------
    interval : float
        Between two of them [s], positive; infinite where there are none.
    coarsened : bool
        Whether nobody chose the interval: then a control step that is not longer stays whole, and the interval is
        2, 5, 10, 20, ... times as long where a step would have more than `MOST` parts. With an infinite interval
        control steps are what the model takes.
    unit : float or None
        What the length of every part must be a multiple of [s], as the interval is; None where any will do. Otherwise
        multiples of the interval are counted from the first time after 0 that is whole units away.
    """

    interval: float = math.inf
    coarsened: bool = False
    unit: float | None = None

    def with_step(self, step: float) -> Grid:
        """Return the grid of a simulation whose own step is another [s]: the same where the interval was chosen."""
        return replace(self, interval=step) if self.coarsened and math.isfinite(self.interval) else self

    def split(self, times: Sequence[float], ends: Sequence[float]) -> Sequence[float]:
        """Split a stretch of time at the grid.

        Parameters
        ----------
        times : sequence of float, length n_steps + 1
            Where control steps begin and end [s].
        ends : sequence of float, length k
            Where its parts end by now, growing to the last of the times.

        Returns
        -------
        sequence of float
            Where the parts end then.
        """
        first, last, length = times[0], times[-1], times[1] - times[0]
        if math.isinf(self.interval) or (self.coarsened and length <= self.interval * (1 + _SAME)):
            return ends
        multiple = self._multiple(length)
        interval, origin = self.interval * multiple, self._origin(first)
        low = math.floor((first - float(origin)) / interval + _SAME) + 1
        high = math.ceil((last - float(origin)) / interval - _SAME)
        if low >= high:
            return ends
        numbers = np.arange(low, high)
        marks, edges = float(origin) + interval * numbers, np.concatenate(((first,), ends))
        after = np.searchsorted(edges, marks)
        slack = _SAME * interval
        inside = (edges[after] - marks > slack) & (marks - edges[after - 1] > slack)
        if not inside.any():
            return ends
        apart = decimal(self.interval) * multiple
        exact: FloatArray = np.array([float(origin + apart * number) for number in numbers[inside].tolist()])
        divided: list[float] = np.sort(np.concatenate((ends, exact))).tolist()
        return divided

    def _origin(self, time: float) -> Decimal:
        """Return where multiples are counted from for parts that begin at a time [s]."""
        return _ZERO if self.unit is None else decimal(time) % decimal(self.unit)

    def _multiple(self, length: float) -> int:
        """Return how many intervals are one in a control step of a length [s]."""
        parts = length / self.interval
        if not self.coarsened or parts <= MOST * (1 + _SAME):
            return 1
        power: int = 10 ** math.floor(math.log10(parts / MOST))
        wide = [each * power for each in _ROUND if each * power * MOST * (1 + _SAME) >= parts]
        return wide[0]


def check_time(time: float, field: str, grid: float | None = None, *, negative: bool = False) -> float:
    """Return a time [s]: finite, not negative where that is not allowed, a multiple of the grid.

    Parameters
    ----------
    time : float
        [s]
    field : str
        Named in the error.
    grid : float, optional
        What times must be multiples of [s].
    negative : bool
        Whether it may be negative.

    Raises
    ------
    InvalidValueError
        Naming the field and the rule.
    """
    number = finite(time, field)
    if number < 0 and not negative:
        raise InvalidValueError(f"Invalid value {number} for parameter {field}. Value must not be negative.", field)
    if grid is not None and beside(number, grid):
        raise InvalidValueError(
            f"Invalid value {number} for parameter {field}. Value must be  0 or a multiple of {plain(grid)} . "
            f"For example, valid values include 0, {_examples(grid)}, etc.",
            field,
        )
    return number


def check_span(start: float, end: float | None, grid: float | None) -> None:
    """Refuse a start or an end [s] that is not a time of the grid; see `check_time`."""
    negative = grid is None  # which the simulation itself decides
    check_time(start, "start_time", grid, negative=negative)
    if end is not None:
        check_time(end, "end_time", grid, negative=negative)


def check_step(step: float, grid: float | None = None) -> float:
    """Return a control step [s]: finite, positive, a multiple of the grid; parameters as in `check_time`.

    Raises
    ------
    InvalidValueError
        Naming the rule.
    """
    number = finite(step, "step")
    if number < 0:
        raise InvalidValueError(f"Invalid value {number} for parameter step. Value must not be negative.", "step")
    if number == 0:
        raise InvalidValueError(f"Invalid value {number} for parameter step. Value must be greater than 0.", "step")
    if grid is not None and beside(number, grid):
        raise InvalidValueError(
            f"Invalid value {number} for parameter step. Value must be a multiple of {plain(grid)}. "
            f"For example, valid values include {_examples(grid)}, etc.",
            "step",
        )
    return number


def beside(number: float, grid: float) -> bool:
    """Return whether a number is no multiple of the grid."""
    if grid.is_integer():
        return number % grid != 0
    return Fraction(decimal(number)) % Fraction(decimal(grid)) != 0


def plain(seconds: float) -> float | int:
    """Return a time as an integer where it is one, as the reference shows it."""
    return int(seconds) if seconds.is_integer() and abs(seconds) < 2**53 else seconds


def _examples(grid: float) -> str:
    return ", ".join(str(plain(time)) for time in Clock(grid, grid).times(2))
