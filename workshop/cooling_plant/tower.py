"""Cooling tower cell: York correlation with free convection, and its fan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.chiller import ZERO_CELSIUS, smooth_step
from workshop.cooling_plant.parameters import Parameters

__all__ = ["Cell"]


@dataclass(frozen=True)
class Cell:
    """One tower cell (YorkCalc; EnergyPlus Engineering Reference, "Variable Speed Cooling Towers").

    Parameters
    ----------
    p : Parameters
    """

    p: Parameters

    def _york(self, wet_bulb: ca.SX, ratio: ca.SX) -> list[ca.SX]:
        """Approach [K] as a quadratic of the range [K], at a wet bulb [degC] and a liquid to gas ratio [-].

        The correlation is the triquadratic sum of 27 terms wet_bulb^i range^j ratio^k.
        """
        a = self.p.series("tower.york", 27)
        return [
            sum(
                (a[9 * k + 3 * j] + a[9 * k + 3 * j + 1] * wet_bulb + a[9 * k + 3 * j + 2] * wet_bulb**2) * ratio**k
                for k in range(3)
            )
            for j in range(3)
        ]

    def approach(self, m_flow: ca.SX, fan: ca.SX, wet_bulb: ca.SX) -> list[ca.SX]:
        """Coefficients of the approach c0 + c1 range + c2 range^2 + c3 (entering - wet_bulb) [K].

        With the fan off a share `tower.fraFreCon` of the full-speed cooling is left; the change between the two is
        spread over the tenth of speed below `tower.yMin`.

        Parameters
        ----------
        m_flow, fan, wet_bulb : casadi.SX
            Water flow [kg/s], relative fan speed [-] and wet bulb of the air [K].
        """
        p = self.p
        water = p["tower.FRWat0"] * m_flow / p["tower.m_flow"]
        air = ca.fmax(ca.fmax(fan, water / p["tower.liqGasRatMax"]), 1e-3)
        celsius = wet_bulb - ZERO_CELSIUS
        y_min, share = p["tower.yMin"], p["tower.fraFreCon"]
        blend = smooth_step((fan - 0.9 * y_min) / (0.1 * y_min))
        forced, still = self._york(celsius, water / air), self._york(celsius, water)
        return [
            *(blend * f + (1.0 - blend) * share * s for f, s in zip(forced, still, strict=True)),
            (1.0 - blend) * (1.0 - share),
        ]

    def leaving_target(self, approach: Sequence[ca.SX], entering: ca.SX, leaving: ca.SX, wet_bulb: ca.SX) -> ca.SX:
        """Temperature [K] that the leaving water tends to.

        It lies between entering water and wet bulb, which the correlation alone does not ensure outside of its range,
        and water is not cooled below `tower.TFreeze`.

        Parameters
        ----------
        approach : sequence of casadi.SX
            What `approach` returns.
        entering, leaving, wet_bulb : casadi.SX
            Temperatures of entering and leaving water and of the air's wet bulb [K].
        """
        span = entering - leaving
        c = approach
        target = wet_bulb + c[0] + c[1] * span + c[2] * span**2 + c[3] * (entering - wet_bulb)
        target = ca.fmin(ca.fmax(target, ca.fmin(entering, wet_bulb)), ca.fmax(entering, wet_bulb))
        return ca.fmax(target, ca.fmin(entering, self.p["tower.TFreeze"]))

    def fan_power(self, fan: ca.SX) -> ca.SX:
        """Electric power of the fan [W] at relative speed [-], monotone cubic (Fritsch & Carlson, 1980)."""
        x, y = self.p.series("tower.fanSpeed", 6), self.p.series("tower.fanPower", 6)
        chord = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(5)]
        slope = [chord[0], *(0.5 * (chord[i] + chord[i + 1]) for i in range(4)), chord[4]]
        for i in range(5):
            alpha, beta = slope[i] / chord[i], slope[i + 1] / chord[i]
            shrink = ca.fmin(3.0 / ca.sqrt(ca.fmax(alpha**2 + beta**2, 1e-12)), 1.0)
            slope[i], slope[i + 1] = shrink * slope[i], shrink * slope[i + 1]
        speed = ca.fmin(ca.fmax(fan, 0.0), x[5])
        value = y[5]
        for i in reversed(range(5)):
            width = x[i + 1] - x[i]
            t = (speed - x[i]) / width
            piece = (
                (1.0 + 2.0 * t) * (1.0 - t) ** 2 * y[i]
                + t * (1.0 - t) ** 2 * width * slope[i]
                + t**2 * (3.0 - 2.0 * t) * y[i + 1]
                + t**2 * (t - 1.0) * width * slope[i + 1]
            )
            value = ca.if_else(speed < x[i + 1], piece, value)
        return self.p["tower.PFan"] * value
