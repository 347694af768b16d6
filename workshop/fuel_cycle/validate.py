"""Compare the built FMU with SciPy, close its balance and time a run: the figures of docs/fuel-cycle.md.

``python -m workshop.fuel_cycle.validate [--hours 240] [--fmu examples/fuel_cycle/FuelCycle.fmu]``
"""

from __future__ import annotations

import argparse
import ctypes
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import fmpy
import numpy as np
from fmpy.fmi2 import FMU2Slave
from numpy.typing import NDArray

from workshop.fuel_cycle.reference import ACCOUNTS, NAMES, SPECIES, Reference

__all__ = ["CASES", "STATES", "main"]

STATES = tuple(f"{name}.I_{s}" for s in SPECIES for name in NAMES) + tuple(f"account.{name}" for name in ACCOUNTS)
"""States of the FMU in the order of `Reference`."""

CASES: Mapping[str, Mapping[str, float]] = {
    "defaults": {},
    "hungry": {
        "pulse.power": 3000.0, "pulse.width": 0.6, "pulse.period": 0.33, "plasma.Burn_Fraction": 0.02,
        "plasma.Fueling_Efficiency": 0.1, "tep.DIR": 0.0,
    },
    "recycling": {"pulse.power": 100.0, "pulse.width": 0.99, "pulse.period": 3.0, "tep.DIR": 1.0, "bz.TBR": 1.05},
    "slow and lossy": {
        "pulse.width": 0.5, "pulse.period": 2.5, "fw.tau": 3.0, "bz.loss": 0.01, "cps.hold_up": 0.5, "hx.to_cps": 0.3,
        "fcu.tail": 0.05, "iss.tail": 0.02, "eds.efficiency": 0.5, "wds.efficiency": 0.7, "tritium.half_life": 30.0,
        "sds.tau": 2.0,
    },
}  # fmt: skip
"""Parameters that differ from their defaults, by case."""

STEPS = (0.1, 0.05, 0.02)
WHOLE = 24000  # hours of a run of the study


class _Fmu:
    """The FMU, unpacked, and one instance that is reset for every run."""

    def __init__(self, path: Path, folder: str) -> None:
        self.description = fmpy.read_model_description(str(path))
        fmpy.extract(str(path), folder)
        variables = self.description.modelVariables
        self.reference = {v.name: v.valueReference for v in variables}
        self.defaults = {v.name: float(v.start) for v in variables if v.causality == "parameter"}
        self.slave = FMU2Slave(
            guid=self.description.guid, unzipDirectory=folder, modelIdentifier="FuelCycle", instanceName="validate"
        )
        self.slave.instantiate()

    def run(self, values: Mapping[str, float], hours: int, names: Sequence[str]) -> NDArray[np.float64]:
        """Variables every hour, shape (hours + 1, names)."""
        slave, wanted = self.slave, [self.reference[name] for name in names]
        slave.reset()
        slave.setupExperiment(startTime=0.0)
        slave.enterInitializationMode()
        slave.setReal([self.reference[name] for name in values], list(values.values()))
        slave.exitInitializationMode()
        rows = [slave.getReal(wanted)]
        for hour in range(hours):
            slave.doStep(float(hour), 1.0)
            rows.append(slave.getReal(wanted))
        return np.array(rows)

    def seconds(self, values: Mapping[str, float], hours: int) -> float:
        """CPU time [s] of a run with an output every hour, called with as little Python as can be."""
        self.run(values, 0, [])
        step, get = self.slave.dll["fmi2DoStep"], self.slave.dll["fmi2GetReal"]
        step.argtypes = (ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_int)
        get.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
        instance, value = self.slave.component, ctypes.c_double()
        wanted, place = ctypes.c_uint32(self.reference["sds.inventory"]), ctypes.addressof(value)
        before = time.process_time()
        for hour in range(hours):
            if step(instance, hour, 1.0, 0) or get(instance, ctypes.addressof(wanted), 1, place):
                raise ArithmeticError(f"the FMU refused the step from hour {hour}")
        return time.process_time() - before


def _errors(fmu: _Fmu, hours: int) -> None:
    print(f"against SciPy's DOP853 (rtol 1e-10), {hours} h, hourly; largest |difference| [g]\n")
    print("| case | largest inventory [g] | step [h] | sds.inventory | any of the 70 states |")
    print("|---|--:|--:|--:|--:|")
    place = STATES.index("sds.I_T")
    for case, values in CASES.items():
        truth = Reference(fmu.defaults | values).run(np.arange(hours + 1.0))
        for step in STEPS:
            off = np.abs(fmu.run({**values, "integrator.step": step}, hours, STATES) - truth)
            largest = np.abs(truth[:, :65]).max()
            print(f"| {case} | {largest:.0f} | {step} | {off[:, place].max():.2g} | {off.max():.2g} |")


def _balance(fmu: _Fmu) -> None:
    print(f"\ntritium after {WHOLE} h [g]\n")
    print("| case | inside | burnt | decayed | lost | start + bred | imbalance, relative | CPU time, s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for case, values in CASES.items():
        used = min(fmu.seconds(values, WHOLE) for _ in range(3))
        found = dict(zip(STATES, fmu.slave.getReal([fmu.reference[name] for name in STATES]), strict=True))
        inside = math.fsum(value for name, value in found.items() if name.endswith(".I_T"))
        burnt, bred, decayed, lost = (found[f"account.{name}"] for name in ACCOUNTS[:4])
        given = (fmu.defaults | values)["sds.initial_T"] + bred
        gap = (inside + burnt + decayed + lost) / given - 1.0
        amounts = " | ".join(f"{value:.3f}" for value in (inside, burnt, decayed, lost, given))
        print(f"| {case} | {amounts} | {gap:.1e} | {used:.3f} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m workshop.fuel_cycle.validate", description=__doc__)
    parser.add_argument("--fmu", type=Path, default=Path("examples/fuel_cycle/FuelCycle.fmu"))
    parser.add_argument("--hours", type=int, default=240, help="length of the comparison with SciPy")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        fmu = _Fmu(options.fmu, folder)
        _errors(fmu, options.hours)
        _balance(fmu)
        fmu.slave.freeInstance()
    return 0


if __name__ == "__main__":
    sys.exit(main())
