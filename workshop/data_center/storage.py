"""What can wait: a stratified tank of chilled water, a battery, and flexible work."""

from __future__ import annotations

from collections.abc import Sequence

import casadi as ca

from workshop.cooling_plant.chiller import smooth_step
from workshop.data_center.hydraulics import hall_share
from workshop.data_center.parameters import Parameters

__all__ = ["battery", "flexible_work", "tank_rates"]

# Conduction between two layers of which the lower is warmer, over that between stable ones: they mix.
OVERTURN = 1e4
# Backlog over the largest within which flexible work goes out of service at its ends.
MARGIN = 0.02
# Charge that is never used at either end of the battery, and within which its power tapers off towards that. Straight,
# so that ends are approached and not reached: the integrator errs by some times its tolerance (1e-4) a step, and the
# charge has to stay within 0 and 1 none the less.
RESERVE, TAPER = 0.01, 0.1


def tank_rates(layers: Sequence[ca.SX], flow: ca.SX, supply: ca.SX, back: ca.SX, p: Parameters) -> list[ca.SX]:
    """Derivatives of the layers' temperatures [K/s], from the bottom.

    Parameters
    ----------
    layers : sequence of casadi.SX
        Temperatures from the bottom [K].
    flow : casadi.SX
        Into the tank [kg/s]: supply water enters at the bottom while it is positive, return water at the top while it
        is negative.
    supply, back : casadi.SX
        Temperatures of supply and return [K].
    """
    up, down = ca.fmax(flow, 0.0), ca.fmax(-flow, 0.0)
    cp, unit = p["cpWat"], p["tan.UA"] * p["PItNom"]
    below, above = [supply, *layers[:-1]], [*layers[1:], back]
    heats = [cp * (up * (b - t) + down * (a - t)) for b, t, a in zip(below, layers, above, strict=True)]
    for i, (low, high) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        conducted = unit * ((high - low) - OVERTURN * ca.fmax(low - high, 0.0))
        heats[i] += conducted
        heats[i + 1] -= conducted
    mass = p["tan.m"] * p["PItNom"] / len(layers)
    return [heat / (mass * cp) for heat in heats]


def room(left: ca.SX) -> ca.SX:
    """Share of the battery's nominal power at a distance from an end [-]: all but near it, none at the reserve."""
    return ca.fmin(ca.fmax((left - RESERVE) / TAPER, 0.0), 1.0)


def battery(command: ca.SX, charge: ca.SX, p: Parameters) -> tuple[ca.SX, ca.SX]:
    """Power into the battery [W] and derivative of its state of charge [1/s]."""
    taken = ca.fmax(command, 0.0) * room(1.0 - charge)
    given = ca.fmax(-command, 0.0) * room(charge)
    rate = (p["bat.eta"] * taken - given / p["bat.eta"]) / p["bat.tDis"]
    return p["bat.PNom"] * p["PItNom"] * (taken - given), rate


def flexible_work(command: ca.SX, demand: ca.SX, backlog: ca.SX, p: Parameters) -> ca.SX:
    """Power by which the backlog of hall 2 grows [W]; negative while it is worked off.

    Work is postponed until the backlog is the longest allowed, and caught up as far as the hall has room.
    """
    nominal = hall_share(p, 2) * p["PItNom"]
    flexible = p["shi.fra2"]
    level = backlog / (p["shi.tMax"] * nominal * ca.fmax(flexible, 1e-6))
    postponed = ca.fmax(command, 0.0) * flexible * demand * smooth_step((1.0 - level) / MARGIN)
    caught_up = ca.fmin(ca.fmax(-command, 0.0) * flexible * nominal, ca.fmax(nominal - demand, 0.0))
    return postponed - caught_up * smooth_step(level / MARGIN)
