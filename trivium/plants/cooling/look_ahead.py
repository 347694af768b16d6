"""A controller that looks ahead: the rule book, with figures that are tried out before they are used.

Every six hours some of the rules' figures are varied one after the other, and each variant is rehearsed: the plant is
simulated under it over the hours ahead, with the boundary data as they are forecast, and brought back. What is cheapest
in energy, set-point violation and switching together is kept. The search starts from the figures in use or from the
rule book's own, whichever does better, so that a rehearsal never looks worse than the rule book's. Forecasts err: where
the supply gets too warm all the same, the rule book's figures hold until the next search. It is a derivative-free
coordinate search in the manner of Hooke and Jeeves (1961), cut off after one round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trivium.control.controller import Rehearse
from trivium.plants.cooling.rules import RuleBasedController, Rules

#: Which figures are varied, and what they may be. Where a limit to add and one to take away a unit nearly meet, units
#: follow demand; the rule book keeps them apart, which costs energy and saves switching.
_OPTIONS: Mapping[str, Sequence[Any]] = {
    "free_tolerance": (0.0, 2.0),
    "tower_flow": ((150.0, 120.0), (110.0, 108.0), (80.0, 78.0), (200.0, 165.0)),
    "train_load": ((2.9e6, 2.3e6), (3.6e6, 3.5e6), (4.2e6, 4.1e6)),
    "free_below": (284.4, 285.2, 283.6),
    "partial_below": (287.4, 288.4, 286.4),
    "tower_approach": (4.0, 2.5, 5.5),
    "head_margin": (1.02, 1.0),
    "condenser_pump_flow": ((235.0, 195.0), (265.0, 220.0), (205.0, 170.0)),
}


@dataclass(frozen=True)
class Search:
    """How far and how often a look-ahead controller looks.

    Attributes
    ----------
    every : int
        Steps between two searches.
    horizon : int
        Steps of a rehearsal.
    guard : float
        How far above the set point the supply may be before the rule book's figures are used again [K].
    gain : float
        By which share a variant must be cheaper to be taken [1].
    weights : Mapping[str, float]
        Key performance indicators that are added up, and the weight of each: kWh for each kWh, K h or start.
    options : Mapping[str, Sequence]
        Figures of `Rules` and the values that they may take.
    """

    every: int = 72
    horizon: int = 96
    guard: float = 0.45
    gain: float = 0.002
    weights: Mapping[str, float] = field(
        default_factory=lambda: {"ener_tot": 1.0, "unserved_tot": 5.0, "tdis_tot": 1e5, "starts_chillers": 20.0}
    )
    options: Mapping[str, Sequence[Any]] = field(default_factory=lambda: _OPTIONS)


class LookAheadController:
    """The rule-based controller with figures found by rehearsal; used like it.

    Parameters
    ----------
    rehearse : Rehearse
        Simulates a controller from now on and brings the plant back.
    search : Search, optional
    rules : Rules, optional
        The rule book, from which figures are varied.
    """

    def __init__(self, rehearse: Rehearse, search: Search | None = None, rules: Rules | None = None) -> None:
        self._rehearse = rehearse
        self._search = search or Search()
        self._book = rules or Rules()
        self._controller = RuleBasedController(self._book)
        self._steps = 0
        #: Rehearsals that were made.
        self.rehearsals = 0

    @property
    def rules(self) -> Rules:
        """The figures in use."""
        return self._controller.rules

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past; see `RuleBasedController.reset`."""
        self._controller = RuleBasedController(self._book)
        self._controller.reset(observation, boundary)
        self._steps = 0

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        """Decide on the next 300 s; see `RuleBasedController.action`."""
        if self._steps % self._search.every == 0:
            self._controller = self._controller.revised(self._best_rules())
        elif observation["Tchw_supply"] > self.rules.supply + self._search.guard and self.rules != self._book:
            self._controller = self._controller.revised(self._book)
        self._steps += 1
        return self._controller.action(observation, boundary)

    def _best_rules(self) -> Rules:
        """Return the figures that rehearse best."""
        best, least = self.rules, self._cost(self.rules)
        if best != self._book:
            cost = self._cost(self._book)
            if cost < least:
                best, least = self._book, cost
        for name, values in self._search.options.items():
            for value in values:
                if value == getattr(best, name):
                    continue
                tried = replace(best, **{name: value})
                cost = self._cost(tried)
                if cost < least - self._search.gain * abs(least):
                    best, least = tried, cost
        return best

    def _cost(self, rules: Rules) -> float:
        self.rehearsals += 1
        return self._rehearse(self._controller.revised(rules), self._search.horizon, self._search.weights)
