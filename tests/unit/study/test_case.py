"""Sweeps of a test case: boundary data, surrogates, controllers, key performance indicators."""

import json
import shutil

import numpy as np
import pytest

from tests.small_plant import FAILING, temperature
from trivium.environment import ROOT
from trivium.errors import InvalidValueError
from trivium.study.chunk import run_chunk
from trivium.study.job import DONE, FAILED
from trivium.study.prepare import prepare
from trivium.study.spec import load_study


@pytest.fixture(scope="module")
def judged(small_resources, tmp_path_factory):
    """The test case with the small plant, judged by the energy of its first chiller."""
    folder = tmp_path_factory.mktemp("judged") / "Resources"
    shutil.copytree(small_resources, folder)
    with (folder / "testcase.toml").open("a") as file:
        file.write('\n[kpi.power]\nchillers = ["Pchi1"]\n')
    return folder


@pytest.fixture
def study(tmp_path, judged, state_dir):
    def make(parameters, metrics=None, **simulation):
        content = {
            "paths": {"package_path": str(judged)},
            "simulation": {
                "variableFilter": "Tchw_supply|Pchi.*", "stop_time": 3000, "step_size": 300, **simulation,
            },
            "simulation_parameters": parameters,
            "metrics": metrics or {},
            "output": {"dtype": "float64"},
        }  # fmt: skip
        path = tmp_path / "study.json"
        path.write_text(json.dumps(content))
        return prepare(load_study(path), tmp_path, state_dir)

    return make


def test_a_control_input_is_held(study):
    metrics = {
        "energy": {"variable": "ener_tot", "method": "kpi"},
        "last": {"variable": "Tchw_supply", "method": "final"},
    }
    plan, job = study({"Tchws_set_HEX": [284.0, 288.0], "CHI01": [0, 1]}, metrics)
    results = run_chunk(job, np.arange(4), plan.rows(0, 4))
    assert results.reasons == {}
    place = job.kept.index("Tchw_supply")
    for row, (set_point, chiller), metric in zip(results.trajectories, plan.rows(0, 4), results.metrics, strict=True):
        wanted = [temperature(t, set_point) for t in job.times]
        np.testing.assert_allclose(row[1:, place], wanted[1:], rtol=1e-5)
        assert (row[1:, job.kept.index("Pchi1")] == 1e5 * chiller).all()
        assert metric[0] == pytest.approx(100 * chiller * 3000 / 3600)  # 100 kW, in kWh
        assert metric[1] == row[-1, place]


def test_a_run_that_fails_leaves_the_others_alone(study):
    plan, job = study({FAILING: [0, 1, 0]})
    results = run_chunk(job, np.arange(3), plan.rows(0, 3))
    assert results.status.tolist() == [DONE, FAILED, DONE]
    assert "FMU" in results.reasons[1]
    np.testing.assert_array_equal(results.trajectories[0], results.trajectories[2])


def test_local_variables_are_recorded_where_the_filter_names_them(study):
    metrics = {"last": {"variable": "T", "method": "final"}}
    plan, job = study({"Tchws_set_HEX": [284.0, 288.0]}, metrics, variableFilter="T|Tchw_supply")
    assert set(job.kept) == {"T", "Tchw_supply"}
    results = run_chunk(job, np.arange(2), plan.rows(0, 2))
    assert results.reasons == {}
    local, output = (results.trajectories[:, :, job.kept.index(name)] for name in ("T", "Tchw_supply"))
    assert np.isnan(local[:, 0]).all()  # at 0 stands the observation, which has outputs only
    np.testing.assert_array_equal(local[:, 1:], output[:, 1:])
    assert results.metrics[:, 0].tolist() == local[:, -1].tolist()
    assert "T" not in study({}, metrics, variableFilter=".*")[1].kept  # by default what the test case measures


