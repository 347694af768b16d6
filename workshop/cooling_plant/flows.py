"""What follows from valve positions, inputs and parameters alone: all flows, and the towers' approach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import accumulate

import casadi as ca

from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.heat_exchanger import HeatExchanger
from workshop.cooling_plant.parameters import Parameters
from workshop.cooling_plant.pump import Pump, share_flow
from workshop.cooling_plant.tower import Cell
from workshop.cooling_plant.variables import TOWER_CELLS, UNITS

__all__ = ["Flows", "Network", "chilled_water_split", "flow_law", "network", "solve"]

# A trickle that keeps mixing temperatures defined when everything stands [kg/s].
TRICKLE = 1e-6


@dataclass(frozen=True)
class Flows:
    """Quasi-static hydraulic quantities; each a column of 6, one a unit, unless said otherwise.

    Parameters
    ----------
    m_cw, m_chw : casadi.SX, shape (1,)
        Condenser and chilled water flow of the loops [kg/s].
    m_cell : casadi.SX
        Water flow of each of the two cells of a tower [kg/s].
    m_cw1, m_cw3, m_condenser : casadi.SX
        Condenser water through valve CW1, through the heat exchanger and through the condenser of a train [kg/s].
    k_chw1, k_chw2, k_chw3, k_chw4 : casadi.SX
        Flow coefficients of the chilled water valves of a train, the last with the evaporator [kg/(s.Pa^0.5)].
    v_cdwp, v_chwp : casadi.SX
        Volume flow of each pump [m3/s].
    approach : casadi.SX, shape (48,)
        Coefficients of the approach of each tower cell, four a cell; see `Cell.approach`.
    """

    m_cw: ca.SX
    m_chw: ca.SX
    m_cell: ca.SX
    m_cw1: ca.SX
    m_cw3: ca.SX
    m_condenser: ca.SX
    k_chw1: ca.SX
    k_chw2: ca.SX
    k_chw3: ca.SX
    k_chw4: ca.SX
    v_cdwp: ca.SX
    v_chwp: ca.SX
    approach: ca.SX

    @staticmethod
    def _length(name: str) -> int:
        return {"m_cw": 1, "m_chw": 1, "approach": 4 * len(TOWER_CELLS)}.get(name, len(UNITS))

    def pack(self) -> ca.SX:
        """Return all quantities as one column, the model's h."""
        return ca.vertcat(*(getattr(self, f.name) for f in fields(self)))

    @classmethod
    def unpack(cls, h: ca.SX) -> Flows:
        """Inverse of `pack`."""
        ends = list(accumulate(cls._length(f.name) for f in fields(cls)))
        return cls(*(h[end - cls._length(f.name) : end] for f, end in zip(fields(cls), ends, strict=True)))

    @classmethod
    def size(cls) -> int:
        """Length of h."""
        return sum(cls._length(f.name) for f in fields(cls))


def _root(pressure: ca.SX) -> ca.SX:
    """Square root whose derivative stays finite at 0."""
    return ca.sqrt(ca.fmax(pressure, 1e-12))


def flow_law(head: ca.SX, rpm: ca.SX, number: ca.SX, p: Parameters) -> ca.SX:
    """Condenser water flow [kg/s] from required head [m], mean speed [rpm] and number of running pumps [-].

    The larger root q of head = a w^2 + b w q - c q^2 is the flow of one pump [m3/s], w the speed ratio; 0 where the
    pumps cannot reach the head.
    """
    w = ca.fmax(rpm, 0.0) / p["flowLaw.N"]
    a, b, c = p["flowLaw.a"] * w**2, p["flowLaw.b"] * w, p["flowLaw.c"]
    q = (b + ca.sqrt(ca.fmax(b**2 + 4.0 * c * (a - head), 1e-12))) / (2.0 * c)
    return 1000.0 * number * ca.fmax(q, 0.0)


