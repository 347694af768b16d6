"""The parts of a test case, made from its files."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import Model
from trivium.simulation.boundary import Disturbances
from trivium.simulation.history import History
from trivium.simulation.initialization import InitializationActions, read_initialization_actions, read_observation
from trivium.simulation.plant import recognized
from trivium.simulation.resources import Resources
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import check_step

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
        disturbances = Disturbances.read(resources.disturbances, linear=resources.linear)
    plant = recognized(model, resources.plant_files)
    if plant is not None:
        model.inputs = plant.bounded(model.inputs)
        inputs, outputs = ([v.name for v in variables] for variables in (model.inputs, model.outputs))
        law = plant.law(inputs, outputs, resources.plant_files)
    actions, observation = resources.initialization_actions, resources.initialization_observation
    if law is not None and observation is None:
        raise ResourcesError(f"{law.noun} needs a first observation, for the step before which nothing was measured")
    if (actions is not None or observation is not None) and not disturbances.equidistant:
        raise ResourcesError(
            "initialization actions and a first observation need boundary data with a row every interval"
        )
    return (
        Stepper(model, disturbances, law, history),
        None if actions is None else read_initialization_actions(actions),
        None if observation is None else read_observation(observation),
    )


def first_step(resources: Resources, stepper: Stepper, grid: float | None) -> float:
    """Return the control step of a new session [s]: of the test case, the grid, the FMU, the boundary data, or 1 s.

    Parameters
    ----------
    resources : Resources
    stepper : Stepper
    grid : float or None
        What times must be multiples of [s].

    Raises
    ------
    ResourcesError
        When that of the test case is not on the grid.
    """
    if resources.step is not None:
        try:
            return check_step(resources.step, grid)
        except InvalidValueError as error:
            raise ResourcesError(f"testcase.toml: {error}") from error
    proposed = stepper.model.experiment.step
    if grid is not None:
        return grid
    if proposed is not None and 0 < proposed < math.inf:
        return proposed
    return stepper.disturbances.interval if stepper.disturbances.names else STEP
