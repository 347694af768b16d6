"""A test case over the linear FMU whose indicators are known: its state is a power, a temperature and a heat at once.

With u = 0 the state is ``x0 exp(-t / tau)``, whose integral is ``x0 tau (1 - exp(-t / tau))``.
"""

from __future__ import annotations

import math
from pathlib import Path

TAU = 3600.0
X0 = 5e4
#: What the state decays from and how fast.
START_VALUES = {"tau": TAU, "x": X0}
#: Set point of comfort, and the time at which the state is there [s].
SET_POINT = 1e4
REACHED = TAU * math.log(X0 / SET_POINT)
DECLARED = f"""
[kpi.power]
all = ["x"]
[kpi.comfort]
temperature = "x"
set_point = {SET_POINT}
[kpi.switches]
high = ["high"]
"""
INDICATORS = ("ener_tot", "cost_tot", "emis_tot", "pele_tot", "tdis_tot", "stops_high")


def write_metered(folder: Path, fmu: Path, toml: str = "") -> Path:
    """Write the folder; the price changes every hour, the emissions do not.

    Parameters
    ----------
    folder : Path
    fmu : Path
        The linear FMU.
    toml : str
        The head of ``testcase.toml``.
    """
    folder.mkdir(parents=True)
    (folder / "linear.fmu").symlink_to(fmu)
    (folder / "testcase.toml").write_text(f"{toml}\n{DECLARED}")
    columns = ("PriceElectricPowerConstant", "PriceElectricPowerDynamic", "PriceElectricPowerHighlyDynamic")
    rows = [f"{3600 * k},{price(k)},0.2,0.3,0.5" for k in range(24)]
    (folder / "Signals.csv").write_text("\n".join((f"time,{','.join(columns)},EmissionsElectricPower", *rows)) + "\n")
    return folder


def price(hour: int) -> float:
    """Return the price of an hour [currency/kWh]."""
    return 0.1 + 0.05 * (hour % 3)


def energy(begin: float, end: float) -> float:
    """Return the energy between two times [kWh]: the integral of the state."""
    return X0 * TAU * (math.exp(-begin / TAU) - math.exp(-end / TAU)) / 3.6e6


def indicators(end: float) -> dict[str, float]:
    """Return the indicators from 0 to a time [s] of at least a quarter of an hour, by the solution."""
    hours = [(3600.0 * k, min(3600.0 * (k + 1), end)) for k in range(math.ceil(end / 3600))]
    over = min(end, REACHED)
    return {
        "ener_tot": energy(0, end),
        "cost_tot": sum(price(k) * energy(*hour) for k, hour in enumerate(hours)),
        "emis_tot": 0.5 * energy(0, end),
        "pele_tot": 4 * energy(0, 900),
        "tdis_tot": 1e3 * energy(0, over) - SET_POINT * over / 3600,
        "stops_high": float(TAU * math.log(X0) < end),
    }