def chilled_water_split(flows: Flows, opening: list[ca.SX], exchanger: HeatExchanger) -> dict[str, list[ca.SX]]:
    """Chilled water flows [kg/s] of the trains at the openings [-] of their three-way valves.

    Returns
    -------
    dict
        ``"chw1"`` past the heat exchanger, ``"chw2"`` past the chiller, ``"chw3"`` through heat exchanger and three-way
        valve, ``"plates"`` the part of it through the plates, ``"evaporator"``; a list of 6 each.
    """
    ways = [exchanger.three_way(y) for y in opening]
    upper = [hydraulics.series(flows.k_chw3[i], s + b) for i, (s, b) in enumerate(ways)]
    total = [
        hydraulics.series(flows.k_chw1[i] + upper[i], flows.k_chw2[i] + flows.k_chw4[i]) for i in range(len(UNITS))
    ]
    m = [flows.m_chw * k / sum(total) for k in total]
    chw3 = [m[i] * upper[i] / (flows.k_chw1[i] + upper[i]) for i in range(len(UNITS))]
    chw2 = [m[i] * flows.k_chw2[i] / (flows.k_chw2[i] + flows.k_chw4[i]) for i in range(len(UNITS))]
    return {
        "chw1": [m[i] - chw3[i] for i in range(len(UNITS))],
        "chw2": chw2,
        "chw3": chw3,
        "plates": [chw3[i] * ways[i][0] / (ways[i][0] + ways[i][1]) for i in range(len(UNITS))],
        "evaporator": [m[i] - chw2[i] for i in range(len(UNITS))],
    }


@dataclass(frozen=True)
class Network:
    """Flow coefficients [kg/(s.Pa^0.5)] of both loops at the positions of their valves, by the number of the unit.

    Parameters
    ----------
    cw, chw : dict of int to list of casadi.SX
        The four valves of a train on its condenser and its chilled water side.
    cw_hex, cw_condenser, chw4 : dict of int to casadi.SX
        Ways through the heat exchanger, through the condenser, and through the evaporator with its valve.
    cw_train, chw_train, tower : dict of int to casadi.SX
        A whole train on either side, and a tower of two cells.
    """

    cw: dict[int, list[ca.SX]]
    chw: dict[int, list[ca.SX]]
    cw_hex: dict[int, ca.SX]
    cw_condenser: dict[int, ca.SX]
    chw4: dict[int, ca.SX]
    cw_train: dict[int, ca.SX]
    chw_train: dict[int, ca.SX]
    tower: dict[int, ca.SX]

    @property
    def condenser_loop(self) -> ca.SX:
        """All trains and all towers in series."""
        return hydraulics.series(sum(self.cw_train.values()), sum(self.tower.values()))

    @property
    def chilled_loop(self) -> ca.SX:
        """All trains."""
        return sum(self.chw_train.values())


def network(v: Mapping[str, ca.SX], p: Parameters) -> Network:
    """Return the flow coefficients at valve positions [-], by the name of the input that each follows."""
    exchanger = HeatExchanger(p)
    chiller = hydraulics.nominal_coefficient(p["chiller.m_flow"], p["chiller.dp"])
    plates = hydraulics.nominal_coefficient(p["hex.m_flow"], p["hex.dp"])

    def train_valve(i: int, side: str, number: int) -> ca.SX:
        return hydraulics.valve(v[f"CHI0{i}_{side}{number}"], p[f"train.m_flow_{number}"], p["train.dp_valve"], p)

    cw = {i: [train_valve(i, "CW", n) for n in (1, 2, 3, 4)] for i in UNITS}
    chw = {i: [train_valve(i, "CHW", n) for n in (1, 2, 3, 4)] for i in UNITS}
    cw_hex = {i: hydraulics.series(cw[i][2], plates) for i in UNITS}
    cw_condenser = {i: hydraulics.series(chiller, cw[i][3]) for i in UNITS}
    cw_train = {i: hydraulics.series(cw[i][0] + cw_hex[i], cw[i][1] + cw_condenser[i]) for i in UNITS}
    chw4 = {i: hydraulics.series(chiller, chw[i][3]) for i in UNITS}
    open_way = sum(exchanger.three_way(ca.SX(1.0)))
    chw_train = {
        i: hydraulics.series(chw[i][0] + hydraulics.series(chw[i][2], open_way), chw[i][1] + chw4[i]) for i in UNITS
    }

    cell = hydraulics.nominal_coefficient(p["tower.m_flow"], p["tower.dp"])
    tower = {}
    for i in UNITS:
        motor = hydraulics.valve(v[f"U_CT{i}"], p["tower.m_flow_valve"], p["tower.dp_valve"], p)
        tower[i] = hydraulics.series(2.0 * hydraulics.series(motor, cell), motor)
    return Network(cw, chw, cw_hex, cw_condenser, chw4, cw_train, chw_train, tower)


