"""Drive the plant by names: the FMU through FMPy, the equations through CasADi."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import casadi as ca
import numpy as np
from fmpy import extract, read_model_description
from fmpy.fmi2 import FMU2Slave
from numpy.typing import NDArray

from workshop.cooling_plant.parameters import PARAMETERS, Parameters
from workshop.cooling_plant.variables import INPUTS, OUTPUTS, STATES
from workshop.fmi.spec import Model

UNITS = range(1, 7)
STEP = 300.0
DEFAULTS = {v.name: v.start for v in PARAMETERS}
CP, RHO = 4184.0, 995.586


def number(expression: ca.SX, p: ca.SX) -> float:
    """Value of an expression at the default parameters."""
    return float(ca.Function("f", [p], [expression])(list(DEFAULTS.values())))


def parameters() -> tuple[ca.SX, Parameters]:
    """The parameter vector as a symbol, and by name."""
    p = ca.SX.sym("p", len(PARAMETERS))
    return p, Parameters(p)


def action(mode: str = "chiller", trains: tuple[int, ...] = (2, 3), **changes: float) -> dict[str, float]:
    """All 104 inputs of an ordinary operating point in one of the three modes, with changes by name."""
    values = {v.name: 0.0 for v in INPUTS}
    values |= {"Twb_outside": 290.15, "Tchws_set_CHI": 288.15, "Tchws_set_HEX": 287.15, "Mchw": 160.0, "Tchw_r": 293.65}
    values |= {"Head_required": 15.0, "CWP_activatedNumber": 2.0, "CWP_speedInput": 1150.0}
    valves = {"chiller": (1, 4), "partial": (3, 4), "free": (2, 3)}[mode]
    for i in trains:
        values |= {f"CHI0{i}_{side}{n}": 1.0 for side in ("CW", "CHW") for n in valves}
        values[f"CHI0{i}"] = 0.0 if mode == "free" else 1.0
    if mode != "chiller":
        values["Twb_outside"] = 278.15
    for i in (1, 2):
        values |= {f"CDWP0{i}_ONOFF": 1.0, f"CDWP0{i}_rpm": 1150.0, f"CHWP0{i}_ONOFF": 1.0, f"CHWP0{i}_rpm": 950.0}
    for i in (1, 4, 5):
        values |= {f"U_CT{i}": 1.0, f"Ffan_CT{i}_01": 0.8, f"Ffan_CT{i}_02": 0.8}
    unknown = set(changes) - set(values)
    assert not unknown, unknown
    return values | changes


class Plant:
    """One instance of the FMU, unpacked once for all.

    Parameters
    ----------
    fmu : Path
    tolerance : float
    """

    _folders: dict[Path, str] = {}  # noqa: RUF012 - one cache for the whole test run

    def __init__(self, fmu: Path, tolerance: float = 1e-4) -> None:
        self.description = read_model_description(fmu)
        if fmu not in self._folders:
            self._folders[fmu] = tempfile.mkdtemp(prefix="plant-")
            extract(fmu, unzipdir=self._folders[fmu])
        self.reference = {v.name: v.valueReference for v in self.description.modelVariables}
        self.time = 0.0
        self.slave = FMU2Slave(
            guid=self.description.guid,
            unzipDirectory=self._folders[fmu],
            modelIdentifier=self.description.coSimulation.modelIdentifier,
            instanceName="plant",
        )
        self.slave.instantiate()
        self.slave.setupExperiment(startTime=0.0, tolerance=tolerance)
        self.slave.enterInitializationMode()
        self._initializing = True

    def put(self, values: Mapping[str, float]) -> None:
        """Set inputs or parameters."""
        self.slave.setReal([self.reference[n] for n in values], list(values.values()))

    def step(self, values: Mapping[str, float], duration: float = STEP) -> dict[str, float]:
        """Hold inputs over a step and return the outputs at its end."""
        self.put(values)
        if self._initializing:
            self.slave.exitInitializationMode()
            self._initializing = False
        self.slave.doStep(self.time, duration)
        self.time += duration
        return self.read()

    def read(self) -> dict[str, float]:
        """All outputs."""
        names = [v.name for v in OUTPUTS]
        return dict(zip(names, self.slave.getReal([self.reference[n] for n in names]), strict=True))

    def close(self) -> None:
        """Free the instance."""
        self.slave.freeInstance()


class SteadyState:
    """A steady state of the equations, found by Newton's method on the rates; standing water is at rest there too.

    Parameters
    ----------
    model : Model
    values : mapping
        Inputs.
    """

    def __init__(self, model: Model, values: Mapping[str, float]) -> None:
        u = np.array([values[v.name] for v in INPUTS])
        p = np.array(list(DEFAULTS.values()))
        v = u[list(model.filter_input)]
        self.h = np.array(model.aux(v, u, p)).ravel()
        jacobian = model.ode.factory("jacobian", model.ode.name_in(), ["jac:o0:i0"])
        x = np.array(model.start(u, p)).ravel()
        # Implicit Euler with growing steps: robust from the start values, Newton's method in the end.
        for step in np.geomspace(0.1, 1e14, 120):
            rate = np.array(model.ode(x, v, self.h, u, p)).ravel()
            slope = np.array(jacobian(x, v, self.h, u, p))
            x = x + np.linalg.solve(np.eye(x.size) / step - slope, rate)
        self.residual: NDArray[np.float64] = np.array(model.ode(x, v, self.h, u, p)).ravel()
        self.x = dict(zip([s.name for s in STATES], x, strict=True))
        self.y = dict(zip([o.name for o in OUTPUTS], np.array(model.out(x, v, self.h, u, p)).ravel(), strict=True))
