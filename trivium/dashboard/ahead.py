"""What is forecast of points of a chart: a thin curve from now on, and a fan of where the truth will be.

The curve is the forecast that controllers get. Where it errs, the fan is made of the law by which it errs
(`trivium.evaluation.forecast_error`): the truth is in the inner band in half of the cases, in the outer one in nine of
ten. It does not know the truth. Temperatures and radiation have such a law; prices, emissions and all else are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trivium.dashboard.readings import About, Readings
from trivium.dashboard.timeline import Band, Line
from trivium.evaluation.forecast_error import LEVELS, SOLAR_LEVELS, Level, solar_spread, temperature_spread
from trivium.model.contract import FloatArray

#: How many standard deviations are to each side in nine of ten cases, and in half of them; the ends as shares.
_SIDES = (1.6449, 0.6745)
_SHARES = (0.05, 0.25, 0.75, 0.95)
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
    scenario = readings.find(testid)["scenario"] or {}
    laws = {
        **dict.fromkeys(variables.uncertain, LEVELS.get(str(scenario.get("temperature_uncertainty")))),
        **dict.fromkeys(variables.solar, SOLAR_LEVELS.get(str(scenario.get("solar_uncertainty")))),
    }
    err = [name for name in points if laws.get(name) is not None]
    if not points or horizon <= 0 or (choice == DEFAULT and not err):
        return Fan()
    with readings.session(testid) as session:
        columns = session.forecast(points, horizon, max(variables.step, horizon / _MOST))
    times = np.asarray(columns["time"], dtype=float)
    if times.size < 2:
        return Fan()
    values = {name: np.asarray(columns[name], dtype=float) for name in points}
    lines = [_line(variables, name, names.index(name), times, values[name]) for name in points]
    bands: list[Band] = []
    for name in err:
        level = laws[name]
        assert level is not None  # noqa: S101, else it does not err
        spread = _radiation if name in variables.solar else _temperature
        bands += [Band(name, times, *ends) for ends in spread(level, clock, times, values[name])]
    return Fan(lines, bands, _sentence(points, err))


def _temperature(level: Level, clock: float, times: FloatArray, forecast: FloatArray) -> list[tuple[FloatArray, ...]]:
    """Return the ends of the bands of a temperature, the outer band first."""
    mean, deviation = temperature_spread(level, clock, times)
    middle = forecast + mean
    return [(middle - sides * deviation, middle + sides * deviation) for sides in _SIDES]


def _radiation(level: Level, clock: float, times: FloatArray, forecast: FloatArray) -> list[tuple[FloatArray, ...]]:
    """Return the ends of the bands of a radiation, the outer band first."""
    low, lower, upper, high = solar_spread(level, clock, times, forecast, _SHARES)
    return [(low, high), (lower, upper)]


def _sentence(points: Sequence[str], err: Sequence[str]) -> str:
    """Return what is drawn, in words."""
    if not err:
        return "Thin from now on: the forecast, which does not err in this scenario."
    certain = ", ".join(name for name in points if name not in err)
    words = "Thin from now on: the forecast; around it where the truth is in half and in nine of ten cases."
    return f"{words} Forecasts of {certain} never err." if certain else words


def _line(variables: About, name: str, place: int, x: np.ndarray, y: np.ndarray) -> Line:
    return Line(f"{name} (forecast)", variables.units[name], x, y, forecast=True, colour=place)
