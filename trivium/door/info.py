"""The model description of an FMU, whether the FMU runs here or not."""

from __future__ import annotations

from dataclasses import replace

from trivium.door.model_path import ModelName, fmu_path
from trivium.model.fmu.info import Info, read_info
from trivium.model.fmu.info import validate as find_faults


def info(model: ModelName = None, *, validate: bool = False) -> Info:
    """Return the model description of an FMU, which is neither unpacked nor loaded.

    Parameters
    ----------
    model : str or path, optional
        An FMU; of a test case, a folder or ``"cooling"``, its FMU. Default: the default test case.
    validate : bool
        Whether to look for what ``fmpy validate`` finds wrong, which may take seconds.

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
    return replace(described, findings=find_faults(path)) if validate else described
