"""Outdoor wet bulb temperature of a typical meteorological year.

The year is TMY3 station 723170, Greensboro Piedmont Triad International, North Carolina (36.1 N, 79.95 W, 273 m), which
pvlib ships as an example. TMY3: S. Wilcox, W. Marion, Users Manual for TMY3 Data Sets, NREL/TP-581-43156, 2008; a work
of the United States government. Twelve real months of different years make up the year.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import psychrolib
import pvlib
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

STATION_FILE = "723170TYA.CSV"
STATION = "TMY3 723170 Greensboro Piedmont Triad International, NC, USA"
#: The first instant of the data, local standard time: early spring, so that the first week already sees every mode.
FIRST_DAY = "04-01"
ZERO_CELSIUS = 273.15
HOUR = 3600.0


def wet_bulb(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wet bulb temperature at times counted from the first day, the year repeating itself.

    Parameters
    ----------
    times : ndarray
        Seconds since 1 April 00:00, local standard time [s].

    Returns
    -------
    ndarray
        Wet bulb temperature [K], a monotone cubic (PCHIP, Fritsch & Carlson 1980) through the hourly values, so that it
        has a continuous slope and never overshoots what was measured.
    """
    hourly, first = _hourly_wet_bulb()
    # The record's first entry is at 01:00; one day more at both ends closes the circle of the year.
    around = np.concatenate((hourly[-24:], hourly, hourly[:24]))
    hours = np.arange(-24, hourly.size + 24) + 1.0
    year = hourly.size * HOUR
    kelvin: NDArray[np.float64] = PchipInterpolator(hours * HOUR, around)((times + first) % year) + ZERO_CELSIUS
    return kelvin


@cache
def _hourly_wet_bulb() -> tuple[NDArray[np.float64], float]:
    """Hourly wet bulb temperature [degC] and where the first day lies in it [s].

    From dry bulb, dew point and station pressure by the ASHRAE relations of psychrolib (ASHRAE Handbook Fundamentals
    2017, chapter 1). The dew point is rounded to 0.1 K in the record and may exceed the dry bulb by that much.
    """
    frame, _ = pvlib.iotools.read_tmy3(Path(pvlib.__file__).parent / "data" / STATION_FILE, map_variables=True)
    psychrolib.SetUnitSystem(psychrolib.SI)
    values = [
        psychrolib.GetTWetBulbFromTDewPoint(dry, min(dew, dry), millibar * 100.0)
        for dry, dew, millibar in zip(frame["temp_air"], frame["temp_dew"], frame["pressure"], strict=True)
    ]
    month, day = (int(part) for part in FIRST_DAY.split("-"))
    start = np.flatnonzero((frame.index.month == month) & (frame.index.day == day) & (frame.index.hour == 1))[0]
    return np.array(values), float(start) * HOUR
