"""`trivium.open` gives a simulation with plain values; it does what the test case does."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import trivium
from trivium.client import Session
from trivium.errors import InvalidValueError, ModelError, ResourcesError, StateError
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase


@pytest.fixture
def linear(own_fmu):
    with trivium.open(own_fmu("linear", "2.0"), step=1.0) as simulation:
        yield simulation


def test_it_steps_as_the_test_case_does(resources, state_dir):
    case = open_testcase(resources, state_dir)
    case.initialize(300_000)
    expected = [case.advance({"Tchws_set_CHI": 287.15}) for _ in range(3)]
    with trivium.open("cooling") as plant:
        plant.initialize(300_000)
        assert plant.advance({"Tchws_set_CHI": 287.15}) == expected[0]
        assert plant.advance(steps=2) == expected[2]
        assert plant.time == case.time == 300_900.0
        figures = [name for name in plant.kpis() if name != "time_rat"]  # the time that a step takes
        assert plant.kpis(figures) == case.kpis(figures)
        frame = plant.results(["Tchw_supply"]).frame()
        window = case.results(["Tchw_supply"], 0, 1e9)
        assert frame["Tchw_supply"].tolist() == window["Tchw_supply"].tolist()
        assert frame.index.tolist() == window["time"].tolist()
        ahead = plant.forecast(["Twb_outside"], 600, 300)
        assert ahead["Twb_outside"].tolist() == list(case.forecast(["Twb_outside"], 600, 300)["Twb_outside"])
    case.close()


def test_a_snapshot_is_a_moment_to_come_back_to(linear):
    linear.initialize(start_values={"tau": 4})
    linear.advance({"u": 3.0}, steps=2)
    moment = linear.snapshot()
    later = [linear.advance({"u": u}) for u in (1.0, 5.0)]
    linear.initialize()
    linear.restore(moment)
    assert linear.time == moment.time == 2.0
    assert linear.results().frame().index.tolist() == [0.0, 1.0, 2.0]
    assert [linear.advance({"u": u}) for u in (1.0, 5.0)] == later
    assert repr(moment) == "Snapshot(time=2.0)"


def test_a_snapshot_belongs_to_its_files(linear, fuel_cycle):
    with trivium.open(fuel_cycle) as other:
        moment = other.snapshot()
    with pytest.raises(StateError):
        linear.restore(moment)
    with pytest.raises(InvalidValueError, match=r"what snapshot\(\) returned, not str"):
        linear.restore("yesterday")


def test_looking_ahead_stays(linear):
    linear.advance({"u": 3.0})
    ahead = linear.look_ahead({"u": 7.0})
    assert linear.time == 1.0
    assert linear.advance({"u": 7.0}) == ahead


def test_results_are_all_or_a_window(linear):
    linear.advance({"u": 3.0}, steps=5)
    assert set(linear.results().frame().columns) == {"x", "y", "tenfold", "high", "u"}
    assert linear.results(["x"], start_time=2, final_time=3).frame().index.tolist() == [2.0, 3.0]
    linear.advance(steps=2)
    assert linear.results(["u", "x"]).frame().shape == (8, 2)


@pytest.mark.parametrize(("interface", "times"), [("cs", [0.0, 1.0, 3.5]), ("me", [0.0, 1.0, 2.0, 3.0, 3.5])])
def test_steps_longer_than_the_one_that_it_is_opened_with_are_divided_by_model_exchange_alone(
    own_fmu, interface, times
):
    with trivium.open(own_fmu("linear", "1.0", interface), step=1) as simulation:
        simulation.advance()
        simulation.step = 2.5
        simulation.advance()
        assert simulation.results(["x"]).frame().index.tolist() == times


def test_tables_of_variables(linear):
    assert list(linear.inputs) == ["u"]
    assert linear.measurements["y"].unit == "K"
    assert linear.parameters["tau"].start == 10.0
    assert "tau" in repr(linear.parameters)
    assert "<td>tau</td>" in linear.parameters._repr_html_()
    assert linear.inputs.frame().index.tolist() == ["u"]


def test_the_step_may_be_set(linear):
    linear.step = np.int64(2)
    linear.advance(steps=np.int32(3))
    assert (linear.time, linear.step) == (6.0, 2.0)


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        (lambda s: s.advance({"U": 1}), r"linear.* has no input U\. Did you mean u\? inputs lists them"),
        (lambda s: s.advance({"u": float("nan")}), "Value must be finite"),
        (lambda s: s.advance(5), r"inputs must be a dictionary by name, as .*, not 5"),
        (lambda s: s.initialize(start_values=[1]), r"start_values must be a dictionary by name, as .*, not \[1\]"),
        (lambda s: s.advance(steps=0), "whole number of at least 1"),
        (lambda s: s.advance(steps=1.5), "whole number"),
        (lambda s: s.initialize(start_values={"taus": 1}), r"no start value taus\. Did you mean tau\?"),
        (lambda s: s.initialize(start_values={"tau": 0}), "below the minimum"),
        (lambda s: s.initialize(5, 4), "greater than start_time"),
        (lambda s: setattr(s, "step", 0), "step"),
        (lambda s: setattr(s, "step", float("nan")), "must be finite"),
        (lambda s: s.results(["xx"]), r"no result xx\."),
        (lambda s: s.results("x"), r"must be a list: \['x'\]"),
        (lambda s: s.results(["x"], 3, 1), "must not be less than start_time"),
        (lambda s: s.kpis(["pue"]), "no key performance indicator pue"),
    ],
)
def test_a_slip_is_refused_and_nothing_is_changed(linear, slip, sentence):
    linear.advance({"u": 2.0})
    before = (linear.time, linear.step, linear.results().frame().to_dict())
    with pytest.raises(InvalidValueError, match=sentence):
        slip(linear)
    assert (linear.time, linear.step, linear.results().frame().to_dict()) == before


def test_many_steps_are_all_or_none(trap_fmu):
    with trivium.open(trap_fmu(), step=1.0) as simulation:
        simulation.advance()
        with pytest.raises(ModelError):
            simulation.advance({"trap": 6}, steps=3)
        assert simulation.time == 1.0
        simulation.advance({"trap": 0}, steps=3)
        assert simulation.time == 4.0


def test_closed_is_closed(own_fmu):
    simulation = trivium.open(own_fmu("linear", "2.0"))
    simulation.close()
    simulation.close()
    assert "closed" in repr(simulation)
    with pytest.raises(ModelError, match="closed"):
        simulation.advance()


def test_relative_paths_hold_when_the_working_directory_changes(folder, tmp_path_factory, monkeypatch):
    monkeypatch.delenv("TRIVIUM_STATE_DIR")
    simulation = trivium.open("FuelCycle.fmu", step=5, state=".state")
    case = open_testcase(Path("FuelCycle.fmu"), Path(".other"))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    simulation.advance(steps=2)
    moment = simulation.snapshot()
    simulation.advance()
    simulation.restore(moment)
    assert simulation.time == 10.0
    simulation.initialize()
    assert case.advance({})
    simulation.close()
    case.close()
    assert os.listdir() == []


def test_the_shipped_plant_opens_without_arguments(resources):
    import testcase

    assert testcase.TestCase is trivium.TestCase
    case = testcase.TestCase()
    assert case.initialize(0).message == "Simulation initialized successfully to 0s."
    assert case.get_name().payload == {"name": "AlphaDataCenterCooling_Gym"}
    twin = case.simulation.twin()
    assert twin.advance({}) == case.advance({}).payload
    twin.close()
    case.close()
    with trivium.open() as plant:
        assert plant.name == "AlphaDataCenterCooling_Gym"


def test_what_cannot_be_opened_is_refused(folder):
    with pytest.raises(ResourcesError, match=r"Did you mean FuelCycle.fmu\?"):
        trivium.open("FuelCycle.fm")
    with pytest.raises(InvalidValueError, match="model must be the path of an FMU, .* not 3"):
        trivium.open(3)
    with pytest.raises(InvalidValueError, match="engine must be"):
        trivium.open("FuelCycle.fmu", engine="dymola")
    with pytest.raises(InvalidValueError, match="step"):
        trivium.open("FuelCycle.fmu", step=-1)


def test_a_session_of_a_server_has_the_same_methods():
    public = {name for name in vars(trivium.Simulation) if not name.startswith("_")}
    assert {name for name in public if not hasattr(Session, name)} == set()
    assert {name for name in public if not hasattr(TestCase, name)} == {"name", "version"}  # attributes
