"""Climates by ASHRAE climate zone, as figures that `trivium.plants.data_center.family.weather` draws a year from.

No record of the weather is shipped. The monthly means, daily ranges and day-to-day deviations are those of the typical
years that the field uses (TMY3: Wilcox and Marion, NREL/TP-581-43156, 2008; IWEC: ASHRAE 2001; TMYx 2007-2021), as
their published statistics list them; the design temperatures are those of the ASHRAE Handbook Fundamentals (2009, or
2021 where the typical year is a TMYx) for the same station. Zones: ANSI/ASHRAE Standard 169.
"""

from __future__ import annotations

from dataclasses import dataclass

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

Months = tuple[float, float, float, float, float, float, float, float, float, float, float, float]


@dataclass(frozen=True)
class Climate:
    """A climate.

    Attributes
    ----------
    zone : str
        Climate zone of ASHRAE 169, which is its name.
    station : str
        Place and WMO number of the weather station.
    elevation : float
        Above sea level [m].
    dry_bulb, dew_point : tuple of float, shape (12,)
        Monthly means [degC].
    daily_range : tuple of float, shape (12,)
        Monthly means of the warmest less the coldest hour of a day [K].
    deviation, dew_deviation : tuple of float, shape (2,)
        Standard deviation of the daily means around the monthly one, in January and in July [K].
    correlation : float
        Of the deviations of dry bulb and dew point [1].
    heating, cooling, evaporation : float
        ASHRAE's design temperatures, to test a drawn year with: dry bulb exceeded in 99.6 % of the hours, dry bulb and
        wet bulb exceeded in 0.4 % of them [degC].
    grid : str
        The electricity grid that its members have unless another is named.
    offset : float
        Of its standard time from UTC [h].
    """

    zone: str
    station: str
    elevation: float
    dry_bulb: Months
    dew_point: Months
    daily_range: Months
    deviation: tuple[float, float]
    dew_deviation: tuple[float, float]
    correlation: float
    heating: float
    cooling: float
    evaporation: float
    grid: str
    offset: float


