"""The data centre as a plant: recognized by its variables, shipped as a test case by name."""

from __future__ import annotations

import numpy as np
import pytest

import trivium
from trivium import locations
from trivium.control.drive import controller, default_controller, drive
from trivium.errors import SettingsError
from trivium.plants.data_center.family import member
from trivium.plants.data_center.plant import COMMANDS, PLANT
from trivium.simulation.plant import plant_of

variables = pytest.importorskip("workshop.data_center.variables", reason="CasADi is in the extra `build`")


def test_commands_are_those_of_the_model():
    assert tuple(v.name for v in variables.COMMANDS) == COMMANDS
    assert tuple(v.name for v in variables.DISTURBANCES) == member.DISTURBANCES
    assert tuple(v.name for v in variables.CONDITIONS) == member.CONDITIONS


def test_the_model_is_recognized_and_no_other():
    inputs, outputs = ({v.name for v in group} for group in (variables.INPUTS, variables.OUTPUTS))
    assert plant_of(inputs, outputs) is PLANT
    assert plant_of(inputs - {"yShi"}, outputs) is None
    assert set(PLANT.charted) <= inputs | outputs


def test_the_shipped_test_case_is_a_member_of_the_family(tmp_path):
    shipped, made = locations.shipped_testcase("data_center"), member.make(member.parse("5A-5MW-mixed"), tmp_path)
    assert sorted(path.name for path in shipped.iterdir()) == sorted(path.name for path in made.iterdir())
    for path in made.iterdir():
        assert (shipped / path.name).read_bytes() == path.read_bytes(), f"run `make data-center`: {path.name} is old"


@pytest.mark.parametrize("name", ["rule-book", "guideline-36"])
@pytest.mark.parametrize("size", ["2MW", pytest.param("20MW", marks=pytest.mark.slow)])
def test_controllers_drive_a_plant_of_any_size(tmp_path, name, size):
    with trivium.open(member.make(member.parse(f"4A-{size}-steady"), tmp_path)) as case:
        by = controller(name, case)
        assert default_controller(case) == "rule-book"
        begin = 190 * 86400.0
        drive(case, by, case.initialize(begin, warmup_period=7200.0), begin + 43200.0)
        values = dict(case.kpis())
        by_chillers = np.sum([case.results([f"PChi{i}"])[f"PChi{i}"] > 1e3 for i in (1, 2, 3, 4)], axis=0)
    assert values["serves"] == 1.0
    assert by_chillers.min() >= 1


def test_the_controllers_are_for_the_data_centre_only():
    with trivium.open("cooling") as case, pytest.raises(SettingsError, match="rule-book is for the data centre"):
        controller("rule-book", case)


def test_a_day_is_served_with_the_commands_that_the_plant_starts_with():
    with trivium.open("data_center") as case:
        assert sorted(case.inputs) == sorted(COMMANDS)
        case.initialize(200 * 86400.0)
        case.advance(steps=288)
        results = case.results(["TInlMax", "PItUns"])
    assert len(results["TInlMax"]) >= 288
    assert np.max(results["TInlMax"]) < 273.15 + 27.0
    assert np.max(results["PItUns"]) == 0.0
