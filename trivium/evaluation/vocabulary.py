"""Names of BOPTEST's data with unit and description, as its route ``/forecast_points`` words them.

A test case may have columns of other names too; those of this list mean the same in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Point(NamedTuple):
    """What a column of data is."""

    unit: str
    description: str


_MONEY, _CARBON = "($/Euro)/kWh", "kgCO2/kWh"
#: Weather, which is linear between two rows; all else holds from its time on.
WEATHER: Mapping[str, Point] = {
    "pAtm": Point("Pa", "Atmospheric pressure"),
    "nTot": Point("1", "Total sky Cover [0, 1]"),
    "nOpa": Point("1", "Opaque sky cover [0, 1]"),
    "HGloHor": Point("W/m2", "Horizontal global radiation"),
    "HDifHor": Point("W/m2", "Horizontal diffuse solar radiation"),
    "HDirNor": Point("W/m2", "Direct normal radiation"),
    "ceiHei": Point("m", "Ceiling height"),
    "winSpe": Point("m/s", "Wind speed"),
    "HHorIR": Point("W/m2", "Horizontal infrared irradiation"),
    "winDir": Point("rad", "Wind direction"),
    "cloTim": Point("s", "One-based day number in seconds"),
    "solTim": Point("s", "Solar time"),
    "TDewPoi": Point("K", "Dew point temperature"),
    "relHum": Point("1", "Relative Humidity"),
    "TDryBul": Point("K", "Dry bulb temperature at ground level"),
    "TWetBul": Point("K", "Wet bulb temperature"),
    "solAlt": Point("rad", "Altitude angel"),
    "solZen": Point("rad", "Zenith angle"),
    "solDec": Point("rad", "Declination angle"),
    "solHouAng": Point("rad", "Solar hour angle."),
    "lon": Point("rad", "Longitude of the location"),
    "lat": Point("rad", "Latitude of the location"),
    "TBlaSky": Point("K", "Black Sky temperature"),
}
#: All names; those of zones have the zone's name in brackets behind: ``LowerSetp[1]``.
POINTS: Mapping[str, Point] = {
    **WEATHER,
    "PriceElectricPowerConstant": Point(_MONEY, "Completely constant electricity price"),
    "PriceElectricPowerDynamic": Point(_MONEY, "Electricity price for a day/night tariff"),
    "PriceElectricPowerHighlyDynamic": Point(_MONEY, "Spot electricity price"),
    "PriceGasPower": Point(_MONEY, "Price to produce 1 kWh thermal from gas"),
    "PriceDistrictHeatingPower": Point(_MONEY, "Price of 1 kWh thermal from district heating"),
    "PriceBiomassPower": Point(_MONEY, "Price to produce 1 kWh thermal from biomass"),
    "PriceSolarThermalPower": Point(_MONEY, "Price to produce 1 kWh thermal from solar irradiation"),
    "EmissionsElectricPower": Point(_CARBON, "Kilograms of carbon dioxide to produce 1 kWh of electricity"),
    "EmissionsGasPower": Point(_CARBON, "Kilograms of carbon dioxide to produce 1 kWh thermal from gas"),
    "EmissionsDistrictHeatingPower": Point(
        _CARBON, "Kilograms of carbon dioxide to produce 1 kWh thermal district heating"
    ),
    "EmissionsBiomassPower": Point(_CARBON, "Kilograms of carbon dioxide to produce 1 kWh thermal from biomass"),
    "EmissionsSolarThermalPower": Point(
        _CARBON, "Kilograms of carbon dioxide to produce 1 kWh thermal from solar irradiation"
    ),
    "Occupancy": Point("number of people", "Number of occupants of zone"),
    "InternalGainsRad": Point("W", "Radiative internal gains of zone"),
    "InternalGainsCon": Point("W", "Convective internal gains of zone"),
    "InternalGainsLat": Point("W", "Latent internal gains of zone"),
    "LowerSetp": Point("K", "Lower temperature set point for thermal comfort of zone"),
    "UpperSetp": Point("K", "Upper temperature set point for thermal comfort of zone"),
    "UpperCO2": Point("ppm", "Upper CO2 set point for indoor air quality of zone"),
}


def known(name: str) -> Point | None:
    """Return what a column is, with or without the name of a zone; None for one of another name."""
    return POINTS.get(name.partition("[")[0])
