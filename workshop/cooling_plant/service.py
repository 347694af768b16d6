"""What the simulated cooling is worth: how much of its water and of its heat a real plant would move.

Both loops' flows are prescribed (`flows.solve`), the condenser water's by a law with a speed and a number of pumps of
its own. So the plant cools with water that its pumps could not move against the loops, and with chillers outside of
their envelope. The published trajectories determine that behaviour, and it stays; these quantities say what of it
counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import casadi as ca

from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.chiller import ZERO_CELSIUS, smooth_step
from workshop.cooling_plant.flows import Flows, flow_law, network
from workshop.cooling_plant.parameters import Parameters
from workshop.cooling_plant.pump import PASCAL_PER_METRE, Pump
from workshop.cooling_plant.variables import UNITS

__all__ = ["service"]

# No parameters: what counts is no property of the plant that a client may set.
#: The published resistances are up to so many times too tight for the published flows [-].
TIGHT = 3.0
#: Pressure difference that consumers at the ends of the chilled water network need [Pa]: the heads of 99.5 % of the
#: published steps exceed it together with the pressure drop of the trains.
ENDS = 1.0e5
#: Height to which condenser water is lifted in the towers [m]: the reference plant's operation (docs/baseline.md).
LIFT = 9.0
#: Heat of a chiller over its nominal capacity [-]; the published trajectories reach 1.12.
MOST_LOAD = 1.2
#: Leaving condenser water [degC] up to which the published capacity curve is a fit: it has its minimum at 37.6 degC, at
#: 14 degC leaving chilled water, and rises beyond; and the width over which heat stops counting [K].
WARMEST, WIDTH = 38.0, 1.0
#: Valves count as the resistance of nothing in the pump's own curve, so a pump has one that is hardly any.
_NO_VALVE = 1e3
#: Flow [kg/s] and heat [W] that are nothing, against divisions by zero.
_NO_FLOW, _NO_HEAT = 1e-3, 1.0


def service(
    v: Mapping[str, ca.SX],
    u: Mapping[str, ca.SX],
    flows: Flows,
    heats: Sequence[tuple[ca.SX, ca.SX]],
    supply: ca.SX,
    p: Parameters,
) -> dict[str, ca.SX]:
    """Return the local variables that say what counts, by name; see `variables.LOCALS`.

    Parameters
    ----------
    v, u : mapping
        Valve positions [-] and inputs by name.
    flows : Flows
    heats : sequence of (casadi.SX, casadi.SX)
        Heat that each chiller takes from the chilled water [W], and its leaving condenser water [K].
    supply : casadi.SX
        Chilled water supplied [K].
    p : Parameters
    """
    net = network(v, p)
    dp_chw = ENDS + (flows.m_chw / (TIGHT * net.chilled_loop)) ** 2
    dp_cw = LIFT * PASCAL_PER_METRE + (flows.m_cw / (TIGHT * net.condenser_loop)) ** 2

    def opening(kind: str, i: int) -> ca.SX:
        return hydraulics.equal_percentage(v[f"{kind}0{i}_ONOFF"], p["valve.R"], p["valve.l"], p["valve.delta0"])

    pump = Pump("CHWP", p)
    moved_chw = sum(
        opening("CHWP", i)
        * p["water.rho"]
        * pump.flow(dp_chw, pump.speed_ratio(u[f"CHWP0{i}_rpm"]), ca.SX(_NO_VALVE))[0]
        for i in UNITS
    )
    moved_cw = sum(
        flow_law(dp_cw / PASCAL_PER_METRE, u[f"CDWP0{i}_rpm"], opening("CDWP", i), p) * _reaches(dp_cw, i, u, p)
        for i in UNITS
    )
    cw_share = ca.fmin((moved_cw + _NO_FLOW) / (flows.m_cw + _NO_FLOW), 1.0)
    beyond = sum(_beyond(heat, condenser, p) for heat, condenser in heats)
    removed = flows.m_chw * p["water.cp"] * (u["Tchw_r"] - supply)
    return {
        "Mchw_real": ca.fmin(flows.m_chw, moved_chw),
        "VolumeFlowRate_cw_real": cw_share * flows.m_cw / p["water.rho"],
        "dp_chw": dp_chw,
        "dp_cw": dp_cw,
        "cw_share": cw_share,
        "chiller_share": 1.0 - ca.fmin(beyond / ca.fmax(removed, _NO_HEAT), 1.0),
    }


def _reaches(pressure: ca.SX, i: int, u: Mapping[str, ca.SX], p: Parameters) -> ca.SX:
    """1 where a condenser water pump reaches a pressure [Pa] without flow, else 0: the law has no check valve."""
    w = ca.fmax(u[f"CDWP0{i}_rpm"], 0.0) / p["flowLaw.N"]
    return ca.if_else(p["flowLaw.a"] * w**2 * PASCAL_PER_METRE > pressure, 1.0, 0.0)


def _beyond(heat: ca.SX, condenser: ca.SX, p: Parameters) -> ca.SX:
    """Heat [W] that a chiller takes outside of its envelope, at leaving condenser water [K]."""
    inside = heat * smooth_step((WARMEST + WIDTH - (condenser - ZERO_CELSIUS)) / WIDTH)
    return heat - ca.fmin(inside, MOST_LOAD * p["chiller.Q_nominal"])
