"""Names and units of BOPTEST's data, for its route ``/forecast_points``, with descriptions of our own.

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
    "pAtm": Point("Pa", "Pressure of the outdoor air"),
    "nTot": Point("1", "Part of the sky that clouds cover"),
    "nOpa": Point("1", "Part of the sky that opaque clouds cover"),
    "HGloHor": Point("W/m2", "Global irradiance on level ground"),
    "HDifHor": Point("W/m2", "Diffuse irradiance on level ground"),
    "HDirNor": Point("W/m2", "Direct irradiance, facing the sun"),
    "ceiHei": Point("m", "Height of the lowest clouds"),
    "winSpe": Point("m/s", "Speed of the wind"),
    "HHorIR": Point("W/m2", "Infrared irradiance of the sky on level ground"),
    "winDir": Point("rad", "Where the wind comes from"),
    "cloTim": Point("s", "Clock time since the year began, one day ahead"),
    "solTim": Point("s", "Local solar time"),
    "TDewPoi": Point("K", "Dew point of the outdoor air"),
    "relHum": Point("1", "Relative humidity of the outdoor air"),
    "TDryBul": Point("K", "Temperature of the outdoor air"),
    "TWetBul": Point("K", "Wet-bulb temperature of the outdoor air"),
    "solAlt": Point("rad", "Height of the sun above the horizon"),
    "solZen": Point("rad", "Angle between sun and zenith"),
    "solDec": Point("rad", "Declination of the sun"),
    "solHouAng": Point("rad", "Hour angle of the sun"),
    "lon": Point("rad", "Longitude of the weather station"),
    "lat": Point("rad", "Latitude of the weather station"),
    "TBlaSky": Point("K", "Temperature of a black body that radiates as the sky does"),
}
#: All names; those of zones have the zone's name in brackets behind: ``LowerSetp[1]``.
POINTS: Mapping[str, Point] = {
    **WEATHER,
    "PriceElectricPowerConstant": Point(_MONEY, "Price of electricity, one for all hours"),
    "PriceElectricPowerDynamic": Point(_MONEY, "Price of electricity in a tariff with cheap and dear hours"),
    "PriceElectricPowerHighlyDynamic": Point(_MONEY, "Price of electricity that changes as on a spot market"),
    "PriceGasPower": Point(_MONEY, "Price of heat from gas"),
    "PriceDistrictHeatingPower": Point(_MONEY, "Price of heat from a district network"),
    "PriceBiomassPower": Point(_MONEY, "Price of heat from biomass"),
    "PriceSolarThermalPower": Point(_MONEY, "Price of heat from solar collectors"),
    "EmissionsElectricPower": Point(_CARBON, "CO2 that a unit of electricity causes"),
    "EmissionsGasPower": Point(_CARBON, "CO2 that a unit of heat from gas causes"),
    "EmissionsDistrictHeatingPower": Point(_CARBON, "CO2 that a unit of heat from a district network causes"),
    "EmissionsBiomassPower": Point(_CARBON, "CO2 that a unit of heat from biomass causes"),
    "EmissionsSolarThermalPower": Point(_CARBON, "CO2 that a unit of heat from solar collectors causes"),
    "Occupancy": Point("number of people", "People in the zone"),
    "InternalGainsRad": Point("W", "Heat radiated by people and devices in the zone"),
    "InternalGainsCon": Point("W", "Heat given to the air by people and devices in the zone"),
    "InternalGainsLat": Point("W", "Heat in the moisture from people and devices in the zone"),
    "LowerSetp": Point("K", "Lowest comfortable temperature of the zone"),
    "UpperSetp": Point("K", "Highest comfortable temperature of the zone"),
    "UpperCO2": Point("ppm", "Highest acceptable CO2 in the air of the zone"),
}


def known(name: str) -> Point | None:
    """Return what a column is, with or without the name of a zone; None for one of another name."""
    return POINTS.get(name.partition("[")[0])
