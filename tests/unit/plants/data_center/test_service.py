"""Policies that would gain where a load is data, where stores are free or where an end is near: none does here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

import trivium
from trivium.plants.data_center.family import member

STEPS = 288
Policy = Callable[[int], Mapping[str, float]]
CHILLERS = [f"uChi{i}" for i in (1, 2, 3, 4)]
OFF = dict.fromkeys((*CHILLERS, "nPumChiWat", "nPumConWat", "nTow", "yFanTow", "yFanCra1", "yFanCra2"), 0.0)


def late(hours: float, action: Mapping[str, float]) -> Policy:
    """A policy that does nothing until the last hours of the day."""
    return lambda step: action if step >= STEPS - 12 * hours else {}


def steady(**action: float) -> Policy:
    return lambda _: action


CHEATS: dict[str, Policy] = {
    "off": steady(**OFF),
    "chillers off": steady(**dict.fromkeys(CHILLERS, 0.0)),
    "one chilled water pump, slowly": steady(nPumChiWat=1.0, yPumChiWat=0.2),
    "condenser pumps too slow for the towers": steady(yPumConWat=0.35),
    "no towers": steady(nTow=0.0),
    "fans of the halls off": steady(yFanCra1=0.0, yFanCra2=0.0),
    "warmest set points": steady(TChiWatSupSet=293.15, TSupAirSet1=305.15, TSupAirSet2=305.15),
    "economizer in summer": steady(**dict.fromkeys(CHILLERS, 0.0), yValEco=1.0),
    "one chiller": steady(uChi2=0.0, uChi3=0.0),
    "battery drained": steady(yBat=-1.0),
    "tank drained": steady(yTan=-0.2),
    "work postponed": steady(yShi=1.0),
    "battery drained at the end": late(3.0, {"yBat": -1.0}),
    "tank drained at the end": late(2.0, {"yTan": -0.4}),
    "off at the end": late(0.25, OFF),
    "chillers off at the end": late(0.5, dict.fromkeys(CHILLERS, 0.0)),
    "chillers now on, now off": lambda step: dict.fromkeys(CHILLERS, float(step % 2)),
    "all now on, now off": lambda step: OFF if step % 2 else {},
    # full after four of five minutes, so no power is drawn at the end of any step
    "battery filled between two samples": lambda step: {"yBat": 1.0} if step % 2 or step < 12 else {"yBat": -0.7},
    "work postponed and caught up between two samples": lambda step: {"yShi": 1.0 if step % 2 else -1.0},
    "liquid past its classes": steady(yPumConWat=0.5, TLiqSupSet=318.15),
    "no liquid": steady(nPumConWat=1.0, yPumConWat=0.5, nTow=1.0),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A member with storage on a day of summer, with its state after a day of ordinary operation."""
    folder = member.make(member.parse("3A-5MW-cloud+storage"), tmp_path_factory.mktemp("member"))
    with trivium.open(folder) as case:
        case.initialize(199 * 86400.0, warmup_period=86400.0)
        case.usual = {name: case.inputs[name].start for name in case.inputs}
        yield case


def day(case, policy: Policy) -> dict[str, float | None]:
    case.initialize(199 * 86400.0, warmup_period=86400.0)
    for step in range(STEPS):
        case.advance({**case.usual, **policy(step)})
    return dict(case.kpis())


@pytest.fixture(scope="module")
def ordinary(case):
    return day(case, steady())


def test_ordinary_operation_serves(ordinary):
    assert ordinary["serves"] == 1.0
    assert ordinary["unserved_tot"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", CHEATS)
def test_no_cheat_serves_for_less(case, ordinary, name):
    values = day(case, CHEATS[name])
    saved = 1.0 - values["ener_tot"] / ordinary["ener_tot"]
    assert values["serves"] == 0.0 or saved < 0.005, f"{name} serves and saves {100 * saved:.1f} %"
