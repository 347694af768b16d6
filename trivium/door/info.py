"""The model description of an FMU, whether the FMU runs here or not."""

from __future__ import annotations

from dataclasses import replace

from trivium.door.model_path import ModelName, fmu_path, model_path, state_dir
from trivium.errors import TriviumError
from trivium.model.fmu.info import Info, read_info
from trivium.model.fmu.info import validate as find_faults
from trivium.simulation.models import choose, qualified
from trivium.simulation.resources import Resources


def info(model: ModelName = None, *, validate: bool = False, qualify: bool = False) -> Info:
    """Return the model description of an FMU, which is neither unpacked nor loaded unless it is to be qualified.

    Parameters
    ----------
    model : str or path, optional
        An FMU; of a test case, a folder or ``"cooling"``, its FMU. Default: the default test case.
    validate : bool
        Whether to look for what ``fmpy validate`` finds wrong, which may take seconds.
    qualify : bool
        Whether to find out, in processes of their own, what the FMU really does with its state; the outcome is kept.

    Raises
    ------
    ResourcesError
        When there is no such file, or it is no FMU.

    Examples
    --------
    >>> import trivium
    >>> fuel_cycle = trivium.info("FuelCycle.fmu")
    >>> fuel_cycle
    Info(FuelCycle.fmu: FuelCycle, FMI 2.0, co-simulation)
    >>> fuel_cycle.variables["bz.TBR"].start
    1.1
    """
    path = fmu_path(model)
    described = read_info(path)
    return replace(
        described,
        findings=find_faults(path) if validate else None,
        qualification=_qualification(Resources.load(model_path(model))) if qualify else "",
    )


def _qualification(resources: Resources) -> str:
    """Return what was found about the FMU of a test case, or why it cannot be run here."""
    cache = state_dir() / "fmu"
    try:
        found = qualified(resources, cache, choose(resources, cache))
    except TriviumError as error:
        return f"it cannot be run here: {error}"
    return f"it cannot be stepped: {found.error}" if found.error else str(found)
