"""The controllers of the cooling plant, as entry points."""

from __future__ import annotations

from trivium.control.controller import Controlled
from trivium.errors import SettingsError
from trivium.plants.cooling.look_ahead import LookAheadController
from trivium.plants.cooling.rules import INPUTS, RuleBasedController


def rules(controlled: Controlled) -> RuleBasedController:
    """Control by the rule book."""
    _require_plant("rules", controlled)
    return RuleBasedController()


def look_ahead(controlled: Controlled) -> LookAheadController:
    """Control by the rule book, with figures that are rehearsed first."""
    _require_plant("look-ahead", controlled)
    return LookAheadController(controlled.rehearsal())


def _require_plant(name: str, controlled: Controlled) -> None:
    missing = [each for each in INPUTS if each not in controlled.inputs]
    if missing:
        raise SettingsError(
            f"the controller {name} is for the cooling plant: this model has no input {missing[0]}; use hold, which "
            "leaves the inputs as they are"
        )
