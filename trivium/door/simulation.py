"""A simulation in this process, driven step by step."""

from __future__ import annotations

import os

from trivium.door.arguments import known_engine
from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase
from trivium.settings import Settings


def open_simulation(
    model: ModelName = None,
    *,
    step: float | None = None,
    engine: str | None = None,
    state: str | os.PathLike[str] | None = None,
) -> TestCase:
    """Open a model to be stepped.

    Parameters
    ----------
    model : str or path, optional
        An FMU, the folder of a test case, or ``"cooling"``, the shipped plant; default: the test case of the settings,
        which is the shipped plant unless they name another.
    step : float, optional
        Control step [s]; default: as the test case or the FMU proposes, else 1 s.
    engine : str, optional
        What runs the FMU where the test case does not choose: ``auto``, ``fmpy``, ``pyfmi`` or one that another package
        brings; default: that of the settings.
    state : str or path, optional
        Folder for unpacked FMUs and results; default: that of the settings.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.

    Examples
    --------
    >>> import trivium
    >>> with trivium.open("FuelCycle.fmu", step=5) as simulation:
    ...     simulation
    ...     observed = simulation.advance(steps=2)
    ...     simulation.results(["sds.inventory"]).frame()
    Simulation(FuelCycle at 0 s, step 5 s)
          sds.inventory
    time
    0.0     3000.000000
    5.0     2257.941522
    10.0    2112.741503
    """
    name = Settings().engine if engine is None else known_engine(engine, auto=True)
    simulation = open_testcase(model_path(model), state_dir(state), name)
    if step is not None:
        try:
            inputs, own = simulation.stepper.inputs, simulation.set_step(step)
            inputs.grid = inputs.grid.with_step(own)
        except BaseException:
            simulation.close()
            raise
    return simulation
