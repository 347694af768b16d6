"""Weather of one's own, from a file of EnergyPlus (EPW)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trivium.errors import ResourcesError
from trivium.extras import missing
from trivium.plants.data_center.family.weather import HOURS, Weather, from_dew_point


def read_epw(path: Path) -> tuple[Weather, float, float]:
    """Read the weather of a year, the elevation of the place [m] and the offset of its standard time from UTC [h].

    pvlib reads the file. The first hour of the file, which ends at 01:00, becomes the hour from 00:00 on; a leap day is
    left out.

    Raises
    ------
    MissingExtraError
        When pvlib is not installed.
    ResourcesError
        When the file cannot be read or holds no year of hours.
    """
    try:
        from pvlib.iotools import read_epw as read
    except ImportError as error:
        raise missing("pvlib", "weather") from error
    try:
        frame, header = read(str(path))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ResourcesError(f"{path} is no weather file (EPW): {error}") from error
    frame = frame[(frame["month"] != 2) | (frame["day"] != 29)]
    dry, dew = (frame[name].to_numpy(dtype=np.float64) for name in ("temp_air", "temp_dew"))
    if len(frame) != HOURS or not np.all(np.isfinite(dry) & np.isfinite(dew) & (np.abs(dry) < 70) & (np.abs(dew) < 70)):
        raise ResourcesError(f"{path} must hold dry bulb and dew point of {HOURS} hours, and holds {len(frame)} rows")
    elevation = float(header["altitude"])
    return from_dew_point(dry, dew, elevation), elevation, float(header["TZ"])
