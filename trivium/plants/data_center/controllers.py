"""The controllers of the data centre, as entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trivium.control.controller import Controlled, Controller
from trivium.errors import SettingsError
from trivium.plants.data_center.guideline36 import TrimAndRespond
from trivium.plants.data_center.plant import COMMANDS
from trivium.plants.data_center.rules import RuleBook

#: Power of the liquid's pumps, which is constant, over the IT load that the plant is built for [1].
_LIQUID_PUMPS = 0.003


class Rated:
    """A controller that is made for a plant of the size that its first observation shows.

    Parameters
    ----------
    make : Callable
        Takes the IT load that the plant is built for [W].
    """

    def __init__(self, make: Callable[[float], Controller]) -> None:
        self._make = make
        self._controller: Controller

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past."""
        self._controller = self._make(observation["PPumLiq"] / _LIQUID_PUMPS)
        self._controller.reset(observation, boundary)

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> Mapping[str, float]:
        """Return the commands of the coming step."""
        return self._controller.action(observation, boundary)


def rule_book(controlled: Controlled) -> Rated:
    """Control the data centre by its rule book."""
    return _rated("rule-book", controlled, RuleBook)


def guideline36(controlled: Controlled) -> Rated:
    """Control the data centre by trim and respond, after ASHRAE Guideline 36."""
    return _rated("guideline-36", controlled, TrimAndRespond)


def _rated(name: str, controlled: Controlled, make: Callable[[float], Controller]) -> Rated:
    missing = [each for each in COMMANDS if each not in controlled.inputs]
    if missing:
        raise SettingsError(
            f"the controller {name} is for the data centre: this model has no input {missing[0]}; use hold, which "
            "leaves the inputs as they are"
        )
    return Rated(make)
