"""The rule book with control loops: pumps, tower fans and air handlers follow what they are there for."""

from __future__ import annotations

from collections.abc import Mapping

from trivium.plants.data_center.rules import UNITS, Figures, RuleBook

_HALLS = (1, 2)
#: Gains of the integral controllers for each 300 s: of the pumps' speed by the relative error of the pressure [1], of
#: the fans' speed by the error of the temperature [1/K].
_PRESSURE_GAIN, _TEMPERATURE_GAIN = 0.15, 0.04
#: Air through idle servers over that at nominal load, and nominal air of the handlers over that of the servers [1].
_IDLE_AIR, _HANDLERS = 0.35, 1.25


class Loops(RuleBook):
    """The rule book, with integral controllers in place of constant speeds; used like it.

    The chilled water pumps hold the pressure difference at the halls, the fans of the towers the temperature of the
    condenser water, and the air handlers follow the air that the servers of their hall draw.
    """

    def __init__(self, nominal: float, step: float = 300.0, figures: Figures | None = None) -> None:
        super().__init__(nominal, step, figures)
        self._pump, self._fan = 0.0, 0.0

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start with the speeds that are."""
        super().reset(observation, boundary)
        self._pump, self._fan = observation["yPumChiWat"], observation["yFanTow"]

    def _speeds(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        f, beats = self.figures, self._step / 300.0
        error = (f.pressure - observation["dpChiWat"]) / f.pressure
        self._pump += _PRESSURE_GAIN * beats * max(min(error, 1.0), -1.0)
        self._pump = _within(self._pump, max(0.35, self._least_speed(observation)))
        warm = observation["TConWatSup"] - self._condenser_target(observation, boundary)
        self._fan = _within(self._fan + _TEMPERATURE_GAIN * beats * max(min(warm, 4.0), -4.0), 0.1)
        return {
            "yPumChiWat": self._pump,
            "yPumConWat": f.condenser_speed,
            "yFanTow": self._fan,
            **{f"yFanCra{hall}": self._air(observation[f"PIt{hall}"]) for hall in _HALLS},
        }

    def _least_speed(self, observation: Mapping[str, float]) -> float:
        """Return the speed of the chilled water pumps at which the chillers keep the water that they are staged by.

        Those that are to stop count too: they run on until their time is over.
        """
        before = observation["nPumChiWat"] * observation["yPumChiWat"]
        water = observation["mChiWat_flow"] * self._pumps
        chillers = max(self._chillers, sum(observation[f"yChi{unit}"] > 0.5 for unit in UNITS))
        needed = chillers * self.figures.keep_flow * self._nominal_water
        return needed * before / water if water > 0.0 else 0.0

    def _condenser_target(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> float:  # noqa: ARG002
        """Return what the condenser water from the towers should be [K]."""
        if self._chillers == 0:  # the economizer has to reach the set point alone
            return self.figures.chilled - 2.0
        target = max(boundary["TWetBul"] + self.figures.approach, self.figures.coldest)
        return min(target, self.figures.chilled) if self._economizer else target

    def _air(self, power: float) -> float:
        """Return the speed of a hall's air handlers for the power of its servers [W]."""
        share = power / (0.5 * self._nominal)
        return _within(self.figures.margin * (_IDLE_AIR + (1.0 - _IDLE_AIR) * share) / _HANDLERS, 0.3)


def _within(speed: float, least: float) -> float:
    return min(max(speed, least), 1.0)
