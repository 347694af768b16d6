"""A test case as BOPTEST packs one, of our own: the FMU ``room`` with kpis.json, config.json, days.json and tables."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

YEAR, HOUR = 365 * 86400, 3600
CONFIG = {"name": "own_room", "area": 40.0, "start_time": 7200.0, "warmup_period": 3600.0, "step": 900.0}
DAYS = {"cold_day": 12, "warm_day": 200, "first_day": 3}
KPIS = {
    "AirZoneTemperature[north]": ["rea_T_y"],
    "CO2Concentration[north]": ["rea_CO2_y"],
    "ElectricPower": ["rea_P_y"],
    "GasPower": ["rea_gas_y"],
    "DistrictHeatingPower": ["rea_dih_y"],
    "ControlActuator[heater]": ["heat_u"],
}
#: Columns that hold from their time on, a value an hour of the day.
HELD = {
    "PriceElectricPowerConstant": lambda h: 0 * h + 0.25,
    "PriceElectricPowerDynamic": lambda h: np.where(h % 24 < 2, 0.125, 0.5),
    "PriceElectricPowerHighlyDynamic": lambda h: 0.1 + 0.01 * (h % 24),
    "PriceGasPower": lambda h: 0.0625 + 0.01 * (h % 2),
    "PriceDistrictHeatingPower": lambda h: 0 * h + 0.1,
    "EmissionsElectricPower": lambda h: 0.2 + 0.1 * (h % 3),
    "EmissionsGasPower": lambda h: 0 * h + 0.3,
    "EmissionsDistrictHeatingPower": lambda h: 0 * h + 0.05,
    "LowerSetp[north]": lambda h: np.where(h % 24 < 4, 289.75, 291.0),
    "UpperSetp[north]": lambda h: np.where(h % 24 < 4, 289.85, 293.0),
    "UpperCO2[north]": lambda h: 0 * h + 868.0,
    "Vacancy[north]": lambda h: h % 5,
}
#: Weather is linear between its rows.
WEATHER = {
    "TDryBul": lambda h: 280.0 + h % 7,
    "HGloHor": lambda h: np.maximum(0.0, 500 * np.sin(2 * np.pi * (h % 24 - 6) / 24)),
}


def hours() -> np.ndarray:
    return np.arange(365 * 24 + 1.0)


def table(columns: dict[str, Any], comments: str = "") -> str:
    rows = np.column_stack([hours() * HOUR, *(column(hours()) for column in columns.values())])
    lines = [",".join(["time", *columns]), *(",".join(map(repr, row)) for row in rows.tolist())]
    return comments + "\n".join(lines) + "\n"


def held(name: str, times: np.ndarray) -> np.ndarray:
    """Return a column at times of the first year, by a rule of its own."""
    return np.asarray(HELD[name](np.floor(times / HOUR)), dtype=float)


def write(room: Path, path: Path, **members: str | None) -> Path:
    """Write the case; further members by their names in resources/, None for one that is left out."""
    prices = {name: column for name, column in HELD.items() if name.startswith(("Price", "Emissions"))}
    zone = {name: column for name, column in HELD.items() if name not in prices}
    files: dict[str, str | None] = {
        "kpis.json": json.dumps(KPIS), "config.json": json.dumps(CONFIG), "days.json": json.dumps(DAYS),
        "prices.csv": table(prices), "weather.csv": table(WEATHER),
        "zone.csv": table(zone, "# time: time of the value [s],,\n# Vacancy: Free desks of the zone [desk],,\n"),
        "curve.csv": "flow,head\n0,a\n1,b\n",
    }  # fmt: skip
    files.update(members)
    with zipfile.ZipFile(room) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            target.writestr(info, source.read(info))
        for name, text in files.items():
            if text is not None:
                target.writestr(f"resources/{name}", text)
    return path
