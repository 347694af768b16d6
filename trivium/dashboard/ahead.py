"""What is forecast of points of a chart: a thin curve from now on, and a fan of where the truth will be.

The curve is the forecast that controllers get. Where it errs, the fan is made of the law by which it errs
(`trivium.evaluation.forecast_error`): the truth is in the inner band in half of the cases, in the outer one in nine of
ten. It does not know the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trivium.dashboard.readings import About, Readings
from trivium.dashboard.timeline import Band, Line
from trivium.evaluation.forecast_error import LEVELS, temperature_spread

#: How many standard deviations are to each side in nine of ten cases, and in half of them.
_SIDES = (1.6449, 0.6745)
#: Most values of a forecast.
_MOST = 500


class Fan(NamedTuple):
    """Forecasts of points, and their bands; a sentence about them."""

    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    sentence: str = ""


#: How far ahead of now forecasts may be shown [s], and by default, where they err.
CHOICES = {"err": "6 hours, where it errs", "0": "nothing", "21600": "6 hours", "86400": "1 day", "604800": "7 days"}
DEFAULT, _DEFAULT = "err", 21600.0


def fan_of(readings: Readings, testid: str, names: Sequence[str], clock: float, choice: str) -> Fan:
    """Return what is forecast of the points of a chart; nothing of those without a forecast.

    Parameters
    ----------
    readings : Readings
    testid : str
    names : sequence of str
    clock : float
        Where the session stands [s].
    choice : str
        How far ahead, of `CHOICES`.

    Raises
    ------
    TriviumError
        When the session cannot be asked.
    """
    variables = readings.about(testid)
    points = [name for name in names if name in variables.ahead]
    horizon = _DEFAULT if choice == DEFAULT else float(choice)
    level = str((readings.find(testid)["scenario"] or {}).get("temperature_uncertainty"))
    errs = level in LEVELS and not {*points}.isdisjoint(variables.uncertain)
    if not points or horizon <= 0 or (choice == DEFAULT and not errs):
        return Fan()
    with readings.session(testid) as session:
        columns = session.forecast(points, horizon, max(variables.step, horizon / _MOST))
    times = np.asarray(columns["time"], dtype=float)
    if times.size < 2:
        return Fan()
    lines = [
        _line(variables, name, names.index(name), times, np.asarray(columns[name], dtype=float)) for name in points
    ]
    if not errs:
        return Fan(lines, (), "Thin from now on: the forecast, which does not err in this scenario.")
    mean, deviation = temperature_spread(LEVELS[level], clock, times)
    bands = [
        Band(name, times, middle - sides * deviation, middle + sides * deviation)
        for sides in _SIDES
        for name in points
        if name in variables.uncertain
        for middle in (np.asarray(columns[name], dtype=float) + mean,)
    ]
    words = f"Thin from now on: the forecast; around it where the truth is in half and in nine of ten cases ({level})."
    return Fan(lines, bands, words)


def _line(variables: About, name: str, place: int, x: np.ndarray, y: np.ndarray) -> Line:
    return Line(f"{name} (forecast)", variables.units[name], x, y, forecast=True, colour=place)
