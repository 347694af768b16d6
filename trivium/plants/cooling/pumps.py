"""Speeds of the pumps, from their published curves."""

from __future__ import annotations

import math


def condenser_pump_speed(head: float, flow: float) -> float:
    """Speed [rpm] at which a condenser water pump gives a head [m] at a flow [m3/s].

    Curve ``H = 51.9655 w^2 - 6.4336 w q - 137.7364 q^2`` with ``w`` over 1500 rpm, within 600 to 1485 rpm.
    """
    w = _speed_ratio(51.9655, -6.4336, -137.7364, head, flow)
    return min(max(1500.0 * w, 600.0), 1485.0)


def chilled_pump_speed(total: float, flow: float) -> float:
    """Speed [rpm] at which a chilled water pump gives what the loop takes at a total flow [kg/s].

    Curve ``dp = 543128 w^2 + 296644 w q - 3567116 q^2`` [Pa] with ``w`` over 1480 rpm and ``q`` its flow [m3/s], within
    600 to 1480 rpm. The loop takes 120 kPa at the ends of the network and more with the square of the flow.
    """
    w = _speed_ratio(543128.0, 296644.0, -3567116.0, 1.2e5 + 2.2 * total**2, flow)
    return min(max(1480.0 * w, 600.0), 1480.0)


def _speed_ratio(a: float, b: float, c: float, head: float, flow: float) -> float:
    """Positive root ``w`` of ``a w^2 + b w q + c q^2 = head``."""
    b_q = b * flow
    return (-b_q + math.sqrt(b_q**2 + 4.0 * a * (head - c * flow**2))) / (2.0 * a)