def solve(v: Mapping[str, ca.SX], u: Mapping[str, ca.SX], p: Parameters) -> Flows:
    """Divide the flows of both loops.

    A loop's flow is the prescribed one, within what its running pumps and open valves can pass, so that stopped pumps
    and closed valves mean standing water. The limits leave room (`flowLimit`): the published flows exceed run-out by up
    to 27 %, and the published resistances are up to three times too tight for the published flows.

    Parameters
    ----------
    v : mapping
        Valve positions [-] by the name of the input that they follow.
    u : mapping
        Inputs by name.
    p : Parameters
    """
    net = network(v, p)
    law = flow_law(u["Head_required"], u["CWP_speedInput"], u["CWP_activatedNumber"], p)
    circuits = {
        "CDWP": (law, net.condenser_loop),
        "CHWP": (u["Mchw"], net.chilled_loop),
    }
    m, volume = {}, {}
    for kind, (wanted, loop) in circuits.items():
        pump = Pump(kind, p)
        w = [pump.speed_ratio(u[f"{kind}0{i}_rpm"]) for i in UNITS]
        k = [hydraulics.valve(v[f"{kind}0{i}_ONOFF"], p["pumpValve.m_flow"], p["pumpValve.dp"], p) for i in UNITS]
        runout = [
            ca.fmin(p["water.rho"] * pump.run_out(wi), ki * _root(pump.shut_off(wi)))
            for wi, ki in zip(w, k, strict=True)
        ]
        driven = p["flowLimit.loop"] * loop * _root(pump.shut_off(ca.mmax(ca.vertcat(*w))))
        m[kind] = ca.fmin(ca.fmin(ca.fmax(wanted, 0.0), p["flowLimit.runOut"] * sum(runout)), driven) + TRICKLE
        volume[kind] = ca.vertcat(*share_flow(pump, m[kind] / p["water.rho"], w, k))

    m_train = {i: m["CDWP"] * net.cw_train[i] / sum(net.cw_train.values()) for i in UNITS}
    m_cw1 = {i: m_train[i] * net.cw[i][0] / (net.cw[i][0] + net.cw_hex[i]) for i in UNITS}
    m_cell = {i: 0.5 * m["CDWP"] * net.tower[i] / sum(net.tower.values()) for i in UNITS}
    approach = [Cell(p).approach(m_cell[i], u[f"Ffan_CT{i}_0{j}"], u["Twb_outside"]) for i, j in TOWER_CELLS]
    return Flows(
        m_cw=m["CDWP"],
        m_chw=m["CHWP"],
        m_cell=ca.vertcat(*m_cell.values()),
        m_cw1=ca.vertcat(*m_cw1.values()),
        m_cw3=ca.vertcat(*(m_train[i] - m_cw1[i] for i in UNITS)),
        m_condenser=ca.vertcat(
            *(m_train[i] * net.cw_condenser[i] / (net.cw[i][1] + net.cw_condenser[i]) for i in UNITS)
        ),
        k_chw1=ca.vertcat(*(net.chw[i][0] for i in UNITS)),
        k_chw2=ca.vertcat(*(net.chw[i][1] for i in UNITS)),
        k_chw3=ca.vertcat(*(net.chw[i][2] for i in UNITS)),
        k_chw4=ca.vertcat(*net.chw4.values()),
        v_cdwp=volume["CDWP"],
        v_chwp=volume["CHWP"],
        approach=ca.vertcat(*(c for cell in approach for c in cell)),
    )
