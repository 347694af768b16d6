"""Electricity prices and emissions of a year by the hour, with the swing of real grids.

A model, and no market's record. Demand follows the hour, the weekday and how far the wet bulb temperature is from mild;
sun and wind take their part first, and the price of a market is convex in what is left. Emissions are those of what is
left. Means: 0.0804 USD/kWh, the average price of electricity to industrial customers in the United States in 2023;
average emissions of generation in 2022, rounded: 0.39 kg/kWh in the United States (thermal), 0.22 in California
(solar), 0.33 where a third of the energy is wind, 0.08 where it is hydro power (all after the U.S. Energy Information
Administration's state profiles). In a solar grid emissions at noon are less than half of those in the evening, as the
system operator of California publishes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

FloatArray = NDArray[np.float64]
HOUR, DAY = 3600.0, 86400.0
#: Mean price [USD/kWh].
PRICE = 0.0804
#: Columns of the table, named as in BOPTEST.
NAMES = (
    "PriceElectricPowerConstant", "PriceElectricPowerDynamic", "PriceElectricPowerHighlyDynamic",
    "EmissionsElectricPower",
)  # fmt: skip
#: Prices of the tariff by time of use over its mean: off peak, between, on peak.
_TARIFF = (0.7, 1.0, 1.7)
#: Wet bulb temperature at which demand is lowest [K].
_MILD = 283.15


@dataclass(frozen=True)
class Grid:
    """An electricity grid.

    Attributes
    ----------
    name : str
    sun, wind : float
        Shares of the mean demand that sun and wind cover on average [1].
    emissions : float
        Mean [kg/kWh].
    floor : float
        Emissions that no hour is below, over the mean [1]: plants that always run.
    """

    name: str
    sun: float
    wind: float
    emissions: float
    floor: float


GRIDS = {
    grid.name: grid
    for grid in (
        Grid("thermal", 0.04, 0.05, 0.39, 0.3),
        Grid("solar", 0.24, 0.08, 0.22, 0.15),
        Grid("wind", 0.05, 0.33, 0.33, 0.15),
        Grid("hydro", 0.02, 0.15, 0.08, 0.4),
    )
}


def grid(name: str) -> Grid:
    """Return a grid by its name.

    Raises
    ------
    InvalidValueError
        When there is none.
    """
    try:
        return GRIDS[name]
    except KeyError:
        raise InvalidValueError(f"there is no grid {name!r}.{near_or_all(name, GRIDS)}", "grid") from None


def draw(kind: Grid, wet_bulb: FloatArray, seed: int) -> FloatArray:
    """Draw a year.

    Parameters
    ----------
    kind : Grid
    wet_bulb : FloatArray, shape (k,)
        By the hour, from Monday 1 January 00:00 on [K].
    seed : int
        Not negative.

    Returns
    -------
    FloatArray, shape (k, 4)
        Columns as in `NAMES` [USD/kWh, USD/kWh, USD/kWh, kg/kWh].
    """
    random = np.random.default_rng((seed, 3))
    hours = np.arange(wet_bulb.size, dtype=np.float64)
    hour, day = hours % 24, np.floor(hours / 24)
    weekend = day % 7 >= 5
    demand = 1.0 - 0.14 * np.cos(2 * np.pi * (hour - 4) / 24) - 0.07 * np.cos(4 * np.pi * (hour - 2) / 24)
    demand += 0.012 * np.abs(wet_bulb - _MILD) - 0.08 * weekend
    demand = demand / demand.mean() + 0.03 * _autoregression(random.standard_normal(hours.size), 8.0)
    left = demand - kind.sun * _sun(hour, day, random) - kind.wind * _wind(random.standard_normal(hours.size))
    left = np.maximum(left, 0.05)
    market = left**2.5 * np.exp(0.15 * random.standard_normal(hours.size))
    carbon = np.maximum(left, kind.floor)
    return np.column_stack(
        (
            np.full(hours.size, PRICE),
            _to_mean(_tariff(hour, weekend, day), PRICE),
            _to_mean(market, PRICE),
            _to_mean(carbon, kind.emissions),
        )
    )


def _to_mean(values: FloatArray, mean: float) -> FloatArray:
    scaled: FloatArray = values * (mean / values.mean())
    return scaled


def _sun(hour: FloatArray, day: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return the sun's power over its mean."""
    length = 12.0 + 2.5 * np.cos(2 * np.pi * (day - 172) / 365)
    height = np.cos(np.pi * np.clip((hour - 12.5) / length, -0.5, 0.5))
    clouds = np.repeat(random.uniform(0.55, 1.0, int(day[-1]) + 1), 24)[: hour.size]
    return _to_mean(height * clouds, 1.0)


def _wind(shocks: FloatArray) -> FloatArray:
    """Return the wind's power over its mean."""
    return _to_mean(np.exp(0.7 * _autoregression(shocks, 30.0)), 1.0)


def _autoregression(shocks: FloatArray, hours: float) -> FloatArray:
    keep = float(np.exp(-1.0 / hours))
    series: FloatArray = lfilter([np.sqrt(1.0 - keep**2)], [1.0, -keep], shocks)
    return series


def _tariff(hour: FloatArray, weekend: NDArray[np.bool_], day: FloatArray) -> FloatArray:
    summer = (day % 365 >= 120) & (day % 365 < 273)
    summer_peak = (hour >= 13) & (hour < 19)
    other_peak = ((hour >= 6) & (hour < 9)) | ((hour >= 17) & (hour < 20))
    off = (hour >= 22) | (hour < 6) | weekend
    peak = np.where(summer, summer_peak, other_peak)
    prices: FloatArray = np.select([off, peak], [_TARIFF[0], _TARIFF[2]], _TARIFF[1])
    return prices
