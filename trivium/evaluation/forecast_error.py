"""Errors of a weather forecast, as BOPTEST has them: AR(1) processes over the hours ahead.

    e_0 ~ N(F0, K0),   e_{k+1} ~ N(F e_k + mu, K)   [K], an hour apart, and the forecast is the truth minus e

The error of the radiation has Laplace's distribution in place of the normal one. Where there is sun (over 50 W/m2), its
forecast stays between a fifth and twice the truth: an error that leaves this band is drawn again, up to 200 times. The
forecast is then smoothed over three hours and cut to the band.

The parameters of each level are BOPTEST's (forecast/forecast_uncertainty_params.json of ibpsa/project1-boptest, version
0.7). A forecast is made anew at every full hour. Unlike there the error is a function of seed and hour alone: who asks
twice, after a restore or in a fork, gets the same forecast, and a longer horizon begins like a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from trivium.model.contract import FloatArray

_HOUR = 3600.0


#: Radiation [W/m2] from which on a forecast must stay in the band, the band as shares of the truth, and how often an
#: error is drawn at most.
_SUN, _BAND, _DRAWS = 50.0, (0.2, 2.0), 200
#: Errors that are drawn to see how far the truth may be from a forecast of the radiation.
_SAMPLE = 500


class Level(NamedTuple):
    """Parameters of the process [K], but for the factor `carried` [1]."""

    mean_first: float
    deviation_first: float
    carried: float
    deviation: float
    drift: float


LEVELS = {
    "low": Level(0.0, 0.6, 0.92, 0.4, 0.0),
    "medium": Level(0.15, 1.2, 0.93, 0.6, 0.0),
    "high": Level(-0.58, 1.5, 0.95, 0.7, -0.015),
}


#: Parameters of the radiation [W/m2], but for the factor `carried` [1].
SOLAR_LEVELS = {
    "low": Level(4.44, 57.42, 0.62, 45.64, 1.86),
    "medium": Level(15.02, 122.6, 0.63, 91.97, 4.44),
    "high": Level(32.09, 119.94, 0.67, 87.44, 10.63),
}


def temperature_error(level: Level, seed: int, time: float, times: FloatArray) -> FloatArray:
    """Return what a forecast is too low by.

    Parameters
    ----------
    level : Level
    seed : int
        Not negative.
    time : float
        When the forecast is made [s].
    times : FloatArray, shape (k,)
        What for [s], not before now.

    Returns
    -------
    FloatArray, shape (k,)
        [K], linear between full hours.
    """
    if not len(times):
        return np.empty(0)
    hour, hours = _hours(time, times)
    noise = np.random.default_rng((seed, hour)).standard_normal(len(hours))
    return np.interp(times, hours, _process(level, noise))


def temperature_spread(level: Level, time: float, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of what a forecast is too low by, over all seeds.

    Parameters
    ----------
    level : Level
    time : float
        When the forecast is made [s].
    times : FloatArray, shape (k,)
        What for [s], not before now.

    Returns
    -------
    tuple of FloatArray, each of shape (k,)
        [K]; the error is normally distributed.
    """
    if not len(times):
        return np.empty(0), np.empty(0)
    _, hours = _hours(time, times)
    mean, variance = np.empty(len(hours)), np.empty(len(hours))
    mean[0], variance[0] = level.mean_first, level.deviation_first**2
    for k in range(1, len(hours)):
        mean[k] = level.carried * mean[k - 1] + level.drift
        variance[k] = level.carried**2 * variance[k - 1] + level.deviation**2
    before = np.minimum(((times - hours[0]) // _HOUR).astype(np.intp), len(hours) - 2)
    later = (times - hours[before]) / _HOUR  # between two full hours the error is linear, and these are correlated
    squares = (1 - later) ** 2 * variance[before] + later**2 * variance[before + 1]
    squares += 2 * later * (1 - later) * level.carried * variance[before]
    return np.interp(times, hours, mean), np.sqrt(squares)


def solar_forecast(
    level: Level, seed: int, time: float, times: FloatArray, truth: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Return a forecast of the radiation.

    Parameters
    ----------
    level : Level
    seed : int
        Not negative.
    time : float
        When the forecast is made [s].
    times : FloatArray, shape (k,)
        What for [s], not before now.
    truth : Callable
        Takes times [s], shape (k,), and returns the radiation then [W/m2].

    Returns
    -------
    FloatArray, shape (k,)
        [W/m2], linear between full hours.
    """
    if not len(times):
        return np.empty(0)
    hour, hours = _hours(time, times)
    real = truth(hours)
    low, high = (share * real for share in _BAND)
    sunny = real > _SUN
    random = np.random.default_rng((seed, hour, 1))
    forecast = real
    for _ in range(_DRAWS):
        forecast = real - _process(level, random.laplace(size=len(hours)))
        if (forecast[sunny] >= low[sunny]).all() and (forecast[sunny] <= high[sunny]).all():
            break
    smooth = forecast.copy()
    if len(hours) > 2:
        inner = (forecast[:-2] + forecast[1:-1] + forecast[2:]) / 3.0
        smooth[1:-1] = np.where(forecast[1:-1] == 0, 0.0, inner)
    return np.interp(times, hours, np.clip(smooth, low, high))


def solar_spread(
    level: Level, time: float, times: FloatArray, forecast: FloatArray, shares: Sequence[float]
) -> FloatArray:
    """Return below what the radiation is in shares of the cases, given its forecast.

    The shares are those of drawn errors, held within the band around the forecast. That a forecast outside of the band
    is drawn again makes errors smaller, so the radiation is between two shares rather more often than these say.

    Parameters
    ----------
    level : Level
    time : float
        When the forecast was made [s].
    times : FloatArray, shape (k,)
        What for [s], not before now.
    forecast : FloatArray, shape (k,)
        [W/m2]
    shares : sequence of float, length n
        Of the cases [1].

    Returns
    -------
    FloatArray, shape (n, k)
        [W/m2], linear between full hours.
    """
    if not len(times):
        return np.empty((len(shares), 0))
    _, hours = _hours(time, times)
    middle = np.interp(hours, times, forecast)
    noise = np.random.default_rng(0).laplace(size=(len(hours), _SAMPLE))
    error = _process(level, noise)
    if len(hours) > 2:
        error[1:-1] = (error[:-2] + error[1:-1] + error[2:]) / 3.0
    lowest, highest = (middle / share for share in reversed(_BAND))
    truth = np.clip(middle[:, np.newaxis] + error, lowest[:, np.newaxis], highest[:, np.newaxis])
    return np.array([np.interp(times, hours, each) for each in np.quantile(truth, shares, axis=1)])


def _hours(time: float, times: FloatArray) -> tuple[int, FloatArray]:
    """Return the number of the hour in which a forecast is made, and the full hours around all times [s]."""
    hour = int(time // _HOUR)
    return hour, _HOUR * np.arange(hour, int(times.max() // _HOUR) + 2, dtype=np.float64)


def _process(level: Level, noise: FloatArray) -> FloatArray:
    """Return AR(1) processes of noise with mean 0 and scale 1, both of shape (k,) or (k, n)."""
    error = np.empty_like(noise)
    error[0] = level.mean_first + level.deviation_first * noise[0]
    for k in range(1, len(noise)):
        error[k] = level.carried * error[k - 1] + level.drift + level.deviation * noise[k]
    return error
