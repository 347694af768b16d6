"""The times of a simulation: where steps begin and end, and where outputs are recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from trivium.errors import InvalidValueError
from trivium.simulation.times import Clock, decimal, difference


@dataclass(frozen=True)
class Grid:
    """Times of a simulation [s].

    Attributes
    ----------
    times : tuple of float
        Where steps begin and end.
    recorded : tuple of bool
        Whether outputs are recorded there.
    """

    times: tuple[float, ...]
    recorded: tuple[bool, ...]

    @property
    def lengths(self) -> list[float]:
        """Lengths of the steps [s]."""
        return [difference(end, start) for start, end in pairwise(self.times)]


def make_grid(
    start: float, stop: float, step: float, events: Sequence[float], *, divisible: bool, divisions: int = 1
) -> Grid:
    """Return the times of a simulation.

    Parameters
    ----------
    start, stop, step : float
        [s]
    events : sequence of float
        When inputs jump [s], growing.
    divisible : bool
        Whether steps may have different lengths: then they are divided at events, and the last one ends at the stop.
    divisions : int
        Equal parts that each step is divided into; outputs are recorded at its end only.

    Raises
    ------
    InvalidValueError
        When the last step would be shorter and may not be.
    """
    if not divisible and not math.isclose(round((stop - start) / step) * step, stop - start):
        raise InvalidValueError(
            f"step {step:g} s must divide the time from {start:g} s to {stop:g} s: this FMU takes steps of one length.",
            "step",
        )
    times, recorded, done = [start], [True], 0
    coming = [event for event in events if event > start and not math.isclose(event, start)] if divisible else []
    while times[-1] < stop and not math.isclose(times[-1], stop):
        point = end = _point(start, step, done + 1, divisions)
        while coming and (coming[0] <= times[-1] or math.isclose(coming[0], times[-1])):
            coming.pop(0)
        if coming and coming[0] < end and not math.isclose(coming[0], end):
            end = coming[0]
        on_grid = math.isclose(end, point)
        done += on_grid
        if end > stop or math.isclose(end, stop):
            end, on_grid = stop, True
        times.append(end)
        recorded.append(end == stop or (on_grid and done % divisions == 0))
    return Grid(tuple(times), tuple(recorded))


def _point(start: float, step: float, number: int, divisions: int) -> float:
    """Return when a part of a step ends: the same time for parts of one length, whatever steps they make up."""
    if number % divisions == 0:
        return Clock(start, step, number // divisions).time
    return float(Fraction(decimal(start)) + Fraction(decimal(step)) * Fraction(number, divisions))
