"""The parts of a test case, made from its files."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import replace

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import Model
from trivium.simulation.boundary import Disturbances
from trivium.simulation.embedded import RESULTS_INTERVAL
from trivium.simulation.history import History
from trivium.simulation.initialization import InitializationActions, read_initialization_actions, read_observation
from trivium.simulation.input_table import read_input_table
from trivium.simulation.plant import recognized
from trivium.simulation.resources import Resources
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Grid, beside, check_step

log = logging.getLogger(__name__)

#: Control step where neither test case nor FMU nor boundary data has one [s].
STEP = 1.0


def assemble(
    resources: Resources, model: Model, history: History
) -> tuple[Stepper, InitializationActions | None, Mapping[str, float] | None]:
    """Put the parts of a test case together.

    Parameters
    ----------
    resources : Resources
    model : Model
        Gets the bounds of its plant.
    history : History
        Where rows go.

    Returns
    -------
    stepper : Stepper
    actions : InitializationActions or None
    observation : Mapping[str, float] or None
        None where the test case has no such file.

    Raises
    ------
    ResourcesError
        When a file is wrong or does not fit the model.
    """
    disturbances, law = Disturbances.none(), None
    if resources.disturbances is not None:
        drivable = {variable.name for variable in model.inputs}
        table, remark = read_input_table(resources.disturbances).matched(drivable, resources.name)
        if remark:
            log.warning("%s", remark)
        disturbances = Disturbances.of(table, linear=resources.linear, held=drivable - model.continuous)
    plant = recognized(model, resources.plant_files)
    if plant is not None:
        model.inputs = plant.bounded(model.inputs)
        inputs, outputs = ([v.name for v in variables] for variables in (model.inputs, model.outputs))
        law = plant.law(inputs, outputs, resources.plant_files)
    actions, observation = resources.initialization_actions, resources.initialization_observation
    if law is not None and observation is None:
        raise ResourcesError(f"{law.noun} needs a first observation, for the step before which nothing was measured")
    if resources.begins_on_grid and not disturbances.equidistant:
        raise ResourcesError(
            "initialization actions and a first observation need boundary data with a row every interval"
        )
    step = first_step(resources, model, disturbances)
    grid = _in_units(_grid(resources, model, disturbances, step), resources, model, step)
    return (
        Stepper(model, disturbances, law, history, grid),
        None if actions is None else read_initialization_actions(actions),
        None if observation is None else read_observation(observation),
    )


def first_step(resources: Resources, model: Model, disturbances: Disturbances) -> float:
    """Return the control step of a new session [s]: of the test case, its grid, the FMU, the boundary data, or 1 s."""
    if resources.step is not None:
        return resources.step
    proposed = model.experiment.step
    if resources.begins_on_grid:
        return disturbances.interval
    if proposed is not None and 0 < proposed < math.inf:
        return proposed
    return disturbances.interval if disturbances.names else STEP


def _grid(resources: Resources, model: Model, disturbances: Disturbances, step: float) -> Grid:
    """Return where control steps are divided besides the rows of the boundary data; by default at a first step [s].

    An FMU alone takes the steps that are chosen, as in a sweep, unless its numbers do not depend on their length.
    """
    if resources.results_interval is not None:
        return Grid(resources.results_interval)
    if resources.case is not None:
        return Grid(RESULTS_INTERVAL)
    if disturbances.equidistant and (step, disturbances.time0 % step) == (disturbances.interval, 0):
        return Grid()  # the rows are the grid
    return Grid(math.inf if resources.alone and not model.seamless else step, coarsened=True)


def _in_units(grid: Grid, resources: Resources, model: Model, step: float) -> Grid:
    """Return a grid whose parts a model takes that takes steps of one length only.

    Raises
    ------
    ResourcesError
        When the control step [s] or the interval that the test case chooses is none.
    """
    unit = model.unit_step
    if unit is None:
        return grid
    for name, length in (("step", step), ("results.interval", resources.results_interval)):
        try:
            if length is not None and math.isfinite(length):
                check_step(length, unit)
        except InvalidValueError as error:
            raise ResourcesError(f"testcase.toml: {name}: {error}") from error
    if math.isfinite(grid.interval) and beside(grid.interval, unit):
        grid = Grid(step, coarsened=True)
    return replace(grid, unit=unit)
