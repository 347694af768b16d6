"""Cooling tower cell: York correlation with free convection, and its fan."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from models.cooling_plant.chiller import ZERO_CELSIUS, smooth_step
from models.cooling_plant.parameters import Parameters

__all__ = ["Cell"]


@dataclass(frozen=True)
class Cell:
    """One tower cell (YorkCalc; EnergyPlus Engineering Reference, "Variable Speed Cooling Towers").

    Parameters
    ----------
    p : Parameters
    """

    p: Parameters

    def _york(self, wet_bulb: ca.SX, span: ca.SX, ratio: ca.SX) -> ca.SX:
        """Approach [K] over wet bulb [degC], range [K] and liquid to gas ratio [-], a triquadratic of 27 terms."""
        a = self.p.series("tower.york", 27)
        powers = [[t * r for r in (1.0, span, span**2)] for t in (1.0, ratio, ratio**2)]
        return sum(
            (a[9 * i + 3 * j] + a[9 * i + 3 * j + 1] * wet_bulb + a[9 * i + 3 * j + 2] * wet_bulb**2) * powers[i][j]
            for i in range(3)
            for j in range(3)
        )

    def leaving_target(self, m_flow: ca.SX, fan: ca.SX, entering: ca.SX, leaving: ca.SX, wet_bulb: ca.SX) -> ca.SX:
        """Temperature [K] that the leaving water tends to.

        With the fan off a share `tower.fraFreCon` of the full-speed cooling is left; the change between the two is
        spread over the tenth of speed below `tower.yMin`. The leaving water ends between entering water and wet bulb,
        which the correlation alone does not ensure outside of its range, and is not cooled below `tower.TFreeze`.

        Parameters
        ----------
        m_flow : casadi.SX
            Water flow [kg/s].
        fan : casadi.SX
            Relative fan speed [-].
        entering, leaving, wet_bulb : casadi.SX
            Temperatures of entering and leaving water and of the air's wet bulb [K].
        """
        p = self.p
        water = p["tower.FRWat0"] * m_flow / p["tower.m_flow"]
        span = entering - leaving
        air = ca.fmax(ca.fmax(fan, water / p["tower.liqGasRatMax"]), 1e-3)
        celsius = wet_bulb - ZERO_CELSIUS
        forced = self._york(celsius, span, water / air)
        still = (1.0 - p["tower.fraFreCon"]) * (entering - wet_bulb) + p["tower.fraFreCon"] * self._york(
            celsius, span, water
        )
        y_min = p["tower.yMin"]
        blend = smooth_step((fan - 0.9 * y_min) / (0.1 * y_min))
        approach = blend * forced + (1.0 - blend) * still
        target = ca.fmin(ca.fmax(wet_bulb + approach, ca.fmin(entering, wet_bulb)), ca.fmax(entering, wet_bulb))
        return ca.fmax(target, ca.fmin(entering, p["tower.TFreeze"]))

    def fan_power(self, fan: ca.SX) -> ca.SX:
        """Electric power of the fan [W] at relative speed [-]: monotone cubic interpolation (Fritsch & Carlson, 1980)."""
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
