"""The model of a test case: which engine runs its FMU, as its ``testcase.toml`` says."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from trivium.model.fmu.choice import choose_engine
from trivium.model.fmu.description import Interface, read_fmu
from trivium.model.fmu.fmu_model import FmuModel, Setup, Solving
from trivium.model.fmu.registry import make
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
    return make(choose(resources, cache), cache)


def choose(resources: Resources, cache: Path) -> Setup:
    """Return how the FMU of a test case is run, with ``auto`` decided; see `open_model`."""
    interface = cast("Interface | None", resources.interface)
    solving = Solving(resources.tolerance, resources.absolute_tolerance, resources.restart)
    if resources.engine != "auto":
        return Setup(resources.fmu, resources.engine, interface, solving)
    description = read_fmu(resources.fmu, cache, interface)
    return Setup(resources.fmu, choose_engine(description, solving, cache), interface, solving)
