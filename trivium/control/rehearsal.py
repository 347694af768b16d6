"""Rehearsals: a controller is tried on the plant itself from now on, and the plant is brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from trivium.evaluation.evaluation import Evaluation
from trivium.model.contract import FloatArray
from trivium.simulation.actions import Actions
from trivium.simulation.position import Position
from trivium.simulation.run import Run

#: Takes an observation (outputs and control inputs) and the boundary data of the coming step, both by name, and returns
#: control inputs; what it leaves out keeps its last value.
Policy = Callable[[Mapping[str, float | str], Mapping[str, float]], Mapping[str, float]]


def rehearse(
    run: Run,
    evaluation: Evaluation,
    actions: Actions,
    observed: Callable[[Position, FloatArray], Mapping[str, float | str]],
    policy: Policy,
    steps: int,
) -> FloatArray:
    """Simulate on under a policy, then come back to now: nothing is changed.

    What is simulated under is the boundary data as the scenario forecasts it.

    Parameters
    ----------
    run : Run
    evaluation : Evaluation
    actions : Actions
    observed : Callable
        Makes an observation of a position and the last control inputs.
    policy : Policy
    steps : int
        How many control steps; fewer are done where the simulation ends before.

    Returns
    -------
    FloatArray, shape (1 + k, n_columns)
        The last row of the history, and those that it would have got.

    Raises
    ------
    TriviumError
        What a step would raise.
    """
    now, controls, stepper = run.begin(), run.controls, run.stepper
    times = run.clock.times(int(min(steps, run.steps_left())))
    believed = evaluation.believed(now.time, times[-1])

    def decide(position: Position) -> FloatArray:
        nonlocal controls
        controls = actions.parse(policy(observed(position, controls), believed.row(position.time)), controls)
        return controls

    last = stepper.history.row(len(stepper.history) - 1)[np.newaxis]
    return np.concatenate((last, stepper.rehearse(now, decide, times, believed)))
