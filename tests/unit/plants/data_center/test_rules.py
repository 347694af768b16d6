"""The rule book of the data centre: how many chillers run, by their load and by the water that they have."""

from __future__ import annotations

import numpy as np
import pytest

import trivium
from trivium.control.drive import controller, drive
from trivium.plants.data_center.family import member
from trivium.plants.data_center.guideline36 import TrimAndRespond
from trivium.plants.data_center.loops import Loops
from trivium.plants.data_center.rules import Figures, RuleBook

DAY = 86400.0
UNITS = (1, 2, 3, 4)
TRIP = {"kind": "condition", "signal": "kChi1", "size": 0.0}


def trips(case, begin: float) -> int:
    """Count the stops of chillers that were commanded to run on, after the warm-up."""
    results = case.results([f"{stem}Chi{unit}" for stem in "uy" for unit in UNITS], start_time=begin)
    count = 0
    for unit in UNITS:
        commanded, running = results[f"uChi{unit}"] > 0.5, results[f"yChi{unit}"] > 0.5
        count += int(np.sum(commanded[:-1] & commanded[1:] & running[:-1] & ~running[1:]))
    return count


@pytest.mark.parametrize("day", [3, 31, 91, 150, 213, 290])
def test_no_chiller_trips_under_the_rule_book(day):
    """The start values leave three chillers on; in winter the valves close while the economizer takes over."""
    with trivium.open("data_center") as case:
        by = controller("rule-book", case)
        drive(case, by, case.initialize(day * DAY, warmup_period=DAY / 4), (day + 1) * DAY)
        assert trips(case, day * DAY) == 0
        assert case.kpis()["serves"] == 1.0


def test_no_chiller_trips_in_halls_that_are_nearly_empty(tmp_path):
    with trivium.open(member.make(member.parse("6A-2MW-growth"), tmp_path)) as case:
        by = controller("rule-book", case)
        drive(case, by, case.initialize(3 * DAY, warmup_period=DAY / 4), 3 * DAY + DAY / 4)
        assert trips(case, 3 * DAY) == 0


@pytest.mark.parametrize("kind", [pytest.param(Loops, marks=pytest.mark.slow), TrimAndRespond])
def test_no_chiller_trips_when_loops_take_over_at_a_long_control_step(kind, tmp_path):
    """Pumps slow down at once from a speed for three chillers; those that are to stop still need their water."""
    with trivium.open(member.make(member.parse("6A-2MW-growth"), tmp_path)) as case:
        for day, warmup in ((14, DAY / 4), (28, DAY / 4), (28, 3600.0)):
            by = kind(2e6, 900.0)
            observation = case.initialize(day * DAY, warmup_period=warmup)
            by.reset(observation, case.boundary())
            for _ in range(8):
                observation = case.advance(by.action(observation, case.boundary()), steps=3)
            assert trips(case, day * DAY) == 0


def test_flow_switches_stop_chillers_where_nobody_stages_them():
    """What the rule book prevents: four chillers with the water of one."""
    with trivium.open("data_center") as case:
        case.initialize(3 * DAY, warmup_period=DAY / 4)
        case.advance({"uChi4": 1.0, "nPumChiWat": 4.0, "TChiWatSupSet": 283.15, "yValEco": 1.0}, steps=6)
        assert trips(case, 3 * DAY) > 0


def test_figures_decide_how_many_pumps_and_cells_run():
    with trivium.open("data_center") as case:
        begin = case.initialize(200 * DAY, warmup_period=DAY / 4)
    observed = {**begin, "uChi3": 1.0}
    for figures, pumps, cells in (
        (Figures(), 3, 4),
        (Figures(pumps_each=0.5), 2, 3),
        (Figures(pumps_each=0.3, spare_cells=0.0), 1, 1),
        (Figures(pumps_each=0.5, spare_cells=3.0), 2, 4),
    ):
        book = RuleBook(5e6, figures=figures)
        book.reset({**observed, "yValEco": 0.0}, {})
        cold = {**observed, "TConWatSup": observed["TChiWatRet"]}  # nothing for the economizer
        commands = book.action(cold, {})
        assert (commands["nPumChiWat"], commands["nPumConWat"], commands["nTow"]) == (pumps, pumps, cells)
    book = RuleBook(5e6, figures=Figures(free_pumps=4.0))
    book.reset({**observed, "yValEco": 1.0}, {})
    free = book.action({**observed, "TConWatSup": observed["TChiWatRet"] - 5.0}, {})
    assert free["nPumChiWat"] == 4.0


def test_water_that_another_wants_warmer_starts_no_chiller():
    """As in tasks about set points: the rule book stages by the set point in force."""
    with trivium.open("data_center") as case:
        begin = case.initialize(200 * DAY, warmup_period=DAY / 4)
        book, commands = RuleBook(5e6), {name: variable.start for name, variable in case.inputs.items()}
        observation = {**begin, **commands}
        book.reset(observation, {})
        numbers = []
        for _ in range(48):
            commands |= {**book.action(observation, {}), "TChiWatSupSet": 288.15}
            observation = {**case.advance(commands), **commands}
            numbers.append(sum(commands[f"uChi{unit}"] for unit in UNITS))
    assert observation["TChiWatSup"] == pytest.approx(288.15, abs=1.0)
    assert max(numbers) <= 3


def counted(case, begin: float) -> dict[str, set[int]]:
    """Return the numbers of units that ran."""
    names = ("nPumChiWat", "nPumConWat", "nTow")
    results = case.results([*(f"yChi{unit}" for unit in UNITS), *names], start_time=begin)
    chillers = sum((results[f"yChi{unit}"] > 0.5).astype(int) for unit in UNITS)
    return {"chillers": set(chillers.tolist()), **{name: set(np.round(results[name]).astype(int)) for name in names}}


@pytest.mark.slow
def test_the_rule_book_needs_every_number_of_units_some_day(tmp_path):
    """All but a single tower cell: it runs a cell more than pumps. The fourth chiller is for one that trips."""
    days = (("6A-5MW-mixed", 3, {}), ("0B-5MW-growth", 10, {}), ("0B-5MW-mixed", 200, {}), ("0B-5MW-mixed", 200, TRIP))
    numbers: dict[str, set[int]] = {}
    for name, day, faults in days:
        with trivium.open(member.make(member.parse(name), tmp_path / name)) as case:
            case.set_scenario(faults=[{**faults, "start": day * DAY, "end": (day + 1) * DAY}] if faults else [])
            begin = case.initialize(day * DAY, warmup_period=DAY / 4)
            drive(case, RuleBook(5e6), begin, (day + 1) * DAY)
            for unit, ran in counted(case, day * DAY + 300.0).items():
                numbers[unit] = numbers.get(unit, set()) | ran
    assert numbers["chillers"] >= {0, 1, 2, 3}
    assert numbers["nPumChiWat"] == numbers["nPumConWat"] == {1, 2, 3, 4}
    assert numbers["nTow"] == {2, 3, 4}
