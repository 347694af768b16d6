"""Centrifugal pumps: curves, affinity laws, and how unequal pumps in parallel share a prescribed flow."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.parameters import Parameters

__all__ = ["Pump", "share_flow"]

# Newton steps of the flow balance. Equal pumps are solved by the first guess; 16 bring any mix of speeds
# and valve positions to 1e-9 of the flow (tested).
ITERATIONS = 16
PASCAL_PER_METRE = 1e4  # the plant's own convention for heads: 1 m is 10 kPa


@dataclass(frozen=True)
class Pump:
    """Curves of one kind of pump.

    The measured curves are quadratics of the volume flow at nominal speed, straight below their first and above their
    last point; at another speed ratio w they follow the affinity laws V ~ w, dp ~ w^2, P ~ w^3 (Gulich, Centrifugal
    Pumps, 2014, section 3.4).

    Parameters
    ----------
    kind : str
        ``"CDWP"`` or ``"CHWP"``.
    p : Parameters
    """

    kind: str
    p: Parameters

    def __getitem__(self, key: str) -> ca.SX:
        """Parameter `key` of this kind of pump."""
        return self.p[f"{self.kind}.{key}"]

    def speed_ratio(self, rpm: ca.SX) -> ca.SX:
        """Speed [rpm] over the speed of the curves [-]."""
        return ca.fmax(rpm, 0.0) / self["N_nominal"]

    def _curve(self, quantity: str, v: ca.SX) -> ca.SX:
        """Value of a curve (``"dp"`` [Pa] or ``"P"`` [W]) at nominal speed and volume flow v [m3/s]."""
        low, high = self["V_min"], self["V_max"]
        inside = ca.fmin(ca.fmax(v, low), high)
        value = self[f"{quantity}_a"] + self[f"{quantity}_b"] * inside + self[f"{quantity}_c"] * inside**2
        return value + self[f"{quantity}_lo"] * ca.fmin(v - low, 0.0) + self[f"{quantity}_hi"] * ca.fmax(v - high, 0.0)

    def pressure_rise(self, v: ca.SX, w: ca.SX) -> ca.SX:
        """Pressure rise [Pa] at volume flow v [m3/s] and speed ratio w [-]; 0 at standstill."""
        return w**2 * self._curve("dp", v / ca.fmax(w, 1e-6))

    def power(self, v: ca.SX, w: ca.SX) -> ca.SX:
        """Electric power [W] at volume flow v [m3/s] and speed ratio w [-]; 0 at standstill."""
        return w**3 * self._curve("P", v / ca.fmax(w, 1e-6))

    def head(self, v: ca.SX, w: ca.SX) -> ca.SX:
        """Head [m]; 0 where the flow exceeds run-out, as no circuit draws more than that through a pump by itself."""
        return ca.fmax(self.pressure_rise(v, w), 0.0) / PASCAL_PER_METRE

    def efficiency(self, v: ca.SX, w: ca.SX) -> ca.SX:
        """Hydraulic over electric power [-]; 0 at standstill."""
        return v * ca.fmax(self.pressure_rise(v, w), 0.0) / ca.fmax(self.power(v, w), 1e-3)

    def shut_off(self, w: ca.SX) -> ca.SX:
        """Pressure rise [Pa] without flow."""
        return w**2 * self._curve("dp", ca.SX(0.0))

    def run_out(self, w: ca.SX) -> ca.SX:
        """Volume flow [m3/s] at which the pressure rise is 0."""
        return w * (self["V_max"] - self._curve("dp", self["V_max"]) / self["dp_hi"])

    def flow(self, dp: ca.SX, w: ca.SX, k: ca.SX) -> tuple[ca.SX, ca.SX]:
        """Volume flow of a pump with its valve against a header pressure, with a check valve.

        Solves a_j + b_j V + (c_j - rho^2/k^2) V^2 = dp on the part j of the curve on which the solution lies.

        Parameters
        ----------
        dp : casadi.SX
            Pressure rise of the header [Pa].
        w, k : casadi.SX
            Speed ratio [-] and flow coefficient of the valve [kg/(s.Pa^0.5)].

        Returns
        -------
        v, dv : casadi.SX
            Volume flow [m3/s] and its derivative to the header pressure [m3/(s.Pa)], both 0 above shut-off.
        """
        low, high = self["V_min"] * w, self["V_max"] * w
        friction = (self.p["water.rho"] / k) ** 2
        at_low = w**2 * self._curve("dp", self["V_min"])
        at_high = w**2 * self._curve("dp", self["V_max"])
        below, above = dp > at_low - friction * low**2, dp < at_high - friction * high**2

        def pick(low_part: ca.SX, middle: ca.SX, high_part: ca.SX) -> ca.SX:
            return ca.if_else(below, low_part, ca.if_else(above, high_part, middle))

        a = pick(at_low - self["dp_lo"] * w * low, w**2 * self["dp_a"], at_high - self["dp_hi"] * w * high) - dp
        b = w * pick(self["dp_lo"], self["dp_b"], self["dp_hi"])
        c = pick(ca.SX(0.0), self["dp_c"], ca.SX(0.0)) - friction
        discriminant = b**2 - 4.0 * a * c
        root = ca.sqrt(ca.fmax(discriminant, 1e-12))
        v = (b + root) / (-2.0 * c)
        runs = ca.logic_and(discriminant > 1e-12, v > 0.0)
        return ca.if_else(runs, v, 0.0), ca.if_else(runs, -1.0 / root, 0.0)


def share_flow(pump: Pump, total: ca.SX, w: list[ca.SX], k: list[ca.SX]) -> list[ca.SX]:
    """Share a prescribed flow among pumps in parallel so that all see one header pressure.

    The sum of the pumps' flows falls with the header pressure, so one safeguarded Newton iteration finds it.

    Parameters
    ----------
    pump : Pump
        Their common kind.
    total : casadi.SX
        Volume flow of all [m3/s], at least the leakage floor of the plant.
    w, k : list of casadi.SX
        Speed ratios [-] and flow coefficients of the pumps' valves [kg/(s.Pa^0.5)].

    Returns
    -------
    list of casadi.SX
        Volume flow of each [m3/s]; they add up to `total` exactly.
    """
    top = pump.shut_off(ca.mmax(ca.vertcat(*w)))
    lower, upper = -top - 1.0, top + 1.0
    strength = [
        ca.fmin(wi * pump["V_max"], ki * ca.sqrt(ca.fmax(top, 1e-12)) / pump.p["water.rho"])
        for wi, ki in zip(w, k, strict=True)
    ]
    # The guess of the strongest pump's header pressure is exact where all running pumps are equal.
    weight = ca.fmax(sum(strength), 1e-12)
    guesses = [
        pump.pressure_rise(total * s / weight, wi) - (pump.p["water.rho"] * total * s / weight / ki) ** 2
        for s, wi, ki in zip(strength, w, k, strict=True)
    ]
    strongest = ca.mmax(ca.vertcat(*strength))
    header = sum(ca.if_else(s >= strongest, g, 0.0) for s, g in zip(strength, guesses, strict=True))
    header /= sum(ca.if_else(s >= strongest, 1.0, 0.0) for s in strength)
    for _ in range(ITERATIONS):
        header = ca.fmin(ca.fmax(header, lower), upper)
        flows = [pump.flow(header, wi, ki) for wi, ki in zip(w, k, strict=True)]
        excess = sum(v for v, _ in flows) - total
        slope = sum(dv for _, dv in flows)
        lower = ca.if_else(excess > 0.0, header, lower)
        upper = ca.if_else(excess > 0.0, upper, header)
        newton = header - excess / ca.fmin(slope, -1e-30)
        header = ca.if_else(ca.logic_and(newton >= lower, newton <= upper), newton, 0.5 * (lower + upper))
    shares = [pump.flow(header, wi, ki)[0] + 1e-12 for wi, ki in zip(w, k, strict=True)]
    scale = total / sum(shares)
    return [share * scale for share in shares]
