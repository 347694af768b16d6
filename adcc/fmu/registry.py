"""Which adapter runs the FMU of a test case."""

from __future__ import annotations

from pathlib import Path

from adcc.core.model import Model
from adcc.core.resources import Resources
from adcc.fmu.description import read_fmu


def open_model(resources: Resources, cache: Path) -> Model:
    """Load the FMU of a test case.

    Parameters
    ----------
    resources : Resources
    cache : Path
        Where FMUs are unpacked.

    Raises
    ------
    ResourcesError
        When the FMU cannot be unpacked or is of the wrong kind.
    ModelError
        When its binary cannot be loaded.
    """
    from adcc.fmu.fmpy_ import FmpyModel

    return FmpyModel(read_fmu(resources.fmu, cache), resources.tolerance)
