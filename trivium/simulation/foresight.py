"""What would be: control steps that are simulated and taken back.

Each function leaves the stepper as it was, whatever happens; `Stepper.advance` is the one that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from trivium.errors import TriviumError
from trivium.model.contract import FloatArray, Jacobian, StartValues
from trivium.simulation.boundary import Disturbances
from trivium.simulation.state import Position
from trivium.simulation.stepper import NOTHING, Stepper


def look_ahead(
    stepper: Stepper, position: Position, controls: FloatArray, times: Sequence[float], changes: StartValues = NOTHING
) -> tuple[Position, FloatArray, TriviumError | None]:
    """Simulate control steps up to the first that fails, then go back to now; parameters as in `advance`.

    Returns
    -------
    position : Position
        At the end of the last control step that succeeded.
    ends : FloatArray, shape (n_succeeded, n_columns)
        What the history would have taken for their ends.
    error : TriviumError or None
        Why the next one failed.

    Raises
    ------
    ModelError
        When the model cannot be restored.
    """
    completed, error = [np.empty((0, len(stepper.history.columns)))], None
    with stepper.excursion():
        try:
            for k in range(len(controls)):
                position, rows, ends = _control_step(stepper, position, controls[k], times[k : k + 2], changes)
                changes = NOTHING
                completed.append(rows[ends])
        except TriviumError as failure:
            error = failure
    return position, np.concatenate(completed), error


def rehearse(
    stepper: Stepper,
    position: Position,
    policy: Callable[[Position], FloatArray],
    times: Sequence[float],
    disturbances: Disturbances,
) -> FloatArray:
    """Simulate control steps that a policy decides on as they come, then go back to now.

    Parameters
    ----------
    position : Position
        Where the session stands.
    policy : Callable
        Takes where the rehearsal stands and returns the control inputs of the coming step, shape (n_controls,).
    times : sequence of float, length n_steps + 1
        The clock now and at the end of each control step [s].
    disturbances : Disturbances
        What is believed to come, in place of the boundary data.

    Returns
    -------
    FloatArray, shape (k, n_columns)
        What the history would have taken.

    Raises
    ------
    TriviumError
        When a step fails, or the model cannot be restored.
    """
    completed = [np.empty((0, len(stepper.history.columns)))]
    with stepper.excursion():
        for k in range(len(times) - 1):
            controls, between = policy(position), times[k : k + 2]
            position, rows, _ = _control_step(stepper, position, controls, between, data=disturbances)
            completed.append(rows)
    return np.concatenate(completed)


def foresee(
    stepper: Stepper,
    position: Position,
    courses: Iterable[tuple[FloatArray, Disturbances]],
    times: Sequence[float],
    changes: StartValues = NOTHING,
) -> FloatArray:
    """Simulate the same control steps under several courses of the inputs, and go back to now after each.

    Parameters
    ----------
    position : Position
        Where the session stands.
    courses : iterable of (FloatArray, Disturbances)
        Control inputs, shape (n_steps, n_controls), and what takes the place of the boundary data.
    times : sequence of float, length n_steps + 1
        The clock now and at the end of each control step [s].
    changes : Mapping[str, float or str]
        Tunable parameters and texts that change before the first step.

    Returns
    -------
    FloatArray, shape (n_courses, n_steps, n_columns)
        What the history would have taken for the ends of the control steps.

    Raises
    ------
    TriviumError
        When a step fails, or the model cannot be restored.
    """
    completed = []
    for controls, data in courses:
        rows, ends = stepper.inputs.rows(times, controls, data, len(stepper.history.columns))
        with stepper.excursion():
            stepper.simulate(rows, position, changes, data)
        completed.append(rows[ends])
    return np.array(completed)


def differentiate(
    stepper: Stepper,
    position: Position,
    controls: FloatArray,
    changes: StartValues,
    outputs: Sequence[int],
    columns: Sequence[int],
) -> tuple[Jacobian, FloatArray]:
    """Return the derivatives of the model's equations, and the inputs at which, shape (n_inputs,); stay.

    Parameters
    ----------
    position, controls, changes
        As in `foresee`, for one step.
    outputs, columns : sequence of int
        See `Model.differentiate`.

    Raises
    ------
    TriviumError
        When the model refuses, or cannot be restored.
    """
    inputs, sources = stepper.inputs_at(position.time, controls), stepper.inputs
    if sources.law is not None:
        sources.law.check(inputs)
        inputs[sources.computed] = sources.law(inputs, position.outputs, stepped=position.stepped)
    with stepper.excursion():
        stepper.start(position, inputs)
        if changes:
            stepper.model.change(changes)
        return stepper.model.differentiate(inputs, outputs, columns), inputs


def _control_step(
    stepper: Stepper,
    position: Position,
    controls: FloatArray,
    times: Sequence[float],
    changes: StartValues = NOTHING,
    data: Disturbances | None = None,
) -> tuple[Position, FloatArray, NDArray[np.intp] | slice]:
    """Simulate one control step; return where it ends, its rows, and what picks the last of them."""
    width = len(stepper.history.columns)
    rows, ends = stepper.inputs.rows(times, controls[np.newaxis], data or stepper.disturbances, width)
    return stepper.simulate(rows, position, changes, data), rows, ends
