"""The model of a test case: which engine runs its FMU, as its ``testcase.toml`` says."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from trivium.model.fmu.choice import choose_engine
from trivium.model.fmu.description import FmuDescription, Interface, Recording, read_fmu
from trivium.model.fmu.fmu_model import FmuModel, Setup, Solving
from trivium.model.fmu.registry import make
from trivium.simulation.plant import plant_of
from trivium.simulation.resources import Resources


def open_model(resources: Resources, cache: Path) -> FmuModel:
    """Load the FMU of a test case.

    Parameters
    ----------
    resources : Resources
    cache : Path
        Where FMUs are unpacked.

    Raises
    ------
    ResourcesError
        When the FMU cannot be unpacked, is of the wrong kind, or its engine is not installed.
    ModelError
        When its binary cannot be loaded.
    """
    description = _read(resources, cache)
    return make(_setup(resources, description, cache), cache, description)


def choose(resources: Resources, cache: Path) -> Setup:
    """Return how the FMU of a test case is run, with ``auto`` decided; see `open_model`."""
    return _setup(resources, _read(resources, cache), cache)


def _read(resources: Resources, cache: Path) -> FmuDescription:
    return read_fmu(resources.fmu, cache, cast("Interface | None", resources.interface), dict(resources.structural))


def _setup(resources: Resources, description: FmuDescription, cache: Path) -> Setup:
    solving = Solving(resources.tolerance, resources.absolute_tolerance, resources.restart)
    engine = resources.engine
    if engine == "auto":
        engine = choose_engine(description, solving, cache)
    inputs, outputs = ({v.variable.name for v in group} for group in (description.inputs, description.outputs))
    is_plant = plant_of(inputs, outputs, resources.plant_files) is not None
    recording = Recording(resources.measured, resources.recorded, all=not is_plant)
    interface = cast("Interface | None", resources.interface)
    return Setup(resources.fmu, engine, interface, solving, recording, resources.structural)
