"""Flows of both loops from pump curves against the system's resistance, in closed form.

Pumps of a loop are equal, so that one quadratic gives the flow: the pumps' curve ``dp0 w^2 - a (m / n)^2``, which obeys
the affinity laws (Gulich, Centrifugal Pumps, 2014, section 3.4), against turbulent resistances ``(m / k)^2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.hydraulics import equal_percentage, nominal_coefficient, series
from workshop.data_center.exchange import root
from workshop.data_center.parameters import Parameters
from workshop.data_center.variables import CHILLERS, HALLS

__all__ = ["ChilledWater", "CondenserWater", "Nominal", "Pumps", "isolation"]

# Least flow of a loop over PItNom [kg/(s.W)], which keeps mixing temperatures defined when everything stands.
TRICKLE = 1e-10
# Opening below which a valve is linear.
KNEE = 0.02


@dataclass(frozen=True)
class Nominal:
    """Nominal flows [kg/s] that follow from nominal heats and temperature differences."""

    p: Parameters

    def _flow(self, share: ca.SX, difference: str) -> ca.SX:
        return share * self.p["PItNom"] / (self.p["cpWat"] * self.p[difference])

    @property
    def evaporator(self) -> ca.SX:
        """Of one chiller's evaporator, and of one chilled water pump."""
        return self._flow(self.p["chi.QNom"], "chi.dTEva")

    @property
    def condenser(self) -> ca.SX:
        """Of one chiller's condenser, and of one condenser water pump."""
        return self._flow(self.p["chi.QNom"] * (1.0 + 1.0 / self.p["chi.COPNom"]), "chi.dTCon")

    @property
    def economizer(self) -> ca.SX:
        """Condenser water of the economizer."""
        return self._flow(self.p["eco.QNom"], "eco.dTCon")

    @property
    def liquid(self) -> ca.SX:
        """Condenser water of the exchanger of the cold plates' liquid."""
        return self._flow(self.p["liq.fraNom"], "liq.dTWat")

    def coil(self, hall: int) -> ca.SX:
        """Chilled water of a hall's coils."""
        return self._flow(hall_share(self.p, hall) * air_share(self.p, hall), "hal.dTWat")


def hall_share(p: Parameters, hall: int) -> ca.SX:
    """Share of a hall in the nominal load."""
    return p["hal.fra1"] if hall == 1 else 1.0 - p["hal.fra1"]


def air_share(p: Parameters, hall: int) -> ca.SX:
    """Share of a hall's nominal load that is cooled by air; the coils are built for a twentieth at least."""
    return ca.fmax(1.0 - p[f"hal.fraLiq{hall}"], 0.05)


def isolation(run: ca.SX, p: Parameters) -> ca.SX:
    """Opening [-] of a chiller's isolation valves, which open ahead of the compressor's ramp."""
    return p["chi.lVal"] + (1.0 - p["chi.lVal"]) * (1.0 - (1.0 - ca.fmax(run, 0.0)) ** 4)


@dataclass(frozen=True)
class Pumps:
    """Equal pumps in parallel.

    Parameters
    ----------
    kind : str
        ``pumChi`` or ``pumCon``.
    flow : casadi.SX
        Nominal flow of one [kg/s].
    number, speed, health : casadi.SX
        How many run, their relative speed, head over that of new ones.
    p : Parameters
    """

    kind: str
    flow: ca.SX
    number: ca.SX
    speed: ca.SX
    health: ca.SX
    p: Parameters

    @property
    def shut_off(self) -> ca.SX:
        """Pressure rise without flow [Pa]."""
        return self.health * self.p[f"{self.kind}.dp0"] * self.speed**2

    @property
    def slope(self) -> ca.SX:
        """Loss of pressure rise over the square of the flow of all [Pa.s2/kg2]."""
        steep = self.health * self.p[f"{self.kind}.dp0"] / (self.p[f"{self.kind}.fraRun"] * self.flow) ** 2
        return steep / (self.number**2 + 1e-8)

    def power(self, flow: ca.SX) -> ca.SX:
        """Electric power of all [W] at a flow of all [kg/s]: straight over the flow, cubic over the speed."""
        p, kind = self.p, self.kind
        rise = p[f"{kind}.dp0"] * (1.0 - 1.0 / p[f"{kind}.fraRun"] ** 2)
        nominal = self.flow * rise / (p["rhoWat"] * p[f"{kind}.eta"])
        idle = p[f"{kind}.PIdl"]
        return nominal * self.speed**2 * (idle * self.number * self.speed + (1.0 - idle) * flow / self.flow)


