"""Print where the plant deviates from physics: ``python -m workshop.cooling_plant.deviations [--days 14]``.

The figures of ``docs/plant.md``, "Where today's plant deviates from physics": of one chiller and one tower cell by
their equations alone, and of the plant under its rule book with several set points of the supply.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import casadi as ca

from trivium.control.drive import drive
from trivium.plants.cooling.rules import RuleBasedController, Rules
from trivium.session.local import open_testcase
from workshop.cooling_plant.chiller import ZERO_CELSIUS, Chiller
from workshop.cooling_plant.parameters import PARAMETERS, Parameters
from workshop.cooling_plant.tower import Cell

__all__ = ["approach", "chiller", "fan_power", "rule_book"]

_DAY = 86400.0
_J_PER_MWH = 3.6e9
_RESOURCES = Path(__file__).parents[2] / "Resources"
_P = Parameters(ca.DM([parameter.start for parameter in PARAMETERS]))


def chiller(load: float, leaving: float, condenser: float) -> tuple[float, float]:
    """Return the heat and the electric power of chiller 1 [W].

    Parameters
    ----------
    load : float
        Heat that its set point asks for [W].
    leaving, condenser : float
        Temperatures of leaving chilled and leaving condenser water [degC].
    """
    flow, cold = _P["chiller.m_flow"], leaving + ZERO_CELSIUS
    entering = cold + load / (flow * _P["water.cp"])
    heat, power = Chiller(1, _P).heat_and_power(
        ca.DM(1.0), flow, entering, ca.DM(cold), ca.DM(condenser + ZERO_CELSIUS), ca.DM(cold)
    )
    return float(heat), float(power)


def approach(speed: float, wet_bulb: float, span: float) -> float:
    """Return the approach of a tower cell at nominal flow [K].

    Parameters
    ----------
    speed : float
        Of the fan, relative.
    wet_bulb : float
        [degC]
    span : float
        Entering minus leaving water [K].
    """
    a = Cell(_P).approach(_P["tower.m_flow"], ca.DM(speed), ca.DM(wet_bulb + ZERO_CELSIUS))
    # entering = wet bulb + approach + span, which the last term needs
    return float((a[0] + a[1] * span + a[2] * span**2 + a[3] * span) / (1.0 - a[3]))


def fan_power(speed: float) -> float:
    """Return the electric power of a cell's fan at a relative speed [W]."""
    return float(Cell(_P).fan_power(ca.DM(speed)))


def rule_book(supply: float, days: float) -> tuple[float, float]:
    """Return what the plant removes and takes under its rule book: heat and electricity [MWh].

    Parameters
    ----------
    supply : float
        Set point [K].
    days : float
        From the start of the boundary data.
    """
    with tempfile.TemporaryDirectory() as state, contextlib.closing(open_testcase(_RESOURCES, Path(state))) as case:
        until = days * _DAY
        drive(case, RuleBasedController(replace(Rules(), supply=supply)), case.initialize(0.0, until), until)
        rows = case.results(["Mchw", "Tchw_r", "Tchw_supply"])
        removed = rows["Mchw"] * 4186.0 * (rows["Tchw_r"] - rows["Tchw_supply"])
        energy = case.kpis(["ener_tot"])["ener_tot"]
        assert energy is not None
        return float(removed[1:].sum()) * case.step / _J_PER_MWH, energy / 1e3


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(prog="python -m workshop.cooling_plant.deviations", description=__doc__)
    parser.add_argument("--days", type=float, default=14.0, help="under the rule book (14)")
    days = parser.parse_args(arguments).days
    print("chiller 1 at 3 MW, supply 14 degC: COP by leaving condenser water")
    for condenser in (16.0, 20.0, 23.0, 26.0, 30.0, 34.0):
        heat, power = chiller(3e6, 14.0, condenser)
        print(f"  {condenser:4.0f} degC  {heat / power:5.1f}")
    print("chiller 1 at 3 MW, leaving condenser water 18 degC: power by supply")
    for leaving in (6.0, 8.0, 10.0, 12.0, 14.0, 16.0):
        print(f"  {leaving:4.0f} degC  {chiller(3e6, leaving, 18.0)[1] / 1e3:5.0f} kW")
    print(f"most heat of chiller 1 (nominal {float(_P['chiller.Q_nominal']) / 1e6:.2f} MW) by leaving condenser water")
    for condenser in (20.0, 26.0, 32.0, 38.0, 50.0, 60.0):
        print(f"  {condenser:4.0f} degC  {chiller(20e6, 14.0, condenser)[0] / 1e6:5.2f} MW")
    print(f"power of one chiller without load: {chiller(1e-3, 14.0, 26.0)[1] / 1e3:.2f} kW")
    print("tower cell at nominal flow, wet bulb 20 degC, water cooled by 4 K: approach and fan by speed")
    for speed in (0.0, 0.3, 0.5, 0.6, 0.8, 1.0):
        print(f"  {speed:3.1f}  {approach(speed, 20.0, 4.0):5.1f} K  {fan_power(speed) / 1e3:5.1f} kW")
    print(f"plant under its rule book, {days:g} days: by set point of the supply")
    for supply in (286.15, 287.15, 289.15):
        removed, taken = rule_book(supply, days)
        print(f"  {supply:.2f} K  {removed:7.0f} MWh of heat  {taken:6.0f} MWh of electricity", flush=True)


if __name__ == "__main__":
    main()
