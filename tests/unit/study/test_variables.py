"""Sweeps over FMUs whose variables are local, tunable, enumerations or arrays that are resized."""

from __future__ import annotations

import pytest

import trivium
from tests.own_fmus import state
from tests.trap_fmu import repacked
from trivium.errors import InvalidValueError
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.spec import load_study

HORIZON = {"stop_time": 2, "step_size": 0.5}


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_local_variables_and_parameters_are_recorded(write_study, run_here, own_fmu, version):
    path = write_study(
        fmu=own_fmu("hidden", version),
        simulation={"variableFilter": "x|twice|rate", "start_values": {"u": 3}, **HORIZON},
        simulation_parameters={"tau": [5, 10]},
        metrics={"last": {"variable": "twice", "method": "final"}},
    )
    with open_results(run_here(path)) as results:
        assert results.failures == {}
        expected = [2 * state(2.0, 3, tau=tau) for tau in (5, 10)]
        assert results.column("last").tolist() == pytest.approx(expected, rel=1e-4)
        assert set(results.variables) == {"x", "twice", "rate"}


def test_arrays_have_the_size_that_the_start_values_say(write_study, run_here, own_fmu):
    path = write_study(
        fmu=own_fmu("sized", "3.0"),
        simulation={"variableFilter": "y.*", "start_values": {"n": 3, "u[3]": 5}, **HORIZON},
        simulation_parameters={"u[1]": [1, 2]},
        metrics={"last": {"variable": "y[3]", "method": "final"}, "first": {"variable": "y[1]", "method": "final"}},
    )
    with open_results(run_here(path)) as results:
        assert results.failures == {}
        assert set(results.variables) == {"y[1]", "y[2]", "y[3]"}
        assert results.column("last").tolist() == [10.0, 10.0]
        assert results.column("first").tolist() == [2.0, 4.0]


def test_an_element_is_recorded_by_its_name_and_set_in_braces(write_study, run_here, own_fmu):
    path = write_study(
        fmu=own_fmu("sized", "3.0"),
        simulation={"variableFilter": "y[1]", "start_values": {"n": 3}, **HORIZON},
        simulation_parameters={"u": "{1, [2, 3], 4}"},
        metrics={"last": {"variable": "y[2]", "method": "final"}},
    )
    with open_results(run_here(path)) as results:
        assert results.failures == {}
        assert set(results.variables) == {"y[1]"}
        assert results.parameters == ("u[1]", "u[2]", "u[3]")
        assert results.column("last").tolist() == [4.0, 6.0]


def test_the_rows_of_a_table_are_runs(write_study, run_here, own_fmu, tmp_path):
    (tmp_path / "runs.csv").write_text("tau,gain\n5,2\n10,3\n20,2\n")
    path = write_study(
        simulation_parameters={"file": "runs.csv"}, metrics={"last": {"variable": "y", "method": "final"}}
    )
    with open_results(run_here(path)) as results:
        assert results.failures == {}
        assert results.column("tau").tolist() == [5, 10, 20]
        assert results.column("gain").tolist() == [2, 3, 2]


@pytest.mark.parametrize(
    ("simulation", "parameters", "reason"),
    [
        ({"start_values": {"n": 9}}, {}, "n. Value must be within .*, 8.0"),
        ({}, {"n": [1, 2]}, "simulation_parameters.n: n cannot be set before a run"),
        ({"start_values": {"level": 7}}, {}, r"item of its enumeration: 1 \(low\), 2 \(high\)"),
    ],
)
def test_what_is_refused(write_study, own_fmu, state_dir, simulation, parameters, reason):
    name = "tuned" if "level" in str(simulation) else "sized"
    path = write_study(
        fmu=own_fmu(name, "3.0"),
        simulation={"variableFilter": "y.*|x", **HORIZON, **simulation},
        simulation_parameters=parameters or {"u" if name == "tuned" else "u[1]": [1, 2]},
        metrics={},
    )
    with pytest.raises(InvalidValueError, match=reason):
        prepare(load_study(path), path.parent, state_dir)


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_variable_that_is_the_time_is_not_recorded_twice(write_study, run_here, own_fmu, tmp_path, version):
    """As those of the Reference FMUs and of Simulink have one."""
    fmu = repacked(
        own_fmu("linear", version),
        tmp_path / "timed.fmu",
        lambda name, data: data.replace(b'name="y"', b'name="time"') if name == "modelDescription.xml" else data,
    )
    path = write_study(fmu=fmu, simulation={"variableFilter": ".*", **HORIZON}, simulation_parameters={"tau": [5, 10]})
    with open_results(run_here(path)) as results:
        assert results.failures == {}
        assert "time" not in results.variables
        data = results.dataset()
        assert data["time"].values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
        # the parameter is recorded too
        assert data["parameters/tau"].values.tolist() == [5.0, 10.0]
        assert data["tau"].values.tolist() == [[5.0] * 5, [10.0] * 5]
        results.select(tau=5).export(tmp_path / "points.csv", trajectories=True)
    heading = (tmp_path / "points.csv").read_text().splitlines()[0].split(",")
    assert len(set(heading)) == len(heading)
    assert {"time", "tau", "parameters/tau"} <= set(heading)


def test_outputs_of_a_study_in_python_must_all_be_there(own_fmu):
    with pytest.raises(InvalidValueError, match=r"outputs: linear.* has no variable xx\. Did you mean x\?"):
        trivium.Study(own_fmu("linear", "2.0"), {"tau": [5]}, stop_time=1, step=1, outputs=["y", "x", "xx"])