_ALL = (
    Climate(
        "0B", "Abu Dhabi 412170 (IWEC)", 27,
        (18.0, 19.9, 22.2, 26.5, 30.8, 32.8, 34.4, 34.8, 32.6, 28.6, 24.4, 20.1),
        (11.9, 11.9, 15.5, 15.2, 17.5, 20.3, 22.3, 22.1, 23.0, 18.8, 18.1, 13.0),
        (10.0, 10.4, 11.3, 13.2, 14.5, 14.2, 12.3, 12.5, 12.7, 12.9, 11.5, 10.5),
        (2.0, 1.6), (3.5, 4.0), 0.1, 11.5, 44.9, 30.6, "solar", 4,
    ),
    Climate(
        "1A", "Miami 722020 (TMY3)", 11,
        (19.4, 20.9, 21.6, 24.1, 26.4, 27.7, 28.1, 28.0, 27.5, 26.3, 23.6, 20.3),
        (13.6, 13.9, 15.1, 17.4, 20.7, 22.7, 22.8, 23.0, 22.6, 21.1, 18.5, 15.7),
        (8.3, 8.0, 7.8, 7.7, 7.1, 6.7, 6.7, 6.8, 6.4, 6.4, 6.7, 7.5),
        (3.6, 0.9), (5.5, 1.1), 0.8, 8.7, 33.2, 26.8, "thermal", -5,
    ),
    Climate(
        "2B", "Phoenix 722780 (TMYx)", 337,
        (12.5, 14.0, 20.3, 23.7, 28.8, 34.7, 35.7, 34.6, 33.3, 25.6, 19.3, 12.8),
        (-2.5, 0.6, 0.2, -1.6, -0.9, 2.4, 13.5, 14.5, 11.2, 2.6, -0.1, 1.3),
        (13.5, 13.9, 14.5, 13.5, 13.2, 12.9, 10.8, 10.5, 11.8, 14.6, 16.2, 12.7),
        (2.9, 2.2), (5.2, 4.5), 0.1, 4.0, 43.6, 24.2, "solar", -7,
    ),
    Climate(
        "3A", "Atlanta 722190 (TMYx)", 308,
        (5.8, 8.5, 13.0, 17.4, 21.6, 25.9, 26.6, 26.1, 23.0, 18.1, 10.6, 9.3),
        (-1.4, 0.6, 6.5, 8.2, 14.1, 20.0, 21.0, 18.8, 16.5, 12.4, 2.5, 4.1),
        (10.4, 10.0, 10.4, 10.9, 11.0, 10.0, 9.2, 9.2, 9.7, 10.9, 12.7, 9.7),
        (4.2, 1.8), (6.0, 2.0), 0.8, -5.7, 34.3, 25.1, "thermal", -5,
    ),
    Climate(
        "3C", "San Jose 724945 (TMYx)", 16,
        (9.5, 11.5, 12.9, 13.9, 16.9, 19.2, 20.1, 19.7, 19.3, 17.4, 12.8, 9.5),
        (3.3, 3.6, 7.0, 7.2, 7.8, 11.2, 11.5, 12.3, 11.2, 9.4, 5.0, 4.3),
        (11.6, 11.4, 11.2, 11.8, 11.8, 11.7, 12.9, 10.5, 11.4, 12.2, 11.7, 9.4),
        (2.2, 2.0), (3.6, 1.4), 0.5, 2.2, 33.0, 20.5, "solar", -8,
    ),
    Climate(
        "4A", "New York J. F. Kennedy 744860 (TMY3)", 5,
        (1.2, -0.2, 5.6, 10.9, 16.1, 21.7, 25.0, 24.8, 19.9, 14.0, 7.3, 3.3),
        (-4.3, -7.4, 0.3, 4.7, 9.1, 15.8, 20.3, 17.1, 13.2, 7.9, 2.1, -2.8),
        (7.5, 7.4, 6.8, 7.7, 8.4, 7.5, 7.3, 8.6, 7.4, 8.8, 6.4, 6.2),
        (4.3, 2.3), (6.3, 3.4), 0.75, -10.7, 32.1, 25.0, "thermal", -5,
    ),
    Climate(
        "4C", "Seattle-Tacoma 727930 (TMYx)", 137,
        (6.0, 5.0, 8.4, 10.0, 14.2, 16.6, 19.5, 20.0, 15.9, 11.6, 8.4, 4.1),
        (3.1, 0.5, 3.6, 4.9, 8.3, 9.6, 11.7, 12.6, 10.2, 8.0, 5.2, 0.6),
        (4.9, 4.8, 7.1, 8.1, 9.3, 9.5, 11.3, 11.2, 8.4, 6.5, 5.0, 4.6),
        (3.2, 2.7), (4.4, 1.8), 0.8, -3.0, 30.0, 19.3, "hydro", -8,
    ),
    Climate(
        "5A", "Chicago O'Hare 725300 (TMY3)", 201,
        (-4.6, -2.5, 3.8, 10.0, 15.3, 21.1, 24.1, 21.8, 18.1, 11.0, 4.7, -3.7),
        (-9.4, -8.2, -1.5, 4.0, 7.2, 13.0, 18.7, 16.6, 12.9, 5.0, 0.4, -7.6),
        (9.4, 8.7, 9.2, 9.5, 13.2, 12.1, 10.5, 10.2, 11.3, 10.9, 7.3, 8.0),
        (6.2, 3.0), (6.9, 3.2), 0.9, -20.0, 33.3, 25.5, "wind", -6,
    ),
    Climate(
        "5B", "Aurora, Colorado 724695 (TMY3)", 1726,
        (0.8, -0.2, 4.8, 6.1, 13.7, 22.2, 22.7, 21.7, 18.5, 7.1, 3.0, -1.0),
        (-4.5, -6.1, -5.5, -2.0, 1.8, 5.1, 6.4, 6.2, 1.3, -2.7, -2.9, -9.5),
        (12.7, 11.2, 12.3, 11.6, 14.3, 16.4, 15.8, 15.5, 15.4, 12.6, 11.9, 12.6),
        (6.4, 2.8), (4.4, 4.8), 0.25, -17.9, 33.9, 17.9, "wind", -7,
    ),
    Climate(
        "6A", "Helsinki-Vantaa 029740 (IWEC)", 56,
        (-3.9, -5.7, -1.0, 3.7, 9.9, 14.0, 16.7, 15.8, 10.2, 5.9, -1.3, -3.0),
        (-5.4, -7.5, -3.3, -0.8, 2.1, 8.1, 10.2, 11.6, 7.1, 3.2, -3.0, -4.7),
        (6.4, 6.2, 4.6, 8.0, 10.2, 8.1, 10.1, 8.4, 7.5, 5.7, 3.8, 3.7),
        (5.0, 2.8), (5.4, 3.2), 0.85, -22.8, 26.7, 19.1, "hydro", 2,
    ),
    Climate(
        "7", "Duluth 727450 (TMY3)", 433,
        (-13.0, -8.2, -2.6, 4.0, 12.4, 16.2, 17.8, 17.5, 12.9, 6.0, -4.5, -11.1),
        (-16.5, -13.4, -8.1, -3.4, 4.7, 11.2, 12.9, 13.3, 8.8, 1.2, -8.4, -16.0),
        (9.0, 9.3, 8.6, 10.0, 11.1, 11.2, 10.9, 10.2, 9.7, 8.7, 7.1, 7.8),
        (6.6, 3.4), (7.2, 3.8), 0.9, -28.6, 29.2, 22.6, "wind", -6,
    ),
)  # fmt: skip

#: All climates by zone.
CLIMATES = {climate.zone: climate for climate in _ALL}


def climate(zone: str) -> Climate:
    """Return the climate of a zone.

    Raises
    ------
    InvalidValueError
        When there is none.
    """
    try:
        return CLIMATES[zone]
    except KeyError:
        raise InvalidValueError(f"there is no climate {zone!r}.{near_or_all(zone, CLIMATES)}", "climate") from None
