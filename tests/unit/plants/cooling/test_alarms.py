"""The alarms of the shipped cooling plant: a fault raises the alarm that is for it, normal operation raises none."""

from __future__ import annotations

import contextlib

import pytest

from trivium.control.drive import controller, drive
from trivium.control.instruments import Instruments
from trivium.evaluation.faults import Fault
from trivium.session.local import open_testcase

#: A warm day, on which one chiller carries the load; when the faults begin.
START, FAULT = 7_800_000.0, 7_801_800.0
#: Faults of sensors and actuators by the alarm that is for them: kind, signals, size.
FAULTS = {
    "supply_hot": ("bias", ["Tchw_supply"], -4.0),
    "chiller_1_hot": ("stuck", ["CHI01_CW1"], 0.0),
    "chilled_flow_short": ("stuck", ["CHI01_CHW4"], 0.0),
    "condenser_no_flow": ("stuck", [f"CDWP0{i}_rpm" for i in range(1, 7)], 0.0),
    "chiller_1_warm": ("stuck", ["CHI01"], 0.0),
    "condenser_warm": ("stuck", [f"Ffan_CT{i}_0{cell}" for i in range(1, 7) for cell in (1, 2)], 0.0),
    "chilled_no_flow": ("stuck", [f"CHWP0{i}_rpm" for i in range(1, 7)], 500.0),
}


@pytest.fixture(scope="module")
def case(resources, state_dir):
    with contextlib.closing(open_testcase(resources, state_dir)) as case:
        yield case


def operated(case, faults=(), steps=36):
    """Run the plant under the rules with faulty instruments, and return its alarms by name."""
    observed = case.initialize(START, START + 300 * steps)
    by, instruments = controller("rules", case), Instruments(faults, {"Tchw_supply": "Tchws_set_CHI"})
    by.reset(observed, case.boundary())
    for _ in range(steps):
        action = by.action(instruments.sensed(case.time, observed), case.boundary())
        observed = case.advance(instruments.acting(case.time, action))
    return {alarm.name: alarm for alarm in case.alarms(past=True)}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_raises_its_alarm(case, name):
    kind, signals, size = FAULTS[name]
    found = operated(case, [Fault(kind, signal, FAULT, 1e9, size) for signal in signals])
    assert FAULT < found[name].since <= found[name].raised <= FAULT + 3600
    assert found[name].active


def test_a_hall_that_is_warmed_raises_an_alarm(case):
    fault = {"kind": "condition", "signal": "Tchw_r", "start": FAULT, "end": 1e9, "size": 286.0}
    case.set_scenario(faults=[fault])
    try:
        assert FAULT < operated(case)["heat_reversed"].raised <= FAULT + 1800
    finally:
        case.set_scenario(faults=[])


def test_what_is_healthy_raises_none(case):
    assert operated(case) == {}


@pytest.mark.parametrize(
    ("start", "days"),
    [(0.0, 10), pytest.param(0.0, 348, marks=pytest.mark.long)],
    ids=["ten days of spring", "the year"],
)
def test_normal_operation_raises_none(case, start, days):
    end = start + 86400.0 * days
    observed = case.initialize(start, end)
    drive(case, controller("rules", case), observed, end)
    assert case.time == end
    assert case.alarms(past=True) == []


def test_one_alarm_for_a_heat_that_hovers_at_zero(case):
    """The supply follows the return to within a few hundredths of a kelvin: heat of either sign, thousands of watts."""
    case.initialize(START, START + 86400)
    case.advance({"CDWP01_ONOFF": 1, "CDWP01_rpm": 0}, 144)
    heat = [alarm for alarm in case.alarms(past=True) if alarm.name == "heat_reversed"]
    assert len(heat) == 1


def test_alarms_and_acknowledgements_belong_to_the_state(case):
    case.initialize(START, START + 86400)
    case.advance({"CDWP01_ONOFF": 1, "CDWP01_rpm": 0}, 12)
    done = case.acknowledge_alarms(["condenser_no_flow"], by="Ann", at=5.0)
    before, alarms = case.snapshot(), case.alarms()
    assert [alarm for alarm in alarms if alarm.acknowledged] == done
    case.initialize(START, START + 86400)
    assert case.alarms(past=True) == []
    case.restore(before)
    assert case.alarms() == alarms
