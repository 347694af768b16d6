"""Rule-based baseline controller of the cooling plant.

What an operator's rule book says, with the figures of the reference plant's operation (docs/baseline.md):

Mode
    By the wet bulb temperature, averaged over an hour, with hysteresis and a minimum stay: free cooling, partial (the
    heat exchangers pre-cool, the chillers finish) or chillers alone. Free cooling that does not hold the supply
    temperature with all fans at full speed gives way to partial cooling earlier.
Staging
    Trains by flow where heat exchangers are in use, else by load; pumps and towers by flow; each with hysteresis. A
    train that is replaced stays in service until its successor's valves have opened. The leading train, pump and tower
    change every fortnight, so all wear alike.
Speeds
    Pumps: the speed at which the pump's curve meets the head at the flow share. Fans: one after the other at minimum
    speed, then all together faster, until the water is as cold as the mode wants it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from trivium.plants.cooling.pumps import chilled_pump_speed, condenser_pump_speed
from trivium.plants.cooling.staging import Stage, settle

UNITS = 6
_ALL = range(1, UNITS + 1)


class Mode(Enum):
    """How the trains in service cool.

    Attributes
    ----------
    valves : tuple of int
        Which of the valves 1 to 4 are open, on both sides.
    drop : float
        Head that a train takes on the condenser side over its flow squared [m s2/kg2].
    """

    valves: tuple[int, int]
    drop: float

    FREE = ((2, 3), 2.38e-3)
    PARTIAL = ((3, 4), 2.20e-3)
    CHILLER = ((1, 4), 3.61e-5)

    def __init__(self, valves: tuple[int, int], drop: float) -> None:
        self.valves = valves
        self.drop = drop


@dataclass(frozen=True)
class Rules:
    """The figures of the rule book; temperatures in K, flows in kg/s, times in steps of 300 s.

    `free_tolerance` is how far above its set point the supply may be before free cooling wants more air; at 0, as the
    rule book has it, fans that a rare peak has called stay on while the supply is held exactly.
    """

    supply: float = 287.15
    free_below: float = 284.4
    partial_below: float = 287.4
    mode_band: float = 0.6
    mode_stay: int = 12
    free_tolerance: float = 0.0
    give_up_error: float = 0.8
    give_up_after: int = 3
    give_up_memory: float = 1.0
    tower_approach: float = 4.0
    coldest_condenser_water: float = 289.15
    frost_guard: float = 277.15
    cold: tuple[float, float] = (272.15, 278.15)
    cold_share: float = 0.45
    train_flow: tuple[float, float] = (95.0, 80.0)
    train_load: tuple[float, float] = (2.9e6, 2.3e6)
    tower_flow: tuple[float, float] = (150.0, 120.0)
    condenser_pump_flow: tuple[float, float] = (235.0, 195.0)
    chilled_pump_flow: tuple[float, float] = (170.0, 140.0)
    lift: float = 9.0
    tower_drop: float = 1.04e-4
    head_margin: float = 1.02
    head_margin_anew: float = 1.2
    fan_minimum: float = 0.6
    fan_step: float = 0.05
    fan_stay: int = 6
    fan_stay_error: float = 4.0
    rotate_every: int = 14 * 288


_WATER = 4186.0


class RuleBasedController:
    """The baseline controller; call :meth:`reset` once, then :meth:`action` every 300 s.

    Parameters
    ----------
    rules : Rules, optional
        The figures it goes by.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past.

        Parameters
        ----------
        observation : mapping
            Measurements of the plant by name [K, m, m3/s, W].
        boundary : mapping
            ``Twb_outside`` [K], ``Mchw`` [kg/s] and ``Tchw_r`` [K].
        """
        r = self.rules
        self._leader = 0
        self._led = 0
        self._calm = r.mode_stay
        self._running: set[str] = set()
        self._wet_bulb = boundary["Twb_outside"]
        self._stay = r.mode_stay
        self._starved = 0
        self._free_limit = math.inf
        self.mode = (
            Mode.FREE
            if self._wet_bulb < r.free_below
            else Mode.PARTIAL
            if self._wet_bulb < r.partial_below
            else Mode.CHILLER
        )
        flow = boundary["Mchw"]
        self._stages = tuple(Stage(*limits) for limits in _limits(r))
        self._flow_trains, self._load_trains, self._towers, self._condenser_pumps, self._chilled_pumps = self._stages
        self._flow_trains.start(flow)
        self._load_trains.start(_load(boundary, r.supply))
        condenser_flow = _condenser_flow(observation, boundary, r.supply)
        self._towers.start(condenser_flow * self._tower_share())
        self._condenser_pumps.start(condenser_flow)
        self._chilled_pumps.start(flow)
        self._trains: list[int] = []
        self._wet_towers = self._lead(self._towers.count)
        self._in_service: tuple[object, ...] = ()
        self._design_head = math.inf
        self._head_ratio = 1.0
        self._condenser_speed = 0.0
        self._chilled_speed = 0.0
        self._fan_level = 2 * self._towers.count
        self._fan_change = 0
        self._fan_calm = r.fan_stay

    def revised(self, rules: Rules) -> RuleBasedController:
        """Return a copy that has the same past and goes on by other figures."""
        candidate = copy.deepcopy(self)
        candidate.rules = rules
        for stage, limits in zip(candidate._stages, _limits(rules), strict=True):
            stage.limit(*limits)
        return candidate

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        """Decide on the next 300 s.

        Parameters
        ----------
        observation, boundary : mapping
            As for :meth:`reset`; the boundary is that of the coming step.

        Returns
        -------
        dict
            The plant's 100 control inputs by name.
        """
        r = self.rules
        if self._update_mode(observation, boundary):
            self._stay, self._starved = 0, 0
        if self._led >= r.rotate_every and self._calm >= r.mode_stay:
            self._leader, self._led = self._leader + 1, 0
            for stage in self._stages:
                stage.hold()
        flow = boundary["Mchw"]
        by_flow, by_load = self._flow_trains.update(flow), self._load_trains.update(_load(boundary, r.supply))
        trains = by_load if self.mode is Mode.CHILLER else by_flow
        if self.mode is not Mode.FREE and self._calm < r.mode_stay:
            trains = max(trains, len(self._trains))  # no chiller stops within the hour after a start
        condenser_flow = _condenser_flow(observation, boundary, r.supply)
        towers = self._towers.update(condenser_flow * self._tower_share())
        condenser_pumps = self._condenser_pumps.update(condenser_flow)
        chilled_pumps = self._chilled_pumps.update(flow)
        head = self._head(observation, condenser_flow, trains, towers)
        self._condenser_speed = settle(
            self._condenser_speed, condenser_pump_speed(head, condenser_flow / 1000.0 / condenser_pumps), 10.0, 15.0
        )
        self._chilled_speed = settle(
            self._chilled_speed, chilled_pump_speed(flow, flow / 1000.0 / chilled_pumps), 10.0, 15.0
        )
        self._update_fans(observation, towers)

        action = dict.fromkeys(INPUTS, 0.0)
        self._set_trains(action, self._lead(trains))
        for i in self._lead(condenser_pumps):
            action[f"CDWP0{i}_ONOFF"] = 1.0
            action[f"CDWP0{i}_rpm"] = self._condenser_speed
        for i in self._lead(chilled_pumps):
            action[f"CHWP0{i}_ONOFF"] = 1.0
            action[f"CHWP0{i}_rpm"] = self._chilled_speed
        action["CWP_activatedNumber"] = float(condenser_pumps)
        action["CWP_speedInput"] = self._condenser_speed
        action["Tchws_set_CHI"] = action["Tchws_set_HEX"] = r.supply
        self._set_towers(action, self._lead(towers))
        running = {name for name in _SWITCHES if action[name] == 1.0}
        self._calm = 0 if running - self._running else self._calm + 1
        self._running = running
        self._led += 1
        self._stay += 1
        return action

    def _update_mode(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> bool:
        """Decide on the mode; return whether it changed."""
        r = self.rules
        self._wet_bulb += (boundary["Twb_outside"] - self._wet_bulb) / 12.0
        wet_bulb, before = self._wet_bulb, self.mode
        error = observation["Tchw_supply"] - r.supply
        full = self._fan_level >= self._most_fan_level(self._towers.count)
        self._starved = self._starved + 1 if before is Mode.FREE and full and error > r.give_up_error else 0
        if self._starved >= r.give_up_after:
            self._free_limit = wet_bulb - r.give_up_memory
            self.mode = Mode.PARTIAL
        elif self._stay < r.mode_stay or (before is Mode.PARTIAL and self._calm < r.mode_stay):
            return False
        elif before is Mode.FREE and wet_bulb > r.free_below + r.mode_band:
            self.mode = Mode.PARTIAL
        elif before is Mode.PARTIAL and wet_bulb > r.partial_below + r.mode_band:
            self.mode = Mode.CHILLER
        elif before is Mode.CHILLER and wet_bulb < r.partial_below - r.mode_band:
            self.mode = Mode.PARTIAL
        elif before is Mode.PARTIAL and wet_bulb < min(r.free_below - r.mode_band, self._free_limit):
            self.mode, self._free_limit = Mode.FREE, math.inf
        return self.mode is not before

    def _head(self, observation: Mapping[str, float], flow: float, trains: int, towers: int) -> float:
        """Head [m] to expect at a condenser water flow [kg/s]: by the loop's design, corrected by what the pumps met.

        The last measurement is not informative if other units were in service. More head is expected then: too much
        means too much flow, too little may mean none.
        """
        r = self.rules
        design = r.lift + self.mode.drop * (flow / trains) ** 2 + r.tower_drop * (flow / towers) ** 2
        in_service = (
            self.mode,
            *_overlap(self._lead(trains), self._trains),
            0,
            *_overlap(self._lead(towers), self._wet_towers),
        )
        heads = [observation[f"H_CDWP{i}"] for i in _ALL if observation[f"H_CDWP{i}"] > 1.0]
        if in_service == self._in_service and heads:
            self._head_ratio = min(max(sum(heads) / len(heads) / self._design_head, 0.6), 1.4)
            margin = r.head_margin
        else:
            self._head_ratio, margin = 1.0, r.head_margin_anew
        self._in_service, self._design_head = in_service, design
        return margin * self._head_ratio * design

    def _update_fans(self, observation: Mapping[str, float], towers: int) -> None:
        r = self.rules
        if self.mode is Mode.FREE:
            # the heat exchangers' valves hold the supply; the towers only have to offer water that is cold enough
            over = observation["Tchw_supply"] - r.supply - r.free_tolerance
            error = max(over, observation["Tcw_supply"] - (r.supply - 0.7))
        elif self.mode is Mode.PARTIAL:
            error = observation["Tcw_supply"] - (r.supply - 0.7)
        else:
            target = max(self._wet_bulb + r.tower_approach, r.coldest_condenser_water)
            error = observation["Tcw_supply"] - target
        # one fan more or less is a coarse step in cold weather, hence the wider band below full count
        slack = 0.7 if self._fan_level > 2 * towers else 1.8
        change = int(error > 0.5) + int(error > 2.0) - int(error < -slack) - int(error < -slack - 1.5)
        coldest = min(observation[f"Tlvg_CT{i}_0{cell}"] for i in self._lead(towers) for cell in (1, 2))
        if coldest < r.frost_guard:
            change = min(change, -1)
        elif coldest < r.frost_guard + 2.0:
            change = min(change, 0)
        elif change * self._fan_change < 0 and self._fan_calm < r.fan_stay and abs(error) < r.fan_stay_error:
            change = 0  # back and forth every few minutes wears the fans out and gains nothing
        self._fan_calm = 0 if change else self._fan_calm + 1
        self._fan_change = change or self._fan_change
        self._fan_level = min(max(self._fan_level + change, 0), self._most_fan_level(towers))

    def _tower_share(self) -> float:
        """Share of the condenser water for which towers are staged: in frost few cells in use stay warmer [-]."""
        low, high = self.rules.cold
        warmth = min(max((self._wet_bulb - low) / (high - low), 0.0), 1.0)
        return self.rules.cold_share + (1.0 - self.rules.cold_share) * warmth

    def _most_fan_level(self, towers: int) -> int:
        return 2 * towers + round((1.0 - self.rules.fan_minimum) / self.rules.fan_step)

    def _lead(self, count: int) -> list[int]:
        """Numbers of the units in service, from the one that leads this fortnight."""
        return [(self._leader + k) % UNITS + 1 for k in range(count)]

    def _set_trains(self, action: dict[str, float], target: list[int]) -> None:
        for i in _overlap(target, self._trains):
            for valve in self.mode.valves:
                action[f"CHI0{i}_CW{valve}"] = 1.0
                action[f"CHI0{i}_CHW{valve}"] = 1.0
            action[f"CHI0{i}"] = 0.0 if self.mode is Mode.FREE else 1.0
        self._trains = target

    def _set_towers(self, action: dict[str, float], target: list[int]) -> None:
        in_service = _overlap(target, self._wet_towers)
        # A tower that starts gets its water first: fans over a cell that is still filling would freeze it.
        wet = [i for i in in_service if i in self._wet_towers]
        fans = [f"Ffan_CT{i}_0{cell}" for cell in (1, 2) for i in wet]
        faster = max(self._fan_level - 2 * len(target), 0) * self.rules.fan_step
        for fan in fans[: self._fan_level]:
            action[fan] = round(self.rules.fan_minimum + faster, 2)
        for i in in_service:
            action[f"U_CT{i}"] = 1.0
        self._wet_towers = target


def _limits(r: Rules) -> tuple[tuple[float, float], ...]:
    return r.train_flow, r.train_load, r.tower_flow, r.condenser_pump_flow, r.chilled_pump_flow


def _overlap(target: list[int], before: list[int]) -> list[int]:
    """Units to have in service: where one starts, those that leave stay until its valves have opened."""
    starting = any(i not in before for i in target)
    return target + [i for i in before if starting and i not in target]


def _load(boundary: Mapping[str, float], supply: float) -> float:
    """Heat to take from the chilled water [W]."""
    return boundary["Mchw"] * _WATER * max(boundary["Tchw_r"] - supply, 0.0)


def _condenser_flow(observation: Mapping[str, float], boundary: Mapping[str, float], supply: float) -> float:
    """Condenser water flow wanted [kg/s]: as warm a rise as the chilled water's fall, and a little more."""
    chillers = max(observation["P_Chillers_sum"], 0.0) / (_WATER * max(boundary["Tchw_r"] - supply, 1.0))
    return 1.05 * (boundary["Mchw"] + min(chillers, 0.4 * boundary["Mchw"]))


def _input_names() -> tuple[str, ...]:
    names = [f"U_CT{i}" for i in _ALL] + [f"Ffan_CT{i}_0{cell}" for i in _ALL for cell in (1, 2)]
    for pump in ("CDWP", "CHWP"):
        names += [f"{pump}0{i}_{signal}" for i in _ALL for signal in ("ONOFF", "rpm")]
    names += [f"CHI0{i}" for i in _ALL]
    names += [f"CHI0{i}_{side}{valve}" for i in _ALL for side in ("CW", "CHW") for valve in (1, 2, 3, 4)]
    return (*names, "CWP_activatedNumber", "CWP_speedInput", "Tchws_set_CHI", "Tchws_set_HEX")


#: Names of the plant's 100 control inputs.
INPUTS = _input_names()
#: Names of the boundary data: wet bulb temperature outside [K], flow [kg/s] and return temperature [K] of the chilled
#: water.
BOUNDARY = ("Twb_outside", "Mchw", "Tchw_r")

#: Those that put a chiller, a tower or a pump into service.
_SWITCHES = tuple(name for name in INPUTS if name.startswith("U_CT") or name.endswith("ONOFF") or len(name) == 5)
