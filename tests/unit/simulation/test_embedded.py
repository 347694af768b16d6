"""Test cases inside an FMU, as BOPTEST packs them."""

from __future__ import annotations

import json

import pytest

from tests import boptest_case
from trivium.errors import ResourcesError
from trivium.simulation.embedded import read_embedded_case, read_table
from trivium.simulation.resources import Resources


@pytest.fixture
def write(own_fmu, tmp_path):
    return lambda **members: boptest_case.write(own_fmu("room", "2.0"), tmp_path / "wrapped.fmu", **members)


def test_all_of_the_case_is_read_from_the_fmu(write):
    files = Resources.load(write())
    assert (files.name, files.step, files.start_time, files.warmup_period) == ("own_room", 900.0, 7200.0, 3600.0)
    assert files.kpi["building"]["area"] == 40.0
    assert files.kpi["building"]["points"]["ElectricPower"] == ("rea_P_y",)
    assert files.scenario["periods"] == boptest_case.DAYS
    assert files.tolerance == 1e-6, "as BOPTEST simulates it, not what the FMU recommends"
    case = files.case
    assert {table.member.rpartition("/")[2] for table in case.tables} == {"prices.csv", "weather.csv", "zone.csv"}
    assert case.columns["Vacancy[north]"] == ("desk", "Free desks of the zone")
    names, numbers = read_table(case.fmu, "resources/zone.csv")
    assert names[0] == "time"
    assert numbers.shape == (365 * 24 + 1, len(names))


def test_only_the_signals_are_needed(write):
    files = Resources.load(write(**{"config.json": None, "days.json": None, "prices.csv": None}))
    assert (files.name, files.step, files.start_time) == ("wrapped", None, 0.0)
    assert "area" not in files.kpi["building"]
    assert files.scenario == {}


def test_an_fmu_with_other_resources_is_no_test_case(own_fmu, write):
    assert read_embedded_case(own_fmu("room", "2.0")) is None
    for other in ('{"a": 1}', "[]", '{"a": [1]}'):
        assert read_embedded_case(write(**{"kpis.json": other})) is None


def test_testcase_toml_goes_before_the_fmu(write):
    path = write()
    (path.parent / "testcase.toml").write_text('name = "mine"\nstep = 60\n[scenario.periods]\nmay = 130\n')
    files = Resources.load(path.parent)
    assert files.tolerance == 1e-6
    assert (files.name, files.step, files.scenario) == ("mine", 60, {"periods": {"may": 130}})
    assert files.kpi["building"]["area"] == 40.0


def test_tables_of_the_fmu_itself_can_be_left_out(write):
    config = {**boptest_case.CONFIG, "resource_file_exclusion": ["prices.csv"]}
    case = Resources.load(write(**{"config.json": json.dumps(config)})).case
    assert {table.member.rpartition("/")[2] for table in case.tables} == {"weather.csv", "zone.csv"}


@pytest.mark.parametrize(
    ("member", "text", "said"),
    [
        ("config.json", "{", "config.json of .* is not valid JSON"),
        ("config.json", "[]", "config.json of .* must be an object"),
        ("config.json", '{"area": 0}', "area must be greater than 0"),
        ("config.json", '{"step": -1}', "step must not be negative"),
        ("config.json", '{"step": "soon"}', "step"),
        ("config.json", '{"name": 3}', "name must be a string"),
        ("days.json", '{"may": "x"}', "may of resources/days.json"),
        ("more.csv", "time,TDryBul\n0,1\n", "both have a column TDryBul"),
        ("kpis.json", "{", "kpis.json of .* is not valid JSON"),
    ],
)
def test_what_is_wrong_is_named(write, member, text, said):
    with pytest.raises(ResourcesError, match=said):
        Resources.load(write(**{member: text}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,a\n0,1\n0,2\n", "do not grow"),
        ("time,a\n0,x\n", "cannot be read"),
        ("time,a\n0,inf\n", "not finite"),
        ("time,a\n0,1,2\n", "a number for each"),
    ],
)
def test_a_wrong_table_is_named(write, text, said):
    case = Resources.load(write(**{"more.csv": text})).case
    with pytest.raises(ResourcesError, match=f"more.csv of wrapped.fmu.*{said}"):
        read_table(case.fmu, "resources/more.csv")