class ChilledWater:
    """Flows of the chilled water; all [kg/s].

    Parameters
    ----------
    pumps : Pumps
    openings : sequence of casadi.SX
        Of the chillers' isolation valves.
    valves : sequence of casadi.SX
        Of the halls' coils.
    tank : casadi.SX
        Flow that the tank's pump would make, positive into the tank.
    p : Parameters

    Attributes
    ----------
    total, past : casadi.SX
        Through the pumps, and past the chillers, whose bypass opens while none is open.
    evaporators, coils : list of casadi.SX
    ready : list of casadi.SX
        What each evaporator has, or would have if its unit started.
    open_end : casadi.SX
        Through the open end of the supply pipes.
    tank : casadi.SX
        What flows: the tank takes less than the pumps deliver, and its pump delivers what its head drives through
        the halls.
    dp : casadi.SX
        Pressure difference at the halls [Pa].
    """

    def __init__(
        self, pumps: Pumps, openings: Sequence[ca.SX], valves: Sequence[ca.SX], tank: ca.SX, p: Parameters
    ) -> None:
        nominal = Nominal(p)
        one = nominal_coefficient(nominal.evaporator, p["chi.dpEva"])
        bypass = 3.0 * one * (1.0 - ca.fmin(sum(openings), 1.0)) ** 2
        ways = [one * opening for opening in openings]
        chillers = sum(ways) + bypass
        pipes = nominal_coefficient(3.0 * nominal.evaporator, p["pipChi.dp"] + p["eco.dpChi"])
        coils = [
            nominal_coefficient(nominal.coil(hall), p["hal.dpCoi"])
            * equal_percentage(valve, p["hal.RVal"], p["hal.lVal"], ca.SX(KNEE))
            for hall, valve in zip(HALLS, valves, strict=True)
        ]
        wide = sum(nominal_coefficient(nominal.coil(hall), p["hal.dpCoi"]) for hall in HALLS)
        open_end = p["pipChi.lBypMin"] * wide
        halls = sum(coils) + open_end

        head, outer = pumps.shut_off, 1.0 / halls**2

        def resistance(ways: ca.SX) -> ca.SX:
            return pumps.slope + 1.0 / series(ways, pipes) ** 2

        def total(inner: ca.SX) -> ca.SX:
            discriminant = head * (inner + outer) - inner * outer * self.tank**2
            driven = (outer * self.tank + root(discriminant, 1e-3 * p["pumChi.dp0"] ** 2 * 1e-6)) / (inner + outer)
            return ca.fmax(driven, ca.fmax(self.tank, 0.0)) + TRICKLE * p["PItNom"]

        inner = resistance(chillers)
        self.tank = ca.fmin(ca.fmax(tank, -root(p["tan.dpMax"] / outer, 1e-3)), 0.95 * root(head / inner, 1e-3))
        self.total = total(inner)
        opened = [sum(ways) - way + one for way in ways]  # with one unit open, no bypass is
        self.ready = [total(resistance(each)) * one / each for each in opened]
        served = self.total - self.tank
        self.evaporators = [self.total * way / chillers for way in ways]
        self.past = self.total * bypass / chillers
        self.coils = [served * coil / halls for coil in coils]
        self.open_end = served * open_end / halls
        self.dp = outer * served**2


class CondenserWater:
    """Flows of the condenser water; all [kg/s].

    Parameters
    ----------
    pumps : Pumps
    openings : sequence of casadi.SX
        Of the chillers' isolation valves.
    economizer, liquid : casadi.SX
        Openings of the valves of the economizer and of the exchanger of the liquid.
    cells : casadi.SX
        Number of cells in service.
    p : Parameters

    Attributes
    ----------
    total, economizer, liquid : casadi.SX
        Through the pumps, the economizer and the exchanger of the liquid.
    condensers : list of casadi.SX
    ready : list of casadi.SX
        What each condenser has, or would have if its unit started.
    """

    def __init__(
        self, pumps: Pumps, openings: Sequence[ca.SX], economizer: ca.SX, liquid: ca.SX, cells: ca.SX, p: Parameters
    ) -> None:
        nominal = Nominal(p)
        one = nominal_coefficient(nominal.condenser, p["chi.dpCon"])
        condensers = [one * opening for opening in openings]
        rangeability, leakage = p["eco.RVal"], p["eco.lVal"]
        exchangers = [
            nominal_coefficient(flow, dp) * equal_percentage(opening, rangeability, leakage, ca.SX(KNEE))
            for flow, dp, opening in (
                (nominal.economizer, p["eco.dpCon"], economizer),
                (nominal.liquid, p["liq.dp"], liquid),
            )
        ]
        branches = [*condensers, *exchangers]
        cell = nominal_coefficient(p["tow.mWat"] * p["PItNom"], p["pipCon.dp"])
        lift = ca.fmax(pumps.shut_off - p["pipCon.dpSta"], 0.0)

        def total(ways: ca.SX) -> ca.SX:
            loop = series(ways, (cells + 1e-4) * cell)
            return root(lift / (pumps.slope + 1.0 / loop**2), 1e-3) + TRICKLE * p["PItNom"]

        self.total = total(sum(branches))
        opened = [sum(branches) - branch + one for branch in condensers]
        self.ready = [total(each) * one / each for each in opened]
        shares = [self.total * branch / sum(branches) for branch in branches]
        self.condensers = shares[: len(CHILLERS)]
        self.economizer, self.liquid = shares[len(CHILLERS) :]
