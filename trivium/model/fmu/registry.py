"""Engines: which adapter runs an FMU.

``engine`` in the test case's ``testcase.toml`` chooses:

* ``fmpy``: FMPy, from PyPI. FMI 1.0, 2.0 and 3.0; Model Exchange with the CVODE that FMPy ships.
* ``pyfmi``: PyFMI and Assimulo, from conda-forge. FMI 2.0; Model Exchange with Assimulo's CVode.
* ``assimulo``: FMPy and Assimulo, from PyPI. Model Exchange of FMI 1.0, 2.0 and 3.0, with a solver of Assimulo.
* ``auto``: PyFMI where it really steps the FMU, else FMPy; see `trivium.model.fmu.choice`.
* Any other name is an engine that a package brings by the entry point group ``trivium.engines``.
"""

from __future__ import annotations

import platform
from collections.abc import Callable

from trivium import extras
from trivium.entry_points import Registry
from trivium.errors import MissingExtraError, ResourcesError
from trivium.model.fmu.abi import pyfmi_problem
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import FmuModel
from trivium.suggestions import near_or_all

#: Makes an adapter for an FMU; raises a ResourcesError where the engine cannot run it.
Engine = Callable[[FmuDescription], type[FmuModel]]
#: All engines.
ENGINES: Registry[Engine] = Registry("trivium.engines")


def adapter(engine: str, description: FmuDescription) -> type[FmuModel]:
    """Return what makes a model of an FMU.

    Parameters
    ----------
    engine : str
        Name of an entry point.
    description : FmuDescription
        Whose interface and version count.

    Raises
    ------
    ResourcesError
        When there is no such engine, it is not installed, its parts do not fit together, or it does not run this FMU.
    """
    try:
        return ENGINES.load(engine)(description)
    except KeyError:
        raise ResourcesError(f"there is no engine {engine}.{near_or_all(engine, ENGINES.names())}") from None


def fmpy(description: FmuDescription) -> type[FmuModel]:
    """Return FMPy's adapter for an FMU.

    Raises
    ------
    ResourcesError
        When the FMU is to be integrated and FMPy brings no SUNDIALS for this kind of machine, as for Linux on ARM.
    """
    if description.interface == "cs":
        from trivium.model.fmu.fmpy_ import FmpyModel

        return FmpyModel
    try:
        from trivium.model.fmu.fmpy_me import FmpyExchangeModel
    except OSError as error:  # of ctypes, which looks for a shared library
        raise ResourcesError(
            f"the engine fmpy cannot integrate {description.path.name} here: FMPy brings no SUNDIALS for "
            f"{platform.system()} on {platform.machine()}; choose the engine assimulo, "
            'or interface = "cs" where the FMU offers co-simulation'
        ) from error
    return FmpyExchangeModel


def pyfmi(description: FmuDescription) -> type[FmuModel]:
    """Return PyFMI's adapter for an FMU.

    Raises
    ------
    ResourcesError
        When PyFMI is not installed, does not fit Assimulo, or does not run this version of FMI.
    """
    if problem := unusable(description):
        raise ResourcesError(f"the engine pyfmi cannot be used: {problem}")
    from trivium.model.fmu.pyfmi_ import PyfmiExchangeModel, PyfmiModel

    return PyfmiModel if description.interface == "cs" else PyfmiExchangeModel


def assimulo(description: FmuDescription) -> type[FmuModel]:
    """Return the adapter for an FMU that Assimulo integrates.

    Raises
    ------
    ResourcesError
        When Assimulo is not installed or cannot be imported, or the FMU is run by co-simulation.
    """
    if description.interface != "me":
        raise ResourcesError(
            f"the engine assimulo runs Model Exchange, and {description.path.name} is run by co-simulation; "
            'set interface = "me" where the FMU offers it, or the engine fmpy'
        )
    try:
        extras.require("assimulo.solvers", "assimulo")
    except MissingExtraError as error:
        raise ResourcesError(f"the engine assimulo cannot be used: {error}") from error
    from trivium.model.fmu.assimulo_ import AssimuloExchangeModel

    return AssimuloExchangeModel


def unusable(description: FmuDescription) -> str | None:
    """Say why PyFMI cannot run an FMU; None when nothing that is known beforehand speaks against it."""
    if description.version != "2.0":
        name = description.path.name
        return f"it runs FMI 2.0 here, and {name} is FMI {description.version}; the engine fmpy runs it"
    return pyfmi_problem()
