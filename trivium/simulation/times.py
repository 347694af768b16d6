"""Times that do not drift: clocks count steps, and decimal numbers stay what they were written as.

A float stands here for the shortest decimal number that leads to it, which is the one that a client or a file wrote. So
ten steps of 0.1 s end at 1.0 and three at 0.3, not a hair beside it.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from trivium.errors import InvalidValueError
from trivium.numbers import finite


def difference(later: float, earlier: float) -> float:
    """Return the time between two times [s]."""
    if later.is_integer() and earlier.is_integer():
        return later - earlier
    return float(decimal(later) - decimal(earlier))


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
    return int(seconds) if seconds.is_integer() else seconds


def _examples(grid: float) -> str:
    return ", ".join(str(plain(time)) for time in Clock(grid, grid).times(2))