def test_a_controller_decides_on_the_rest(study):
    parameters = {"Tchws_set_HEX": [287.0]}
    plan, held = study(parameters)
    _, ruled = study(parameters, controller="rules")
    a, b = (run_chunk(job, np.arange(1), plan.rows(0, 1)) for job in (held, ruled))
    assert (a.status, b.status) == (DONE, DONE), (a.reasons, b.reasons)
    place = held.kept.index("Tchw_supply")
    np.testing.assert_allclose(a.trajectories[0, :, place], b.trajectories[0, :, place])  # the held set point
    assert not np.array_equal(a.trajectories, b.trajectories)
    assert held.identity() != ruled.identity()


def test_what_does_not_fit_is_named(study):
    metrics = {"a": {"variable": "energy", "method": "kpi"}, "b": {"variable": "nothing", "method": "min"}}
    with pytest.raises(InvalidValueError) as caught:
        study({"Twb_outside": [280], "CHI01": [2]}, metrics, variableFilter="Z", start_values={"nothing": 1})
    lines = str(caught.value).splitlines()
    for start in (
        "metrics.a.variable: Resources has no key performance indicator energy", "metrics.b.variable: Resources has no",
        "simulation_parameters.Twb_outside: ", "simulation_parameters.CHI01: ", "simulation.start_values.nothing: ",
        "simulation.variableFilter: 'Z' matches no variable",
    ):  # fmt: skip
        assert any(line.startswith(start) for line in lines), start
    with pytest.raises(InvalidValueError, match="simulation.stop_time: the test case ends"):
        study({}, stop_time=3e9)
    with pytest.raises(InvalidValueError, match="simulation.inputs: a test case has its own"):
        study({}, inputs="in.csv")


def test_the_example_fits_the_default_test_case(resources, state_dir):
    path = ROOT / "examples" / "cooling_plant" / "study.json"
    plan, job = prepare(load_study(path), path.parent, state_dir)
    assert (plan.count, job.recipe.horizon.count, job.kept) == (32, 2016, ())
    assert plan.names == ("Tchws_set_CHI", "Tchws_set_HEX", "tower.m_flow")


def test_a_size_of_the_plant_is_a_parameter(resources, tmp_path, state_dir):
    """Larger towers cool the same flow further, when nothing else changes."""
    content = {
        "paths": {"package_path": str(resources)},
        "simulation": {
            "variableFilter": "Tcw_supply", "start_time": 17280000, "stop_time": 17283600, "step_size": 300,
        },
        "simulation_parameters": {"tower.m_flow": [60, 93, 150]},
    }  # fmt: skip
    (tmp_path / "study.json").write_text(json.dumps(content))
    plan, job = prepare(load_study(tmp_path / "study.json"), tmp_path, state_dir)
    results = run_chunk(job, np.arange(3), plan.rows(0, 3))
    assert (results.status == DONE).all(), results.reasons
    assert (np.diff(results.trajectories[:, 1:, 0], axis=0) < 0).all(), results.trajectories[:, :, 0]


@pytest.mark.parametrize("interface", ["cs", "me"])
def test_an_input_of_an_fmu_has_its_value_from_the_initialization_on(own_fmu, tmp_path, state_dir, interface):
    case = tmp_path / "case"
    case.mkdir()
    shutil.copy(own_fmu("overwrite", "2.0"), case / "model.fmu")
    (case / "testcase.toml").write_text(f'[fmu]\ninterface = "{interface}"\n')
    content = {
        "paths": {"package_path": str(case)},
        "simulation": {"variableFilter": "power", "stop_time": 2, "step_size": 1},
        "simulation_parameters": {"power_activate": [1], "power_u": [30.0, 40.0]},
    }
    path = tmp_path / "study.json"
    path.write_text(json.dumps(content))
    plan, job = prepare(load_study(path), tmp_path, state_dir)
    assert run_chunk(job, np.arange(2), plan.rows(0, 2)).trajectories[:, :, 0].tolist() == [[30.0] * 3, [40.0] * 3]
