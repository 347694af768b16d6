"""Faults of sensors and actuators, between a controller and the plant.

``bias``
    The sensor shows `size` more than there is.
``drift``
    The same, growing from 0 at the start of the fault to `size` at its end.
``freeze``
    The sensor shows what it showed when the fault began.
``stuck``
    The actuator stands at `size`, whatever is commanded.

A sensor that a local loop of the plant controls by takes the loop with it: the loop brings what the sensor shows to the
set point, so the real value is off by as much the other way. Commands are seen as they were given, not as they act, as
where an actuator has no feedback of its position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.evaluation.faults import Fault

#: Kinds of faults that lie between a controller and the plant.
KINDS = ("bias", "drift", "freeze", "stuck")


class Instruments:
    """Sensors and actuators with faults; healthy where there are none.

    Parameters
    ----------
    faults : sequence of Fault
        Of the kinds in `KINDS`.
    loops : Mapping[str, str]
        The command that is the set point of each signal that a local loop controls.
    """

    def __init__(self, faults: Sequence[Fault] = (), loops: Mapping[str, str] | None = None) -> None:
        self._faults, self._loops = tuple(faults), dict(loops or {})
        self._frozen: dict[Fault, float] = {}
        self._commands: dict[str, float] = {}

    def sensed(self, time: float, values: Mapping[str, float]) -> Mapping[str, float]:
        """Return measurements and commands by name as a controller observes them at a time [s]."""
        if not self._faults:
            return values
        sensed = {**values, **self._commands}
        for fault in self._faults:
            if not fault.active(time):
                continue
            if fault.kind == "freeze":
                sensed[fault.signal] = self._frozen.setdefault(fault, sensed[fault.signal])
            elif fault.kind != "stuck":
                sensed[fault.signal] += error(fault, time)
        return sensed

    def acting(self, time: float, commands: Mapping[str, float]) -> dict[str, float]:
        """Return what acts from a time [s] on under some commands; with faults, those of before are among it."""
        if not self._faults:
            return dict(commands)
        self._commands |= commands
        acting = dict(self._commands)
        for fault in self._faults:
            if not fault.active(time):
                continue
            set_point = self._loops.get(fault.signal)
            if fault.kind == "stuck":
                acting[fault.signal] = fault.size
            elif set_point in acting and fault.kind != "freeze":
                acting[set_point] -= error(fault, time)
        return acting


def error(fault: Fault, time: float) -> float:
    """Return how much more than there is a sensor with a bias or a drift shows at a time [s] [unit of the signal]."""
    if fault.kind == "bias":
        return fault.size
    return fault.size * (time - fault.start) / (fault.end - fault.start)
