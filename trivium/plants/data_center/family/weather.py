"""A year of outdoor weather, drawn from the figures of a climate.

Dry bulb: the monthly means, a straight line between the middles of the months; on them a first-order autoregression of
three days for the weather systems that pass, and the daily course that ASHRAE prescribes for design days (Handbook
Fundamentals, chapter 14, fractions of the daily range by hour). Dew point: the same without a daily course, its
deviation correlated with that of the dry bulb, skewed towards dry air, and never above the dry bulb. Wet bulb: from
both at the standard pressure of the place, by ASHRAE's relations (chapter 1), for all hours at once; psychrolib takes
them singly, and a test compares both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.signal import lfilter

from trivium.plants.data_center.family.climates import Climate

FloatArray = NDArray[np.float64]
HOURS = 8760
HOUR = 3600.0
ZERO_CELSIUS = 273.15
#: Share of the daily range by which each hour, from 1 to 24, lies below the day's warmest.
_FRACTION = np.array(
    [0.88, 0.92, 0.95, 0.98, 1.0, 0.98, 0.91, 0.74, 0.55, 0.38, 0.23, 0.13,
     0.05, 0.0, 0.0, 0.06, 0.14, 0.24, 0.39, 0.50, 0.59, 0.68, 0.75, 0.82]
)  # fmt: skip
#: Day of the year in the middle of each month.
_MIDDLES = np.array([15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5])
#: How much further dew points fall below their mean than they rise above it [1].
_SKEW = 0.15
#: Molar mass of water over that of air [1].
_MASSES = 0.621945
#: Halvings of the interval that holds the wet bulb: 60 K become 0.1 mK.
_HALVINGS = 20
#: Time constant of the weather systems [h], and by how much the daily range varies from day to day [1].
_SYSTEMS, _RANGE_DEVIATION = 72.0, 0.25


class Weather(NamedTuple):
    """Weather by hours of a year, from 1 January 00:00 local standard time, each of shape (8760,).

    Attributes
    ----------
    dry_bulb, wet_bulb : FloatArray
        [K]
    """

    dry_bulb: FloatArray
    wet_bulb: FloatArray

    def at(self, times: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return dry bulb and wet bulb [K] at times [s], the year repeating itself.

        A monotone cubic (PCHIP, Fritsch and Carlson 1980) runs through the hours.
        """
        hours = np.arange(-24, HOURS + 25) * HOUR
        within = np.mod(times, HOURS * HOUR)
        columns = [np.concatenate((column[-24:], column, column[:25])) for column in self]
        dry, wet = (np.asarray(PchipInterpolator(hours, column)(within), dtype=np.float64) for column in columns)
        return dry, wet


def draw(climate: Climate, seed: int) -> Weather:
    """Draw a year.

    Parameters
    ----------
    climate : Climate
    seed : int
        Not negative; the same seed gives the same year.
    """
    random = np.random.default_rng((seed, 1))
    day = np.arange(HOURS) / 24.0
    shared, apart = (_autoregression(random.standard_normal(HOURS)) for _ in range(2))
    daily = 1.0 + _RANGE_DEVIATION * random.standard_normal(HOURS // 24)
    summer = 0.5 - 0.5 * np.cos(2.0 * np.pi * (day - 15.5) / 365.0)
    swing = _monthly(climate.daily_range, day) * np.repeat(np.clip(daily, 0.3, 1.7), 24)
    course = swing * (_FRACTION.mean() - np.tile(np.roll(_FRACTION, 1), HOURS // 24))
    dry = _monthly(climate.dry_bulb, day) + _between(climate.deviation, summer) * shared + course
    mixed = climate.correlation * shared + np.sqrt(1.0 - climate.correlation**2) * apart
    mixed -= _SKEW * (mixed**2 - 1.0)
    dew = _monthly(climate.dew_point, day) + _between(climate.dew_deviation, summer) * mixed
    return from_dew_point(dry, np.minimum(dew, dry - 0.1), climate.elevation)


def from_dew_point(dry_bulb: FloatArray, dew_point: FloatArray, elevation: float) -> Weather:
    """Return the weather of dry bulb and dew point [degC], both of shape (8760,), at an elevation [m]."""
    dew_point = np.minimum(dew_point, dry_bulb)
    pressure = standard_pressure(elevation)
    vapour = _saturation_pressure(dew_point)
    ratio = _MASSES * vapour / (pressure - vapour)
    low, high = dew_point, dry_bulb
    for _ in range(_HALVINGS):  # the wet bulb lies between dew point and dry bulb
        middle = 0.5 * (low + high)
        moist = _humidity_ratio(dry_bulb, middle, pressure) > ratio
        low, high = np.where(moist, low, middle), np.where(moist, middle, high)
    return Weather(dry_bulb + ZERO_CELSIUS, 0.5 * (low + high) + ZERO_CELSIUS)


def standard_pressure(elevation: float) -> float:
    """Return the pressure of the standard atmosphere [Pa] at an elevation [m] (ASHRAE Fundamentals, chapter 1)."""
    return 101_325.0 * float((1.0 - 2.25577e-5 * elevation) ** 5.2559)


def _saturation_pressure(celsius: FloatArray) -> FloatArray:
    """Return the pressure of saturated vapour [Pa] over water, and over ice below 0 degC (Hyland and Wexler 1983)."""
    kelvin = celsius + ZERO_CELSIUS
    logarithm = np.log(kelvin)
    ice = (
        -5.6745359e3 / kelvin + 6.3925247 - 9.677843e-3 * kelvin + 6.2215701e-7 * kelvin**2
        + 2.0747825e-9 * kelvin**3 - 9.484024e-13 * kelvin**4 + 4.1635019 * logarithm
    )  # fmt: skip
    water = (
        -5.8002206e3 / kelvin + 1.3914993 - 4.8640239e-2 * kelvin + 4.1764768e-5 * kelvin**2
        - 1.4452093e-8 * kelvin**3 + 6.5459673 * logarithm
    )  # fmt: skip
    pressure: FloatArray = np.exp(np.where(celsius < 0.0, ice, water))
    return pressure


def _humidity_ratio(dry_bulb: FloatArray, wet_bulb: FloatArray, pressure: float) -> FloatArray:
    """Return the humidity ratio [kg/kg] of dry bulb and wet bulb [degC] (Handbook, chapter 1, on the wet bulb)."""
    vapour = _saturation_pressure(wet_bulb)
    saturated, depression = _MASSES * vapour / (pressure - vapour), dry_bulb - wet_bulb
    water = ((2501.0 - 2.326 * wet_bulb) * saturated - 1.006 * depression) / (
        2501.0 + 1.86 * dry_bulb - 4.186 * wet_bulb
    )
    ice = ((2830.0 - 0.24 * wet_bulb) * saturated - 1.006 * depression) / (2830.0 + 1.86 * dry_bulb - 2.1 * wet_bulb)
    return np.where(wet_bulb < 0.0, ice, water)


def _monthly(means: tuple[float, ...], day: FloatArray) -> FloatArray:
    return np.interp(day, _MIDDLES, means, period=365.0)


def _between(ends: tuple[float, float], summer: FloatArray) -> FloatArray:
    return ends[0] + (ends[1] - ends[0]) * summer


def _autoregression(shocks: FloatArray) -> FloatArray:
    """Return a stationary first-order autoregression of standard deviation 1, of shape (8760,)."""
    keep = float(np.exp(-1.0 / _SYSTEMS))
    innovations = shocks * np.sqrt(1.0 - keep**2)
    innovations[0] = shocks[0]
    series: FloatArray = lfilter([1.0], [1.0, -keep], innovations)
    return series
