"""Electric chiller: performance curves inside their fit, limits, and the unit's own sequence of start and stop."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.chiller import ZERO_CELSIUS, smooth_step
from workshop.data_center.parameters import Parameters

__all__ = ["Chiller", "Sequence"]

# What a fouled condenser adds to the condensing temperature at half of the clean heat transfer [K].
FOULING = 3.0
MIN_CAPACITY_RATIO = 0.05
# Value of a timer at which it has run down, and time constant with which a timer is set back [s].
READY, SET_BACK = 0.99, 30.0
# Below this a unit stands; above that its start has begun [1].
STANDING, BEGUN = 0.02, 0.002
# Time constants with which its switches find that something is wrong, and that it is right again [s]; below which a
# start may begin [1]. So a unit whose own valve takes the flow away from others does not start and stop all the time.
FINDS, CLEARS, CLEARED = 5.0, 20.0, 0.05
# Flow that a start wants over that of the flow switches [1].
PROVEN = 1.05
# Temperature below that of the high pressure switch from which on the unit is unloaded [K], and how far [1].
UNLOADING, UNLOADED = 4.0, 0.2


def _biquadratic(a: list[ca.SX], evaporator: ca.SX, condenser: ca.SX) -> ca.SX:
    e, c = evaporator - ZERO_CELSIUS, condenser - ZERO_CELSIUS
    return a[0] + a[1] * e + a[2] * e**2 + a[3] * c + a[4] * c**2 + a[5] * e * c


@dataclass(frozen=True)
class Chiller:
    """Electric chiller by energy input ratio.

    EnergyPlus Engineering Reference, "Electric Chiller Model Based on Condenser Entering Temperature"; the form of
    DOE-2. Capacity and energy input ratio are biquadratics of leaving chilled and entering condenser water temperature,
    the energy input ratio at part load a quadratic. Outside of the fit the capacity keeps its value at the edge. The
    energy input ratio is that of the same lift at the edge, and beyond the warmest condenser water it grows with the
    lift, so that the unit keeps its fraction of the reversed Carnot cycle. A lift below the least of the fit helps no
    more.

    Parameters
    ----------
    p : Parameters
    """

    p: Parameters

    def capacity(self, evaporator: ca.SX, condenser: ca.SX) -> ca.SX:
        """Heat that the unit can take [W] at leaving chilled and entering condenser water [K]."""
        curve = _biquadratic(self.p.series("chi.capFunT", 6), *self._inside(evaporator, condenser))
        return self.p["chi.QNom"] * self.p["PItNom"] * ca.fmax(curve, MIN_CAPACITY_RATIO)

    def input_ratio(self, evaporator: ca.SX, condenser: ca.SX) -> ca.SX:
        """Electric power over heat at full load, over that at reference conditions [-]."""
        p = self.p
        e, _ = self._inside(evaporator, condenser)
        same_lift = ca.fmax(condenser + e - evaporator, p["chi.TConMin"])
        c = ca.fmin(same_lift, p["chi.TConMax"])
        lift = p["chi.dTLift"] - e
        return _biquadratic(p.series("chi.EIRFunT", 6), e, c) * (same_lift + lift) / (c + lift)

    def part_load(self, ratio: ca.SX) -> ca.SX:
        """Electric power over that at full load [-] at a part load ratio [-]."""
        a = self.p.series("chi.EIRFunPLR", 3)
        r = ca.fmax(ratio, self.p["chi.PLRMin"])
        return a[0] + a[1] * r + a[2] * r**2

    def heat_and_power(
        self,
        demand: ca.SX,
        evaporator: ca.SX,
        condenser: ca.SX,
        leaving: ca.SX,
        clean: ca.SX,
    ) -> tuple[ca.SX, ca.SX]:
        """Heat taken from the chilled water and electric power [W] of a unit after its start ramp.

        Parameters
        ----------
        demand : casadi.SX
            Heat that would bring the leaving water to its set point [W].
        evaporator, condenser, leaving : casadi.SX
            Leaving chilled water, entering and leaving condenser water [K].
        clean : casadi.SX
            Heat transfer of the condenser over that of clean tubes [-].
        """
        p = self.p
        loaded = UNLOADED + (1.0 - UNLOADED) * smooth_step((p["chi.TConTri"] - leaving) / UNLOADING)
        condensing = condenser + FOULING * (1.0 / clean - 1.0)
        capacity = self.capacity(evaporator, condensing)
        frost = smooth_step((evaporator - p["chi.TFre"]) / 1.0)
        ratio = ca.fmin(frost * ca.fmax(demand, 0.0) / capacity, p["chi.PLRMax"])
        nominal = p["chi.QNom"] * p["PItNom"] / p["chi.COPNom"]
        power = capacity / p["chi.COPNom"] * self.input_ratio(evaporator, condensing) * self.part_load(ratio)
        limit = loaded * ca.fmin(1.0, p["chi.PMax"] * nominal / power)
        return limit * ratio * capacity, limit * power

    def safe(self, flows: tuple[ca.SX, ca.SX], leaving: ca.SX, run: ca.SX) -> ca.SX:
        """Whether no switch of the unit's own has to stop it: its flow switches and the one for high pressure.

        Parameters
        ----------
        flows : tuple of casadi.SX
            Of evaporator and condenser over nominal [-].
        leaving : casadi.SX
            Leaving condenser water [K].
        run : casadi.SX
            Of `Sequence`; a start wants some more flow.
        """
        least = self.p["chi.mMin"] * ca.if_else(run > BEGUN, 1.0, PROVEN)
        proven = ca.logic_and(*(flow >= least for flow in flows))
        return ca.logic_and(proven, leaving < self.p["chi.TConTri"])

    def _inside(self, evaporator: ca.SX, condenser: ca.SX) -> tuple[ca.SX, ca.SX]:
        """Return the nearest temperatures of the fit [K]."""
        p = self.p
        return (
            ca.fmin(ca.fmax(evaporator, p["chi.TEvaMin"]), p["chi.TEvaMax"]),
            ca.fmin(ca.fmax(condenser, p["chi.TConMin"]), p["chi.TConMax"]),
        )


@dataclass(frozen=True)
class Sequence:
    """The unit's own controller: a start ramp, switches that stop it, and timers that keep it from starting too often.

    Four states between 0 and 1: `run`, on above a half; `rest` and `duty`, the shares of the minimum off and on time
    that have passed; `trip`, what its switches have found, which stops it above a half and is latched until it stands.
    The off time begins once the unit stands; a start that is broken off begins it, too.
    """

    p: Parameters
    run: ca.SX
    rest: ca.SX
    duty: ca.SX
    trip: ca.SX

    def rates(self, command: ca.SX, healthy: ca.SX, safe: ca.SX) -> tuple[ca.SX, ca.SX, ca.SX, ca.SX]:
        """Derivatives of run, rest, duty and trip [1/s].

        Parameters
        ----------
        command : casadi.SX
            Whether it is to run.
        healthy : casadi.SX
            Whether it can: one that cannot stops at once, whatever its on time.
        safe : casadi.SX
            Whether its switches let it run.
        """
        p = self.p
        commanded, running = command >= 0.5, self.run > 0.5
        begun = self.run > BEGUN
        cleared = self.trip < ca.if_else(begun, 0.5, CLEARED)
        goes_on = ca.logic_or(commanded, self.duty < READY)
        starts = ca.logic_and(commanded, self.rest >= ca.if_else(begun, 0.5, READY))
        goes = ca.logic_and(ca.logic_and(healthy, cleared), ca.if_else(running, goes_on, starts))
        starting = ca.logic_and(goes, ca.logic_not(running))
        resting = ca.logic_and(ca.logic_not(goes), self.run < STANDING)
        latched = ca.logic_and(self.trip > 0.5, begun)
        found = ca.logic_or(ca.logic_not(safe), latched)

        def timer(value: ca.SX, counts: ca.SX, length: ca.SX) -> ca.SX:
            return ca.if_else(counts, ca.fmin((1.0 - value) / 0.002, 1.0) / length, -value / SET_BACK)

        return (
            ca.if_else(goes, (1.0 - self.run) / p["chi.tauSta"], -self.run / p["chi.tauSto"]),
            ca.if_else(starting, 0.0, timer(self.rest, resting, p["chi.tOffMin"])),
            timer(self.duty, running, p["chi.tOnMin"]),
            ca.if_else(found, (1.0 - self.trip) / FINDS, -self.trip / CLEARS),
        )

    @property
    def locked(self) -> ca.SX:
        """Time until the unit may change [s]."""
        p = self.p
        off, on = (READY - self.rest) * p["chi.tOffMin"], (READY - self.duty) * p["chi.tOnMin"]
        return ca.fmax(ca.if_else(self.run > 0.5, on, off), 0.0)
