"""Which adapter runs the FMU of a test case.

``engine`` in the test case's ``testcase.toml`` chooses:

* ``fmpy``: FMPy, from PyPI. Co-simulation, and Model Exchange with the CVODE that FMPy ships.
* ``pyfmi``: PyFMI and Assimulo, from conda-forge. Co-simulation, and Model Exchange with Assimulo's CVode.
* ``auto``: PyFMI where it and Assimulo are installed and fit together (`adcc.fmu.abi`), else FMPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from adcc.core.model import Model
from adcc.core.resources import Resources
from adcc.errors import ResourcesError
from adcc.fmu.abi import pyfmi_problem
from adcc.fmu.description import FmuDescription, Interface, read_fmu

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES = ("fmpy", "pyfmi")


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
        When the FMU cannot be unpacked, is of the wrong kind, or its engine is not installed.
    ModelError
        When its binary cannot be loaded.
    """
    interface = cast("Interface | None", resources.interface)
    description = read_fmu(resources.fmu, cache, interface)
    engine = choose_engine(description) if resources.engine == "auto" else resources.engine
    return adapter(engine, description, restart=resources.restart)(description, resources.tolerance)


def choose_engine(description: FmuDescription) -> str:
    """Return the engine that ``auto`` stands for on this machine."""
    return "fmpy" if unusable(description) else "pyfmi"


def unusable(description: FmuDescription) -> str | None:
    """Say why PyFMI cannot run an FMU; None when nothing that is known beforehand speaks against it."""
    if description.version != "2.0":
        return (
            f"it runs FMI 2.0 here, and {description.path.name} is FMI {description.version}; the engine fmpy runs it"
        )
    return pyfmi_problem()


def adapter(
    engine: str, description: FmuDescription, *, restart: bool = False
) -> Callable[[FmuDescription, float | None], Model]:
    """Return what makes a model of an FMU.

    Parameters
    ----------
    engine : {"fmpy", "pyfmi"}
    description : FmuDescription
        Whose interface counts.
    restart : bool
        Whether Model Exchange by PyFMI starts a new solver at every step.

    Raises
    ------
    ResourcesError
        When the engine is not installed, or its parts do not fit together.
    """
    if engine == "fmpy":
        if description.interface == "cs":
            from adcc.fmu.fmpy_ import FmpyModel

            return FmpyModel
        from adcc.fmu.fmpy_me import FmpyExchangeModel

        return FmpyExchangeModel
    if problem := unusable(description):
        raise ResourcesError(f"the engine pyfmi cannot be used: {problem}")
    from adcc.fmu.pyfmi_ import PyfmiExchangeModel, PyfmiModel

    if description.interface == "cs":
        return PyfmiModel
    return lambda fmu, tolerance: PyfmiExchangeModel(fmu, tolerance, restart=restart)
