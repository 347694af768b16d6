"""Electric water-cooled chiller."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.parameters import Parameters

__all__ = ["Chiller", "smooth_step"]

ZERO_CELSIUS = 273.15
# Floors of the correlations, which turn negative far outside of the conditions that they were fitted to.
MIN_CAPACITY_RATIO = 0.05
MIN_INPUT_RATIO = 0.02


def smooth_step(x: ca.SX) -> ca.SX:
    """0 for x <= 0, 1 for x >= 1, and 3x^2 - 2x^3 between: the once differentiable Hermite step."""
    t = ca.fmin(ca.fmax(x, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@dataclass(frozen=True)
class Chiller:
    """Reformulated EIR chiller (Hydeman et al. 2002; EnergyPlus Engineering Reference, ElectricReformulatedEIR).

    Capacity and power are functions of the leaving evaporator and leaving condenser water temperatures and of the part
    load; all electric power ends in the condenser. The unit's own power factor jumps with the leaving condenser water
    temperature; it is smoothed over `chiller.stepWidth`, so that no integrator sees a jump. Power is at least that of a
    reversed Carnot cycle.

    Parameters
    ----------
    unit : int
        1 ... 6.
    p : Parameters
    """

    unit: int
    p: Parameters

    def _biquadratic(self, name: str, evaporator: ca.SX, condenser: ca.SX) -> ca.SX:
        a = self.p.series(f"chiller.{name}", 6)
        e, c = evaporator, condenser
        return a[0] + a[1] * e + a[2] * e**2 + a[3] * c + a[4] * c**2 + a[5] * e * c

    def _part_load(self, condenser: ca.SX, ratio: ca.SX) -> ca.SX:
        a = self.p.series("chiller.EIRFunPLR", 10)
        c, r = condenser, ratio
        linear = a[0] + a[1] * c + a[2] * c**2 + a[3] * r + a[4] * r**2 + a[5] * c * r
        return linear + a[6] * c**3 + a[7] * r**3 + a[8] * c**2 * r + a[9] * c * r**2

    def power_factor(self, condenser: ca.SX) -> ca.SX:
        """The unit's power over the formula's [-] at leaving condenser water temperature [degC]."""
        factors = self.p.series(f"chiller{self.unit}.powerFactor", 3)
        steps = self.p.series(f"chiller{self.unit}.powerStep", 2)
        width = self.p["chiller.stepWidth"]
        value = factors[0]
        for before, after, at in zip(factors, factors[1:], steps, strict=False):
            value = value + (after - before) * smooth_step((condenser - at) / width + 0.5)
        return value

    def heat_and_power(
        self, on: ca.SX, m_flow: ca.SX, entering: ca.SX, leaving: ca.SX, condenser: ca.SX, set_point: ca.SX
    ) -> tuple[ca.SX, ca.SX]:
        """Heat taken from the chilled water and electric power.

        Parameters
        ----------
        on : casadi.SX
            Switch, on from 0.5 upwards.
        m_flow : casadi.SX
            Chilled water flow [kg/s].
        entering, leaving, condenser, set_point : casadi.SX
            Temperatures of entering and leaving chilled water, of leaving condenser water, and set point [K].

        Returns
        -------
        heat, power : casadi.SX
            Both [W], both at least 0.
        """
        p = self.p
        evaporator_c, condenser_c = leaving - ZERO_CELSIUS, condenser - ZERO_CELSIUS
        running = ca.if_else(on >= 0.5, 1.0, 0.0)
        trip = smooth_step(
            (p["chiller.TConTripEnd"] - condenser_c) / (p["chiller.TConTripEnd"] - p["chiller.TConTripStart"])
        )
        capacity = p["chiller.Q_nominal"] * ca.fmax(
            self._biquadratic("capFunT", evaporator_c, condenser_c), MIN_CAPACITY_RATIO
        )
        demand = ca.fmax(m_flow * p["water.cp"] * (entering - set_point), 0.0)
        # The low-temperature cut-out keeps the evaporator from freezing whatever the set point.
        frost = smooth_step((evaporator_c - 0.5) / 1.0)
        demand = running * trip * frost * demand
        heat = ca.fmin(demand, capacity)
        ratio = ca.fmin(demand / capacity, p["chiller.PLRMax"])
        cycling = ca.fmin(ratio / p["chiller.PLRMin"], 1.0)
        eir = ca.fmax(self._biquadratic("EIRFunT", evaporator_c, condenser_c), MIN_INPUT_RATIO)
        part = ca.fmax(self._part_load(condenser_c, ca.fmax(ratio, p["chiller.PLRMin"])), MIN_INPUT_RATIO)
        power = capacity / p["chiller.COP_nominal"] * eir * part * cycling * self.power_factor(condenser_c)
        power = ca.fmax(power, heat * ca.fmax(condenser / leaving - 1.0, 0.0))
        # The motor's current limit: far outside of the correlations' range the unit gives less cooling rather than draw
        # more power.
        most = p["chiller.PMax"] * p["chiller.Q_nominal"] / p["chiller.COP_nominal"]
        limit = most / ca.fmax(power, most)
        return limit * heat, limit * power
