"""Measure what docs/data-center.md promises: ``python -m workshop.data_center.validate``.

Runs the shipped FMU through a year of a member's boundary data, and through steady operating points; prints the error
of the energy balance, the best fan speeds, the effect of the set point, the time without cooling, the time of a step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from workshop.data_center.driver import OFF, STEP, Plant, inputs

__all__ = ["main"]

TESTCASE = Path(__file__).parents[2] / "trivium" / "plants" / "data_center" / "testcase"
KELVIN = 273.15
FULL = {"PItDem1": 2.5e6, "PItDem2": 2.5e6}


def policy(generator: np.random.Generator) -> Iterator[dict[str, float]]:
    """Yield commands that change at each step as those of a controller do: small moves, now and then a unit."""
    values = {"TChiWatSupSet": 284.15, "yFanTow": 0.6, "yPumChiWat": 0.8, "yPumConWat": 0.8, "yFanCra1": 0.8}
    on = 3
    while True:
        for name, value in values.items():
            width = 0.5 if name.startswith("T") else 0.03
            low, high = (280.15, 288.15) if name.startswith("T") else (0.5, 1.0)
            values[name] = min(max(value + generator.normal(0.0, width), low), high)
        if generator.random() < 0.02:
            on = int(generator.integers(1, 5))
        yield {**values, **{f"uChi{i}": float(i <= on) for i in (1, 2, 3, 4)}, "nPumChiWat": float(on)}


def year(fmu: Path, rows: int) -> tuple[float, np.ndarray]:
    """Return the error of the energy balance over the load's energy, and the time of each step [s]."""
    data = pd.read_csv(TESTCASE / "Disturbance.csv", nrows=rows)
    columns = [name for name in data.columns if name != "time"]
    instance, seconds, first = Plant(fmu), [], None
    for row, commands in zip(data[columns].to_numpy().tolist(), policy(np.random.default_rng(1)), strict=False):
        instance.put(inputs(**dict(zip(columns, row, strict=True)), **commands))
        instance.start()
        started = time.process_time()
        instance.advance(STEP)
        seconds.append(time.process_time() - started)
        first = first or instance.get()
    change = {name: value - first[name] for name, value in instance.get().items()}
    instance.close()
    error = change["EIt"] + change["EAux"] - change["ERej"] - change["ESto"]
    return abs(error) / change["EIt"], np.array(seconds)


def steady(fmu: Path, hours: float = 24.0, **changes: float) -> dict[str, float]:
    """Outputs after some hours under held inputs."""
    instance = Plant(fmu)
    outputs = instance.run(inputs(**changes), hours)
    instance.close()
    return outputs


def minutes_to_35(fmu: Path, hall: int) -> float:
    """Return after how long without cooling at full load the inlets of a hall pass 35 degC [min]."""
    instance, minutes = Plant(fmu), 0.0
    instance.run(inputs(**FULL), 8.0)
    while instance.step(inputs(**FULL, **OFF), 30.0)[f"TInl{hall}"] < KELVIN + 35.0:
        minutes += 0.5
    instance.close()
    return minutes


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fmu", type=Path, default=TESTCASE / "DataCenterCooling.fmu")
    parser.add_argument("--rows", type=int, default=105_120, help="steps of the year")
    options = parser.parse_args()
    error, seconds = year(options.fmu, options.rows)
    print(f"energy balance over {len(seconds)} steps: {error:.1e} of the load's energy")
    mean, median, most = 1e3 * seconds.mean(), 1e3 * np.median(seconds), 1e3 * np.percentile(seconds, 95)
    print(f"a step of 300 s: {mean:.3f} ms on average, median {median:.3f}, 95 % below {most:.3f} (processor time)")
    for wet in (10.0, 15.0, 20.0, 25.0):
        weather = {"TWetBul": KELVIN + wet, "TDryBul": KELVIN + wet + 5.0}
        speeds = np.linspace(0.2, 1.0, 9)
        powers = np.array([steady(options.fmu, 8.0, **weather, yFanTow=float(fan))["PCoo"] for fan in speeds])
        slowest, fastest = 100.0 * (powers[[0, -1]] / powers.min() - 1.0)
        best = speeds[powers.argmin()]
        print(
            f"wet bulb {wet:g} degC: least power at a fan speed of {best:.1f}; "
            f"0.2 costs {slowest:.0f} % more, full speed {fastest:.0f} %"
        )
    cold, warm = (steady(options.fmu, TChiWatSupSet=KELVIN + t) for t in (12.0, 13.0))
    print(f"13 instead of 12 degC of supply: {100 * (1 - warm['PCoo'] / cold['PCoo']):.2f} % less power of the cooling")
    for hall in (1, 2):
        print(f"without cooling hall {hall} passes 35 degC after {minutes_to_35(options.fmu, hall):.1f} minutes")


if __name__ == "__main__":
    main()
