"""Trim and respond after ASHRAE Guideline 36-2021, *High-Performance Sequences of Operation for HVAC Systems*.

Chilled water (5.20.5): halls send requests while the valves of their coils are nearly open; every five minutes the
plant's reset is trimmed by 2 %, and raised by 3 % for each request, by 7 % at most. Up to half of it the pressure
difference rises to its greatest, beyond that the chilled water gets colder. Condenser water (5.20.11): the towers hold
the water's return at the chilled water's set point plus a lift that follows the load. Supply air: trimmed warmer and
raised colder by the same law, the requests being inlets near their limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trivium.plants.data_center.loops import Loops
from trivium.plants.data_center.rules import CAPACITY, Figures

_HALLS = (1, 2)
#: Of a reset, for each 300 s [1]: trimmed, raised for each request, raised at most.
_TRIM, _RESPOND, _MOST = 0.02, 0.03, 0.07
#: Valve position from which on a hall sends a request, and errors of the supply air for two and three of them [K].
_OPEN, _TWO, _THREE = 0.95, 1.7, 2.8
#: Ranges of what is reset: pressure difference [Pa], chilled water, supply air [K].
_PRESSURES, _CHILLED, _AIR = (4e4, 1.1e5), (282.15, 291.15), (291.15, 297.15)
#: Inlet air from which on a hall sends a request for colder supply air [K].
_WARM_INLET = 299.15
#: Lift of the condenser water's return over the chilled water's supply: least, and at full load [K].
_LIFTS = (6.7, 22.0)


class TrimAndRespond(Loops):
    """Guideline 36's resets on the loops of `Loops`; used like it."""

    def __init__(self, nominal: float, step: float = 300.0, figures: Figures | None = None) -> None:
        super().__init__(nominal, step, figures)
        self._plant, self._air_reset = 0.5, 0.5

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        """Return all commands but those of storage, for the coming step; see `RuleBook.action`."""
        valves = sum(self._requests(observation, hall) for hall in _HALLS)
        inlets = sum(observation[f"TInl{hall}"] > _WARM_INLET for hall in _HALLS)
        self._plant = self._respond(self._plant, valves)
        self._air_reset = self._respond(self._air_reset, inlets)
        warmest, coldest = _CHILLED[1], _CHILLED[0]
        self.figures = replace(
            self.figures,
            pressure=_PRESSURES[0] + (_PRESSURES[1] - _PRESSURES[0]) * min(2.0 * self._plant, 1.0),
            chilled=warmest - (warmest - coldest) * max(2.0 * self._plant - 1.0, 0.0),
            air=_AIR[1] - (_AIR[1] - _AIR[0]) * self._air_reset,
        )
        return super().action(observation, boundary)

    def _requests(self, observation: Mapping[str, float], hall: int) -> int:
        """Return how many requests for chilled water a hall sends."""
        error = observation[f"TSupAir{hall}"] - self.figures.air
        if error > _THREE:
            return 3
        if error > _TWO:
            return 2
        return int(observation[f"yVal{hall}"] > _OPEN)

    def _respond(self, reset: float, requests: int) -> float:
        change = min(_RESPOND * requests, _MOST) - _TRIM
        return max(min(reset + change * self._step / 300.0, 1.0), 0.0)

    def _condenser_target(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> float:
        if self._chillers == 0 or self._economizer:
            return super()._condenser_target(observation, boundary)
        load = sum(observation[f"QHal{hall}"] for hall in _HALLS) / (CAPACITY * self._nominal * self._chillers)
        lift = _LIFTS[0] + (_LIFTS[1] - _LIFTS[0]) * max(min(load, 1.0), 0.0)
        rise = observation["TConWatRet"] - observation["TConWatSup"]
        return self.figures.chilled + lift - rise
