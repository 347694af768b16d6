"""The faults of the data centre: how they are drawn, and their signs against what is published.

Chillers: Comstock and Braun, ASHRAE research project 1043 (1999): a fouled condenser raises the condensing temperature
and the power. Systems: Granderson et al., Scientific Data 10, 342 (2023): a sensor that shows too much makes the loop
that it is in cool too far; the water of a fouled tower is warmer. Pumps: the affinity laws.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from trivium.control.instruments import Instruments
from trivium.evaluation.faults import Fault
from trivium.plants.data_center import faults
from trivium.plants.data_center.family import member
from trivium.session.local import open_testcase

DAY = 86400.0
SUMMER, SPRING = 200 * DAY, 70 * DAY


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    with open_testcase(member.fmu().parent, tmp_path_factory.mktemp("state")) as opened:
        yield opened


def _after(case, start, fault=None, **commands):
    """Return what is measured after two hours with a fault in the plant from the first on."""
    case.set_scenario(faults=[] if fault is None else [fault])
    case.initialize(start)
    for _ in range(36):
        values = case.advance(commands)
    return values


@pytest.mark.parametrize(
    ("signal", "start", "quantity", "sign"),
    [
        ("kCon", SUMMER, "PChi1", 1),
        ("kTow", SUMMER, "TConWatSup", 1),
        ("kTow", SUMMER, "PChi1", 1),
        ("kEco", SPRING, "QEco", -1),
        ("kPumChiWat", SUMMER, "mChiWat_flow", -1),
        ("kPumConWat", SUMMER, "mConWat_flow", -1),
        ("kPumConWat", SUMMER, "TConWatRet", 1),
    ],
)
def test_signs_of_plants_that_wear(case, signal, start, quantity, sign):
    commands = {"yValEco": float(start == SPRING)}
    fault = {"kind": "condition", "signal": signal, "start": start + 3600, "end": start + DAY, "size": 0.6}
    healthy, faulty = (_after(case, start, each, **commands)[quantity] for each in (None, fault))
    assert sign * (faulty - healthy) > 0.003 * abs(healthy - 273.15 * quantity.startswith("T"))


def test_a_tripped_chiller_leaves_its_load_to_the_others(case):
    fault = {"kind": "condition", "signal": "kChi2", "start": SUMMER + 3600, "end": SUMMER + DAY, "size": 0.0}
    healthy, faulty = (_after(case, SUMMER, each) for each in (None, fault))
    assert healthy["PChi2"] > 1e4
    assert faulty["PChi2"] < 1.0
    assert faulty["QChi1"] > 1.2 * healthy["QChi1"]


@pytest.mark.parametrize("bias", [-2.0, 2.0])
def test_a_biased_supply_sensor_moves_the_real_supply_the_other_way(case, bias):
    def real(instruments):
        commands = instruments.acting(SUMMER, {"TChiWatSupSet": 284.15})
        return _after(case, SUMMER, **commands)

    healthy = real(Instruments())
    biased = Instruments([Fault("bias", "TChiWatSup", SUMMER, SUMMER + DAY, bias)], faults.LOOPS)
    faulty = real(biased)
    assert faulty["TChiWatSup"] - healthy["TChiWatSup"] == pytest.approx(-bias, abs=0.3)
    assert (faulty["PChi1"] - healthy["PChi1"]) * bias > 0  # water that is cooled too far costs power
    assert biased.sensed(SUMMER, faulty)["TChiWatSup"] == pytest.approx(healthy["TChiWatSup"], abs=0.3)


def test_a_stuck_economizer_valve_takes_the_economizer_away(case):
    stuck = Instruments([Fault("stuck", "yValEco", SPRING, SPRING + DAY, 0.0)])
    healthy = _after(case, SPRING, yValEco=1.0)
    faulty = _after(case, SPRING, **stuck.acting(SPRING, {"yValEco": 1.0}))
    assert faulty["QEco"] < 0.1 * healthy["QEco"]


def test_a_year_is_drawn_by_its_seed_and_has_one_fault_at_a_time():
    year = faults.draw_year(3)
    assert year == faults.draw_year(3) != faults.draw_year(4)
    assert len(year) >= 8
    assert all(one.end < other.start for one, other in pairwise(year))
    assert all(fault.start < fault.end <= 365 * DAY and fault.start % 3600 == 0 for fault in year)
    causes = {faults.cause_of(fault) for seed in range(20) for fault in faults.draw_year(seed)}
    assert causes == {name for name, cause in faults.CAUSES.items() if cause.kind == "condition"}


def test_episodes_have_every_cause_and_healthy_days():
    random = np.random.default_rng(0)
    drawn = [faults.draw_episode(7 * DAY, 900.0, random) for _ in range(300)]
    assert {name for name, _ in drawn} == set(faults.LABELS)
    for name, each in drawn:
        assert len(each) == (name != faults.HEALTHY)
        for fault in each:
            cause = faults.CAUSES[name]
            assert cause.least <= abs(fault.size) <= cause.most
            assert fault.signal in cause.signals
            assert 7 * DAY + 6 * 3600 <= fault.start < fault.end == 8 * DAY
            assert fault.start % 900 == 0
            assert faults.cause_of(fault) in (name, *(() if fault.kind != "drift" else ("drifting_supply_sensor",)))


@pytest.mark.slow
def test_a_member_has_faults_in_its_scenario_and_the_same_boundary_data(tmp_path):
    mine = member.parse("7-2MW-steady+faults#3")
    assert mine.name == "7-2MW-steady+faults#3"
    folder = member.make(mine, tmp_path / "faulty")
    healthy = member.make(member.parse("7-2MW-steady#3"), tmp_path / "healthy")
    for name in ("Disturbance.csv", "Signals.csv"):
        assert (folder / name).read_bytes() == (healthy / name).read_bytes()
    assert (folder / "version.txt").read_text() != (healthy / "version.txt").read_text()
    with open_testcase(folder, tmp_path / "state") as opened:
        declared = opened.scenario["faults"]
        assert declared == [fault.as_dict() for fault in faults.draw_year(3)]
        first = declared[0]
        opened.initialize(first["start"])
        opened.advance({}, 12)
        recorded = opened.results([first["signal"]], first["start"], first["end"])[first["signal"]]
        assert recorded[-1] < 1.0  # results are labelled by the condition itself
