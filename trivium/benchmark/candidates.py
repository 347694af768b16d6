"""Controllers that the look-ahead chooses from, and that plans begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from trivium.control.controller import Controller
from trivium.plants.data_center.guideline36 import TrimAndRespond
from trivium.plants.data_center.loops import Loops
from trivium.plants.data_center.rules import Figures, RuleBook

#: Makes a controller for the IT load that the plant is built for [W] and the control step [s].
Make = Callable[[float, float], Controller]


def _with(kind: type[RuleBook], **figures: float) -> Make:
    return lambda nominal, step: kind(nominal, step, replace(Figures(), **figures))


#: Few pumps, which more water flows through each of, and many cells.
_FEW = {"pumps_each": 0.5, "free_pumps": 1, "spare_cells": 2}
#: Their set points alone: warmer water and air.
_WARM = ({"chilled": 286.15, "air": 296.15}, {"chilled": 289.15, "air": 297.15})
#: By kind of task: those that differ in what is decided on there, the rule book first.
CANDIDATES: Mapping[str, Sequence[Make]] = {
    "Staging": (
        RuleBook,
        _with(RuleBook, stage_up=0.95),
        _with(RuleBook, free_pumps=1, spare_cells=2),
        _with(RuleBook, **_FEW),
    ),
    "SetPoints": (RuleBook, TrimAndRespond, *(_with(RuleBook, **figures) for figures in _WARM)),
    "Full": (
        RuleBook,
        Loops,
        TrimAndRespond,
        _with(Loops, **_WARM[0]),
        _with(Loops, **_WARM[1], pressure=7e4),
        _with(Loops, **_WARM[1], pressure=5e4, approach=7.0, condenser_speed=0.7),
        _with(Loops, **_WARM[1], pressure=5e4, approach=7.0, condenser_speed=0.7, **_FEW),
        _with(TrimAndRespond, condenser_speed=0.7, stage_up=0.95),
    ),
}
