"""Errors of a weather forecast, as BOPTEST has them: an AR(1) process over the hours ahead.

    e_0 ~ N(F0, K0),   e_{k+1} ~ N(F e_k + mu, K)   [K], an hour apart, and the forecast is the truth minus e

The parameters of each level are BOPTEST's (forecast/forecast_uncertainty_params.json of ibpsa/project1-boptest, version
0.7). A forecast is made anew at every full hour. Unlike there the error is a function of seed and hour alone: who asks
twice, after a restore or in a fork, gets the same forecast, and a longer horizon begins like a shorter one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trivium.model.contract import FloatArray

_HOUR = 3600.0


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
    hour = int(time // _HOUR)
    ahead = int(times.max() // _HOUR) - hour + 2
    noise = np.random.default_rng((seed, hour)).standard_normal(ahead)
    error = np.empty(ahead)
    error[0] = level.mean_first + level.deviation_first * noise[0]
    for k in range(1, ahead):
        error[k] = level.carried * error[k - 1] + level.drift + level.deviation * noise[k]
    return np.interp(times, _HOUR * (hour + np.arange(ahead)), error)
