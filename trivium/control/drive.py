"""Drive a test case under a controller: a whole test, step by step, with progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trivium.errors import SettingsError, TriviumError
from trivium.plants.cooling.look_ahead import LookAheadController
from trivium.plants.cooling.rules import INPUTS, RuleBasedController
from trivium.simulation.testcase import TestCase
from trivium.suggestions import near_or_all


class Controller(Protocol):
    """What decides on control inputs; observations and boundary data by name, in SI units."""

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past."""

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> Mapping[str, float]:
        """Return the control inputs of the coming step."""


class Hold:
    """Leaves all control inputs as they are."""

    def reset(self, *_: Mapping[str, float]) -> None:
        """Start without a past."""

    def action(self, *_: Mapping[str, float]) -> Mapping[str, float]:
        """Return nothing to change."""
        return {}


#: Controllers by the name that commands know them by; each is made for a test case.
CONTROLLERS: Mapping[str, Callable[[TestCase], Controller]] = {
    "hold": lambda _: Hold(),
    "rules": lambda _: RuleBasedController(),
    "look-ahead": lambda case: LookAheadController(rehearsal(case)),
}


def controller(name: str, case: TestCase) -> Controller:
    """Make a controller for a test case.

    Raises
    ------
    SettingsError
        When there is none of that name, or it controls a plant with other inputs.
    """
    if name not in CONTROLLERS:
        raise SettingsError(f"there is no controller {name}.{near_or_all(name, CONTROLLERS)}")
    missing = [] if name == "hold" else _missing_inputs(case)
    if missing:
        raise SettingsError(
            f"the controller {name} is for the cooling plant: this model has no input {missing[0]}; use hold, which "
            "leaves the inputs as they are"
        )
    return CONTROLLERS[name](case)


def default_controller(case: TestCase) -> str:
    """Return the name of the controller of a test case where none is named: hold, unless the rules fit."""
    return "hold" if _missing_inputs(case) else "rules"


def _missing_inputs(case: TestCase) -> list[str]:
    """Return the inputs of the cooling plant that a test case lacks."""
    return [name for name in INPUTS if name not in case.actions.position]


def rehearsal(case: TestCase) -> Callable[[RuleBasedController, int, Mapping[str, float]], float]:
    """Return what rehearses rule-based controllers on a test case; a rehearsal that fails costs infinitely much."""

    def cost(tried: RuleBasedController, steps: int, weights: Mapping[str, float]) -> float:
        try:
            rows = case.rehearse(tried.action, steps)  # type: ignore[arg-type]  # this plant has no outputs that are text
        except TriviumError:
            return math.inf
        values = case.evaluation.values_of(rows, list(weights))
        return sum(weight * (values[name] or 0.0) for name, weight in weights.items())

    return cost


def drive(
    case: TestCase,
    by: Controller,
    observation: Mapping[str, Any],
    until: float,
    progress: Callable[[float], object] = lambda _: None,
) -> Mapping[str, Any]:
    """Step a test case under a controller.

    Parameters
    ----------
    case : TestCase
        Initialized.
    by : Controller
    observation : Mapping
        What `TestCase.initialize` answered.
    until : float
        Until when [s]; a last step that would lead beyond it is not done.
    progress : Callable
        Told of each step that is done, with its length [s].

    Returns
    -------
    Mapping
        The last observation.

    Raises
    ------
    TriviumError
        When a step fails; what was done before stays.
    """
    by.reset(observation, case.boundary())
    step = float(case.get_step().payload)
    while case.time + step <= until:
        observation = case.advance(by.action(observation, case.boundary())).payload
        progress(step)
    return observation
