"""Valves, and flow resistances in series and in parallel.

Everything here is a flow coefficient k = m_flow / sqrt(dp) [kg/(s.Pa^0.5)] of turbulent flow. All flows of the plant
are prescribed, so a network needs no pressures: a flow divides in proportion to the coefficients of its ways.
"""

from __future__ import annotations

import casadi as ca

from workshop.cooling_plant.parameters import Parameters

__all__ = ["equal_percentage", "filter_time_constant", "linear", "nominal_coefficient", "series", "valve"]


def nominal_coefficient(m_flow: ca.SX, dp: ca.SX) -> ca.SX:
    """Flow coefficient [kg/(s.Pa^0.5)] of a resistance from its nominal flow [kg/s] and pressure drop [Pa]."""
    return m_flow / ca.sqrt(dp)


def series(*coefficients: ca.SX) -> ca.SX:
    """Flow coefficient of resistances in series: pressure drops add, so 1/k^2 does."""
    return 1.0 / ca.sqrt(sum(1.0 / k**2 for k in coefficients))


def equal_percentage(y: ca.SX, rangeability: ca.SX, leakage: ca.SX, delta: ca.SX) -> ca.SX:
    """Flow over full flow of an equal-percentage valve at opening y [-], straight from the leakage up to `delta`.

    Inherent characteristic R^(y-1): IEC 60534-2-4.
    """
    knee = rangeability ** (delta - 1.0)
    opening = ca.fmin(ca.fmax(y, 0.0), 1.0)
    return ca.if_else(opening < delta, leakage + (knee - leakage) * opening / delta, rangeability ** (opening - 1.0))


def linear(y: ca.SX, leakage: ca.SX) -> ca.SX:
    """Flow over full flow of a linear valve at opening y [-]."""
    return leakage + (1.0 - leakage) * ca.fmin(ca.fmax(y, 0.0), 1.0)


def valve(y: ca.SX, m_flow: ca.SX, dp: ca.SX, p: Parameters) -> ca.SX:
    """Flow coefficient [kg/(s.Pa^0.5)] of a motor valve at opening y [-]."""
    return nominal_coefficient(m_flow, dp) * equal_percentage(y, p["valve.R"], p["valve.l"], p["valve.delta0"])


def filter_time_constant(rise_time: ca.SX) -> ca.SX:
    """Time constant [s] of each lag of a critically damped second-order filter of a rise time [s] (99.6 % of a step).

    The filter's cut-off is 5 / (2 pi rise_time), at which its gain is -3 dB; two equal lags reach that gain at
    2 pi f tau = sqrt(sqrt(2) - 1).
    """
    return rise_time * float((2.0**0.5 - 1.0) ** 0.5) / 5.0
