"""Drive a test case under a controller: a whole test, step by step, with progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trivium.control.controller import Controller, Rehearse, make
from trivium.errors import TriviumError
from trivium.evaluation.testcase import TestCase
from trivium.simulation.plant import plant_of


class _Here:
    """A test case of this process, as controllers see it."""

    def __init__(self, case: TestCase) -> None:
        self._case = case

    @property
    def inputs(self) -> Collection[str]:
        return self._case.actions.position

    def rehearsal(self) -> Rehearse:
        return self._cost

    def _cost(self, candidate: Controller, steps: int, weights: Mapping[str, float]) -> float:
        try:
            rows = self._case.rehearse(candidate.action, steps)
        except TriviumError:
            return math.inf
        values = self._case.evaluation.values_of(rows, list(weights))
        return sum(weight * (values[name] or 0.0) for name, weight in weights.items())


def controller(name: str, case: TestCase) -> Controller:
    """Make a controller for a test case; see `trivium.control.controller.make`."""
    return make(name, _Here(case))


def default_controller(case: TestCase) -> str:
    """Return the name of the controller of a test case where none is named: that of its plant, else hold."""
    model = case.stepper.model
    plant = plant_of({v.name for v in model.inputs}, {v.name for v in model.outputs})
    return "hold" if plant is None else plant.controller


def drive(
    case: TestCase,
    by: Controller,
    observation: Mapping[str, Any],
    until: float,
    progress: Callable[[float], object] = lambda _: None,
    *,
    resumed: bool = False,
) -> Mapping[str, Any]:
    """Step a test case under a controller.

    Parameters
    ----------
    case : TestCase
        Initialized.
    by : Controller
    observation : Mapping
        What `TestCase.initialize` returned.
    until : float
        Until when [s]; a last step that would lead beyond it is not done.
    progress : Callable
        Called after each step, with its length [s].
    resumed : bool
        Whether the controller goes on with its past; otherwise it is reset.

    Returns
    -------
    Mapping
        The last observation.

    Raises
    ------
    TriviumError
        When a step fails; what was done before stays.
    """
    if not resumed:
        by.reset(observation, case.boundary())
    step = case.step
    while case.time + step <= until:
        observation = case.advance(by.action(observation, case.boundary()))
        progress(step)
    return observation
