"""A hall cooled by air: servers, aisles, air handlers with coils, and the controller of the coils' valve."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.chiller import smooth_step
from workshop.data_center.exchange import conductance, exchange
from workshop.data_center.hydraulics import Nominal, air_share, hall_share
from workshop.data_center.parameters import Parameters

__all__ = ["Hall", "Temperatures", "throttle", "valve_rates"]


def throttle(temperature: ca.SX, first: ca.SX, last: ca.SX) -> ca.SX:
    """Share of the work that servers do at the temperature of their coolant: all up to `first`, none from `last` on."""
    return 1.0 - smooth_step((temperature - first) / (last - first))


def valve_rates(
    error: ca.SX, integral: ca.SX, position: ca.SX, gain: ca.SX, time: ca.SX, lag: ca.SX
) -> tuple[ca.SX, ca.SX]:
    """Derivatives of integrator and position [1/s] of a valve with a PI controller without windup.

    Parameters
    ----------
    error : casadi.SX
        Positive where the valve shall open [K].
    integral, position : casadi.SX
        States [-].
    gain, time, lag : casadi.SX
        Gain [1/K], integral time and time constant of the valve [s].
    """
    raw = gain * error + integral
    command = ca.fmin(ca.fmax(raw, 0.0), 1.0)
    return gain / time * error - (raw - command) * 2.0 / time, (command - position) / lag


@dataclass(frozen=True)
class Temperatures:
    """Of servers, cold and hot aisles and of the water in the coils [K]."""

    server: ca.SX
    cold: ca.SX
    hot: ca.SX
    coil: ca.SX


class Hall:
    """Flows and heats of a hall.

    Air of the handlers that the servers do not draw returns unused; air that the servers draw beyond it comes from the
    hot aisles. So too slow fans warm the inlets, and too fast ones waste power.

    Parameters
    ----------
    number : int
        1 or 2.
    p : Parameters
    t : Temperatures
    power : casadi.SX
        Of the servers that air cools [W].
    fan : casadi.SX
        Relative speed of the air handlers' fans.
    water, supply : casadi.SX
        Chilled water of the coils [kg/s] and its temperature [K].
    """

    def __init__(
        self, number: int, p: Parameters, t: Temperatures, power: ca.SX, fan: ca.SX, water: ca.SX, supply: ca.SX
    ) -> None:
        nominal = hall_share(p, number) * p["PItNom"]
        cooled_by_air = nominal * air_share(p, number)
        design = cooled_by_air / (p["cpAir"] * p["hal.dTSer"])
        servers = design * (p["hal.mSerMin"] + (1.0 - p["hal.mSerMin"]) * power / cooled_by_air)
        handlers = design * p["hal.rCraNom"] * (fan + p["hal.mNat"] * (1.0 - fan))
        leak = p["hal.lea"] * servers
        recirculated = ca.fmax(servers - handlers, 0.0) + leak
        unused = ca.fmax(handlers - servers, 0.0) + leak

        cp, cp_water = p["cpAir"], p["cpWat"]
        transfer = conductance(p["hal.ntuCoi"] * design * cp, handlers / design, water / Nominal(p).coil(number))
        self.heat = exchange(transfer, handlers * cp, water * cp_water, t.hot - supply)
        self.fan_power = p["hal.PFan"] * cooled_by_air * fan**3
        self.supplied = t.hot + (self.fan_power - self.heat) / (handlers * cp)
        from_servers = p["hal.epsSer"] * servers * cp * (t.server - t.cold)
        to_cold = cp * (handlers * (self.supplied - t.cold) + recirculated * (t.hot - t.cold))
        self.rates = Temperatures(
            server=(power - from_servers) / (p["hal.CSer"] * nominal),
            cold=to_cold / (p["hal.CCol"] * nominal),
            hot=(from_servers + cp * (servers + unused) * (t.cold - t.hot)) / (p["hal.CHot"] * nominal),
            coil=(water * cp_water * (supply - t.coil) + self.heat) / (p["hal.mCoi"] * nominal * cp_water),
        )
        self.stored = nominal * (
            p["hal.CSer"] * (t.server - p["TRef"])
            + p["hal.CCol"] * (t.cold - p["TRef"])
            + p["hal.CHot"] * (t.hot - p["TRef"])
            + p["hal.mCoi"] * cp_water * (t.coil - p["TRef"])
        )
