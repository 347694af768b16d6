"""Heat exchange: effectiveness of counterflow, moist air, smooth switches."""

from __future__ import annotations

import casadi as ca

from workshop.cooling_plant.chiller import ZERO_CELSIUS

__all__ = ["conductance", "counterflow", "exchange", "humidity_outside", "root", "saturated", "saturation_slope"]

# Molar mass of water over that of dry air, heat of evaporation at 0 degC [J/kg], specific heat of vapour and of dry air
# [J/(kg.K)]: ASHRAE Handbook Fundamentals (2017), chapter 1.
RATIO, LATENT, VAPOUR, DRY = 0.621945, 2.501e6, 1860.0, 1006.0
# Water in towers is warmer only where all has failed; the saturation curve ends there.
HOTTEST = 65.0


def counterflow(ntu: ca.SX, ratio: ca.SX) -> ca.SX:
    """Effectiveness [-] of counterflow (Kays & London, Compact Heat Exchangers, 1984).

    With transfer units `ntu` of the stream that `ratio` is the capacity flow of, over the other's: any ratio above 0.
    The form eps = N g / (1 + ratio N g), g = (1 - exp(-z)) / z, z = N (1 - ratio), has no gap at a ratio of 1.
    """
    z = ca.fmax(ntu * (1.0 - ratio), -60.0)
    small = ca.fabs(z) < 1e-4
    g = ca.if_else(small, 1.0 - z / 2.0, (1.0 - ca.exp(-z)) / ca.if_else(small, 1.0, z))
    return ntu * g / (1.0 + ratio * ntu * g)


def conductance(nominal: ca.SX, first: ca.SX, second: ca.SX) -> ca.SX:
    """Conductance [W/K] at flows over their nominal ones [-]: two films in series, each as flow to the power of 0.8."""
    return 2.0 * nominal / (first**-0.8 + second**-0.8)


def exchange(conductance_: ca.SX, hot: ca.SX, cold: ca.SX, difference: ca.SX) -> ca.SX:
    """Heat [W] of a counterflow exchanger at capacity flows [W/K] of both sides and difference of the inlets [K]."""
    return counterflow(conductance_ / hot, hot / cold) * hot * difference


def root(value: ca.SX, width: float) -> ca.SX:
    """Square root of what is positive of a value, with finite slope below about `width`."""
    positive = ca.fmax(value, 0.0)
    return positive / ca.sqrt(ca.sqrt(positive**2 + width**2))


def _vapour_pressure(celsius: ca.SX) -> ca.SX:
    """Saturation pressure over water [Pa] (Alduchov and Eskridge, Journal of Applied Meteorology 35, 1996)."""
    return 610.94 * ca.exp(17.625 * celsius / (celsius + 243.04))


def saturated(temperature: ca.SX, pressure: ca.SX) -> ca.SX:
    """Humidity ratio [kg/kg] of saturated air at a temperature [K] and pressure [Pa]."""
    vapour = _vapour_pressure(ca.fmin(temperature - ZERO_CELSIUS, HOTTEST))
    return RATIO * vapour / (pressure - vapour)


def saturation_slope(temperature: ca.SX, pressure: ca.SX) -> ca.SX:
    """Slope of the enthalpy of saturated air [J/(kg.K)] over its temperature [K]."""
    celsius = ca.fmin(temperature - ZERO_CELSIUS, HOTTEST)
    vapour = _vapour_pressure(celsius)
    vapour_slope = vapour * 17.625 * 243.04 / (celsius + 243.04) ** 2
    humidity = RATIO * vapour / (pressure - vapour)
    humidity_slope = RATIO * pressure * vapour_slope / (pressure - vapour) ** 2
    return DRY + VAPOUR * humidity + (LATENT + VAPOUR * celsius) * humidity_slope


def humidity_outside(dry_bulb: ca.SX, wet_bulb: ca.SX, pressure: ca.SX) -> ca.SX:
    """Humidity ratio [kg/kg] of air of dry and wet bulb [K], ASHRAE Handbook Fundamentals (2017), chapter 1, eq. 33."""
    dry, wet = dry_bulb - ZERO_CELSIUS, ca.fmin(wet_bulb, dry_bulb) - ZERO_CELSIUS
    saturated_wet = saturated(wet + ZERO_CELSIUS, pressure)
    vapour = (2501.0 - 2.326 * wet) * saturated_wet - 1.006 * (dry - wet)
    return ca.fmax(vapour / (2501.0 + 1.86 * dry - 4.186 * wet), 0.0)
