"""Drive the data centre by names: the FMU through FMPy, with all inputs at their start values unless said otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from fmpy import extract, read_model_description
from fmpy.fmi2 import FMU2Slave

from workshop.data_center.variables import INPUTS, OUTPUTS

STEP = 300.0
START = {v.name: v.start for v in INPUTS}


def inputs(**changes: float) -> dict[str, float]:
    """All inputs of ordinary operation, with changes by name."""
    assert set(changes) <= set(START), set(changes) - set(START)
    return START | changes


#: Everything off that can be switched off.
OFF = {
    **{f"uChi{i}": 0.0 for i in (1, 2, 3, 4)},
    **dict.fromkeys(("nPumChiWat", "yPumChiWat", "nPumConWat", "yPumConWat", "nTow", "yFanTow"), 0.0),
    **dict.fromkeys(("yFanCra1", "yFanCra2", "yValEco"), 0.0),
}


class Plant:
    """One instance of the FMU, unpacked once for all.

    Parameters
    ----------
    fmu : Path
    tolerance : float
    parameters : float
        Parameters that are not at their start values.
    """

    _folders: dict[Path, str] = {}  # one cache for the whole process

    def __init__(self, fmu: Path, tolerance: float = 1e-4, **parameters: float) -> None:
        self.description = read_model_description(fmu)
        if fmu not in self._folders:
            self._folders[fmu] = tempfile.mkdtemp(prefix="data-center-")
            extract(fmu, unzipdir=self._folders[fmu])
        self.reference = {v.name: v.valueReference for v in self.description.modelVariables}
        self.time = 0.0
        self.started = False
        self.slave = FMU2Slave(
            guid=self.description.guid,
            unzipDirectory=self._folders[fmu],
            modelIdentifier=self.description.coSimulation.modelIdentifier,
            instanceName="plant",
        )
        self.slave.instantiate()
        self.slave.setupExperiment(tolerance=tolerance, startTime=0.0)
        self.put(parameters)

    def put(self, values: Mapping[str, float]) -> None:
        """Set variables by name."""
        self.slave.setReal([self.reference[name] for name in values], list(values.values()))

    def get(self, names: tuple[str, ...] = tuple(v.name for v in OUTPUTS)) -> dict[str, float]:
        """Read variables by name."""
        return dict(zip(names, self.slave.getReal([self.reference[name] for name in names]), strict=True))

    def start(self) -> None:
        """Initialize with the inputs as they are; without effect later."""
        if not self.started:
            self.slave.enterInitializationMode()
            self.slave.exitInitializationMode()
            self.started = True

    def advance(self, duration: float) -> None:
        """Simulate on under the inputs as they are."""
        self.slave.doStep(currentCommunicationPoint=self.time, communicationStepSize=duration)
        self.time += duration

    def step(self, values: Mapping[str, float], duration: float = STEP) -> dict[str, float]:
        """Set inputs, simulate and return all outputs; the first step initializes with the same inputs."""
        self.put(values)
        self.start()
        self.advance(duration)
        return self.get()

    def run(self, values: Mapping[str, float], hours: float) -> dict[str, float]:
        """Hold inputs; returns the outputs at the end."""
        for _ in range(round(hours * 3600.0 / STEP)):
            outputs = self.step(values)
        return outputs

    def close(self) -> None:
        """Free the instance."""
        self.slave.freeInstance()
