"""The rule book of the data centre: staging by load, economizer by temperature, constant speeds and set points.

What an operator's manual says, for a plant of any size; the other controllers of this plant (`loops`, `guideline36`)
change how speeds and set points are found, and stage units alike.

Chillers
    By the load that they share, with hysteresis and a dwell time; none where the economizer alone cools the water.
    Never more than the chilled water that flows is enough for: where valves close, fewer share it, before flow switches
    stop them.
Economizer
    Open while the condenser water is colder than the returning chilled water by a margin.
Pumps and cells
    As many pumps as chillers, a cell more; never none, because the cold plates need condenser water.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

UNITS = (1, 2, 3, 4)
_HALLS = (1, 2)
#: Capacity of a chiller over the IT load that the plant is built for [1].
CAPACITY = 0.36
#: Nominal chilled water of a chiller over the IT load that the plant is built for, 10 K of it [kg/(s.W)].
_WATER = CAPACITY / (4184.0 * 10.0)


@dataclass(frozen=True)
class Figures:
    """The figures of the rule book; temperatures in K, shares and relative speeds in 1.

    Attributes
    ----------
    chilled : float
        Set point of the chilled water.
    air, liquid : float
        Set points of the halls' supply air and of the cold plates' liquid.
    stage_up, stage_down : float
        Load of the running chillers over their capacity above which one more starts, and up to which one fewer will do.
    dwell : float
        Time between a change of the number of chillers and the next step down [s].
    keep_flow, start_flow : float
        Chilled water of a chiller over its nominal flow below which fewer share it, and that must be left for each
        before one more starts. Flow switches stop a chiller at 0.2.
    pumps_each : float
        Pumps in each loop for a chiller that runs [1].
    free_pumps : float
        Least number of pumps in each loop while the economizer is open [1].
    spare_cells : float
        Tower cells beyond the pumps of a loop [1].
    economizer_on, economizer_off : float
        How much colder than the returning chilled water the condenser water must be for the economizer, and when it
        closes [K].
    approach : float
        Of the condenser water to the wet bulb that the fans aim at while chillers run [K].
    coldest : float
        Condenser water that the fans do not go below while chillers run.
    chilled_speed, condenser_speed, tower_speed, hall_speed : float
        Speeds of pumps and fans where they are constant.
    pressure : float
        Pressure difference at the halls where the pumps hold it [Pa].
    margin : float
        Air of the air handlers over that of the servers where the fans follow the load.
    """

    chilled: float = 283.15
    air: float = 294.15
    liquid: float = 305.15
    stage_up: float = 0.85
    stage_down: float = 0.7
    dwell: float = 1800.0
    keep_flow: float = 0.3
    start_flow: float = 0.36
    pumps_each: float = 1.0
    free_pumps: float = 2.0
    spare_cells: float = 1.0
    economizer_on: float = 3.0
    economizer_off: float = 1.0
    approach: float = 4.0
    coldest: float = 289.15
    chilled_speed: float = 0.85
    condenser_speed: float = 0.85
    tower_speed: float = 0.8
    hall_speed: float = 0.85
    pressure: float = 1.1e5
    margin: float = 1.1


class RuleBook:
    """Controls a data centre by the rule book; call :meth:`reset` once, then :meth:`action` before every step.

    Parameters
    ----------
    nominal : float
        IT load that the plant is built for [W].
    step : float
        Time between two actions [s].
    figures : Figures, optional
    """

    def __init__(self, nominal: float, step: float = 300.0, figures: Figures | None = None) -> None:
        self.figures = figures or Figures()
        self._nominal, self._step = nominal, step
        self._nominal_water = _WATER * nominal
        self._chillers, self._since = len(UNITS) - 1, 0.0
        self._economizer = False

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:  # noqa: ARG002
        """Start without a past, with the chillers that are on."""
        self._chillers = sum(observation[f"uChi{unit}"] > 0.5 for unit in UNITS)
        self._since = self.figures.dwell
        self._economizer = observation["yValEco"] > 0.5

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        """Return all commands but those of storage, for the coming step.

        Parameters
        ----------
        observation : Mapping[str, float]
            Measurements of the plant and its commands, by name.
        boundary : Mapping[str, float]
            ``TWetBul`` [K].
        """
        self._switch_economizer(observation)
        self._stage(observation)
        commands = {f"uChi{unit}": float(unit <= self._chillers) for unit in UNITS}
        commands |= {
            "nPumChiWat": float(self._pumps),
            "nPumConWat": float(self._pumps),
            "nTow": float(min(self._pumps + self.figures.spare_cells, len(UNITS))),
            "yValEco": float(self._economizer),
            "TChiWatSupSet": self.figures.chilled,
            "TLiqSupSet": self.figures.liquid,
            **{f"TSupAirSet{hall}": self.figures.air for hall in _HALLS},
        }
        return {**commands, **self._speeds(observation, boundary)}

    @property
    def _pumps(self) -> int:
        """How many pumps run in each loop."""
        needed = math.ceil(self.figures.pumps_each * self._chillers)
        return int(max(needed, self.figures.free_pumps if self._economizer else 1))

    def _speeds(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:  # noqa: ARG002
        """Return the relative speeds of pumps and fans."""
        f = self.figures
        return {
            "yPumChiWat": f.chilled_speed,
            "yPumConWat": f.condenser_speed,
            "yFanTow": f.tower_speed,
            **{f"yFanCra{hall}": f.hall_speed for hall in _HALLS},
        }

    def _switch_economizer(self, observation: Mapping[str, float]) -> None:
        colder = observation["TChiWatRet"] - observation["TConWatSup"]
        self._economizer = colder > (self.figures.economizer_off if self._economizer else self.figures.economizer_on)

    def _stage(self, observation: Mapping[str, float]) -> None:
        """Decide how many chillers run."""
        f = self.figures
        self._since += self._step
        chilled = observation["TChiWatSupSet"]  # in force: another decides on it in some tasks
        share = self._share(observation)
        warm = observation["TChiWatSup"] > chilled + 1.5
        needed = next((count for count in range(len(UNITS)) if share <= f.stage_up * count), len(UNITS))
        if observation["TChiWatEnt"] <= chilled + 0.3 and not warm:
            needed = 0
        elif warm and needed <= self._chillers and self._since >= f.dwell:
            needed = min(self._chillers + 1, len(UNITS))
        kept, started = self._supplied(observation, f.keep_flow), self._supplied(observation, f.start_flow)
        if kept < self._chillers:
            self._chillers, self._since = kept, 0.0
        elif min(needed, started) > self._chillers:
            self._chillers, self._since = min(needed, started), 0.0
        elif (
            self._chillers > 0
            and self._since >= f.dwell
            and (needed == 0 or share <= f.stage_down * (self._chillers - 1))
            and not warm
        ):
            self._chillers, self._since = self._chillers - 1, 0.0

    def _share(self, observation: Mapping[str, float]) -> float:
        """Return the load that the economizer leaves over the capacity of a chiller [1]."""
        total = sum(observation[f"QHal{hall}"] for hall in _HALLS)
        return max(total - max(observation["QEco"], 0.0), 0.0) / (CAPACITY * self._nominal)

    def _supplied(self, observation: Mapping[str, float], least: float) -> int:
        """Return for how many chillers the chilled water is enough, at this share of nominal flow for each."""
        return int(observation["mChiWat_flow"] / (least * self._nominal_water))
