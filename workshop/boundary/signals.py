"""Electricity prices and emissions of the boundary year, an hour a row: Resources/Signals.csv.

They give a controller something to follow, and are no market's record (docs/boundary-data.md). Means: the average price
of electricity to industrial customers in the United States in 2023, 0.0804 USD/kWh, and the average emissions of
generation there in 2022, 0.39 kg/kWh (both: U.S. Energy Information Administration). Shapes:

* Dynamic: time of use. On peak from 13 to 19 h on weekdays from May to September, from 6 to 9 h and 17 to 20 h in the
  other months; off peak from 22 to 6 h and at weekends.
* HighlyDynamic: a market. Cubic in a demand that follows the hour, the weekday and how far the wet bulb temperature is
  from mild, with a seeded first-order process on top; never below zero.
* Emissions: lower around noon (sun) and, a little, at night (less peaking plant).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAMES = (
    "PriceElectricPowerConstant", "PriceElectricPowerDynamic", "PriceElectricPowerHighlyDynamic",
    "EmissionsElectricPower",
)  # fmt: skip
PRICE, EMISSIONS = 0.0804, 0.39
HOUR, DAY = 3600.0, 86400.0
#: Prices of the tariff over its mean, before they are brought to the mean: off peak, between, on peak.
TARIFF = (0.7, 1.0, 1.7)
#: Wet bulb temperature at which demand is lowest [K].
MILD = 283.15


def signals(
    times: NDArray[np.float64], first_day: np.datetime64, wet_bulb: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Make the signals.

    Parameters
    ----------
    times : ndarray, shape (k,)
        Full hours [s].
    first_day : datetime64
        Date of time 0.
    wet_bulb : ndarray, shape (k,)
        [K]
    random : Generator

    Returns
    -------
    ndarray, shape (k, 4)
        Columns as in `NAMES` [USD/kWh, USD/kWh, USD/kWh, kg/kWh].
    """
    hour = (times % DAY) / HOUR
    dates = first_day + (times // DAY).astype("timedelta64[D]")
    weekend = ~np.asarray(np.is_busday(dates))
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    constant = np.full(times.size, PRICE)
    return np.column_stack(
        (
            constant,
            _to_mean(_tariff(hour, weekend, month), PRICE),
            _to_mean(_market(hour, weekend, wet_bulb, random), PRICE),
            _to_mean(_emissions(hour), EMISSIONS),
        )
    )


def _to_mean(values: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    return values * (mean / values.mean())


def _tariff(hour: NDArray[np.float64], weekend: NDArray[np.bool_], month: NDArray[np.int_]) -> NDArray[np.float64]:
    summer = (month >= 5) & (month <= 9)
    peak = np.where(summer, (hour >= 13) & (hour < 19), ((hour >= 6) & (hour < 9)) | ((hour >= 17) & (hour < 20)))
    off = (hour >= 22) | (hour < 6) | weekend
    return np.select([off, peak.astype(bool)], [TARIFF[0], TARIFF[2]], TARIFF[1])


def _market(
    hour: NDArray[np.float64],
    weekend: NDArray[np.bool_],
    wet_bulb: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    noise = np.zeros(hour.size)
    for k in range(1, hour.size):
        noise[k] = 0.9 * noise[k - 1] + 0.05 * random.standard_normal()
    demand = 0.75 - 0.18 * np.cos(2 * np.pi * (hour - 4) / 24) - 0.08 * np.cos(4 * np.pi * (hour - 2) / 24)
    demand = demand - 0.08 * weekend + 0.012 * np.abs(wet_bulb - MILD) + noise
    return np.maximum(demand, 0.1) ** 3


def _emissions(hour: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - 0.12 * np.exp(-(((hour - 13) / 3) ** 2)) - 0.04 * np.exp(-(((hour - 3) / 3) ** 2))
