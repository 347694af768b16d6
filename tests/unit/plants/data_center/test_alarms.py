"""The alarms of the data centre: a fault raises the alarm that is for it, normal operation raises none."""

from __future__ import annotations

import pytest

import trivium
from trivium.control.drive import controller, drive
from trivium.plants.data_center.family import member
from trivium.simulation.resources import Resources

HOUR, DAY = 3600.0, 86400.0
SUMMER = 200 * DAY
#: What is set by hand from an hour after the beginning on, by the alarm that is for it.
MISTAKES = {
    "hall_1_warm": {"yFanCra1": 0.0},
    "hall_2_hot": {"yFanCra2": 0.0},
    "liquid_hot": {"nPumConWat": 0.0},
    "chilled_no_flow": {"yPumChiWat": 0.05},
    "condenser_no_flow": {"yPumConWat": 0.05},
    "supply_warm": {"nTow": 0.0},
}


@pytest.fixture(scope="module")
def case():
    with trivium.open("data_center") as opened:
        yield opened


def operated(case, start, hours, by_hand=None, faults=()):
    """Run the plant under its rule book, and return its alarms by name."""
    case.set_scenario(faults=list(faults))
    by, observed = controller("rule-book", case), case.initialize(start, warmup_period=DAY / 4)
    observed = drive(case, by, observed, start + HOUR)
    case.override(by_hand or {})
    drive(case, by, observed, start + HOUR * hours, resumed=True)
    case.release()
    return {alarm.name: alarm for alarm in case.alarms(past=True)}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_raises_its_alarm(case, name):
    found = operated(case, SUMMER, 4, MISTAKES[name])
    assert SUMMER + HOUR < found[name].since <= found[name].raised <= SUMMER + 4 * HOUR
    assert found[name].active


def test_a_tripped_chiller_raises_an_alarm(case):
    trip = {"kind": "condition", "signal": "kChi1", "start": SUMMER + HOUR, "end": SUMMER + DAY, "size": 0.0}
    assert operated(case, SUMMER, 4, faults=[trip])["chiller_1_off"].active


@pytest.mark.parametrize("day", [3, 91, 200, 290])
def test_a_healthy_day_raises_none(case, day):
    assert operated(case, day * DAY, 24) == {}


@pytest.mark.long
def test_a_healthy_year_raises_none(case):
    assert operated(case, DAY, 24 * 363) == {}


def test_the_shipped_test_case_is_what_the_family_makes(tmp_path):
    folder = member.make(member.parse("5A-5MW-mixed"), tmp_path)
    assert (folder / "testcase.toml").read_bytes() == (member.fmu().parent / "testcase.toml").read_bytes()


def test_time_0_is_the_monday_of_the_load():
    assert Resources.load(member.fmu().parent).calendar.text(0.0) == "Mon 1 Jan 2018 00:00"
