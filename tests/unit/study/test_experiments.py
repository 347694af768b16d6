"""Sweeps of what is no model: callables, programs and coupled cases."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pint", reason="the extra coupling is not installed")

import trivium
from tests import sweeps
from tests.unit.coupling.cases import component, fixed_point, put
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.contract import Experiment, checked_inputs
from trivium.jobs.sweep import Spec
from trivium.model.variable import Variable
from trivium.settings import Settings
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.spec import load_study

MODULE = """
def price(inputs, options):
    if inputs["demand"] < 0:
        raise ValueError("there is no demand")
    return {"price": options["base"] + 0.3 * inputs["demand"], "series": [1.0, float(inputs["demand"])]}
"""
PRICE = {
    "kind": "python",
    "callable": "market:price",
    "options": {"base": 1.0},
    "inputs": {"demand": {"unit": "PJ"}},
    "outputs": {"price": {"unit": "USD/PJ"}, "series": {"dims": {"year": [2030, 2040]}}},
}
OFFSET = np.array([1.0, 2.0])
PROGRAM = """#!/bin/sh
sed 's/"x"/"y"/' inputs.json > outputs.json
"""


def write(folder, experiment, parameters, **more):
    (folder / "market.py").write_text(MODULE)
    path = folder / "study.json"
    path.write_text(json.dumps({"experiment": experiment, "simulation_parameters": parameters, **more}))
    return path


def frame(path, unpacked):
    with open_results(sweeps.run_here(path, unpacked=unpacked)) as results:
        return results.frame(), results.failures


def test_the_outputs_of_a_callable_are_the_metrics(tmp_path, unpacked):
    table, failures = frame(write(tmp_path, PRICE, {"demand": [0, 10, -1]}), unpacked)
    assert table["price"].tolist() == [1.0, 4.0]
    assert table["series[year=2040]"].tolist() == [0.0, 10.0]
    assert list(failures) == [2]
    assert "ValueError: there is no demand" in failures[2]


def test_outputs_may_be_chosen_and_named(tmp_path, unpacked):
    metrics = {"late": {"variable": "series[year=2040]", "method": "output"}}
    table, _ = frame(write(tmp_path, PRICE, {"demand": [5]}, metrics=metrics), unpacked)
    assert table.to_dict("list") == {"demand": [5.0], "late": [5.0]}


def test_elements_of_an_input_are_swept(tmp_path, unpacked):
    weighted = {
        "kind": "python",
        "callable": "weights:total",
        "inputs": {"demand": {"dims": {"fuel": ["gas", "wood"], "year": [2030, 2040]}, "initial": 1, "lower": 0}},
        "outputs": {"sum": {}},
    }
    (tmp_path / "weights.py").write_text(
        "def total(inputs, options):\n    return {'sum': (inputs['demand'] * [[1, 10], [100, 1000]]).sum()}\n"
    )
    path = write(tmp_path, weighted, {"demand[fuel=wood]": [1, 2], "demand[year=2040, fuel=gas]": [3]})
    table, failures = frame(path, unpacked)
    assert failures == {}
    assert table["sum"].tolist() == [1131.0, 2231.0]
    wrong = ("demand[fuel=wod]", "demand[years=2030]", "supply[fuel=gas]", "demand[fuel=gas]")
    path = write(tmp_path, weighted, {name: [-1] for name in wrong})
    with pytest.raises(InvalidValueError) as caught:
        prepare(load_study(path), tmp_path, unpacked)
    assert str(caught.value).splitlines() == [
        "simulation_parameters.demand[fuel=wod]: the experiment has no fuel wod in its input demand. Did you mean wood?",
        "simulation_parameters.demand[years=2030]: the experiment has no dimension years in its input demand. "
        "Did you mean year?",
        "simulation_parameters.supply[fuel=gas]: the experiment has no input supply[fuel=gas].",
        "simulation_parameters.demand[fuel=gas]: demand[fuel=gas, year=2030] is -1, which is below its lower bound 0",
    ]


@pytest.mark.parametrize("name", ["demand", "demand[year=2040]"])
def test_text_is_no_number_in_whole_inputs_and_in_elements(name):
    demand = Variable("demand", dims={"year": (2030, 2040)})
    experiment = SimpleNamespace(name="market", inputs=(demand,), defaults={"demand": 1.0})
    experiment.input_named = partial(Experiment.input_named, experiment)
    assert checked_inputs(experiment, {"demand[year=2040]": 5})["demand"].tolist() == [1.0, 5.0]
    with pytest.raises(ComponentError, match="is text"):
        checked_inputs(experiment, {name: "5"})


def test_a_program_is_swept(tmp_path, unpacked):
    (tmp_path / "copy.sh").write_text(PROGRAM)
    program = {
        "kind": "process",
        "argv": ["./copy.sh"],
        "files": ["copy.sh"],
        "inputs": {"x": {}},
        "outputs": {"y": {}},
    }
    table, failures = frame(write(tmp_path, program, {"x": [1.5, 2.5]}), unpacked)
    assert failures == {}
    assert table["y"].tolist() == [1.5, 2.5]


def test_a_coupled_case_is_swept(tmp_path, unpacked):
    a, c, d = 0.5, 0.25, 1.0
    case = {
        "components": {
            "one": component([[a, 1.0]], [0.0]) | {"inputs": {"u": {"initial": 0.0}, "x": {"initial": 0.0}}},
            "two": component([[c]], [d]),
        },
        "connections": [{"from": "one.y", "to": "two.x"}, {"from": "two.y", "to": "one.x"}],
        "tolerance": 1e-10,
    }
    case["components"]["one"]["options"] |= {"a": [[1.0, a]], "shape": []}
    case["components"]["one"]["outputs"] = {"y": {}}
    case["components"]["two"]["inputs"] = {"x": {"initial": 0.0}}
    case["components"]["two"]["outputs"] = {"y": {}}
    case["components"]["two"]["options"] |= {"shape": []}
    put(tmp_path / "case", case)
    path = write(tmp_path, {"kind": "coupled", "path": "case"}, {"one.u": [0.0, 2.0]})
    table, failures = frame(path, unpacked)
    assert failures == {}
    for u, one, two in table[["one.u", "one.y", "two.y"]].to_numpy():
        expected = fixed_point(np.array([[a]]), np.array([u]), np.array([[c]]), np.array([d]))
        assert [one, two] == pytest.approx(np.ravel(expected), rel=1e-8)
    results = trivium.Study(tmp_path / "case", {"one.u": [0.0, 2.0]}).run(workers=0, cache=False)
    assert results.frame()["one.y"].tolist() == table["one.y"].tolist()


def test_a_function_object_is_swept():
    def energy(price, offset=OFFSET):
        return {"demand": 10 - 2 * price, "both": offset * price}

    study = trivium.Study(energy, {"price": "linspace:0:2:3"})
    assert repr(study) == "Study(energy: 3 runs over price)"
    table = study.run(workers=0).frame()
    assert table["demand"].tolist() == [10.0, 8.0, 6.0]
    assert table["both[axis0=1]"].tolist() == [0.0, 2.0, 4.0]
    with pytest.raises(InvalidValueError, match="price, which has no default"):
        trivium.Study(energy, {})
    with pytest.raises(InvalidValueError, match="stop_time belongs to the simulation of a model"):
        trivium.Study(energy, {"price": [1]}, stop_time=3)
    with pytest.raises(ComponentError, match="must return its outputs by name"):
        trivium.Study(lambda price: price, {"price": [1]})


def test_a_function_object_runs_in_other_processes():
    offset = 3.0
    study = trivium.Study(lambda x: {"y": x + offset}, {"x": [1, 2]})
    assert study.run(workers=1).frame()["y"].tolist() == [4.0, 5.0]


def test_what_does_not_fit_is_named_all_at_once(tmp_path, unpacked):
    metrics = {"a": {"variable": "price", "method": "final"}, "b": {"variable": "cost", "method": "output"}}
    path = write(tmp_path, PRICE, {"supply": [1]}, metrics=metrics)
    with pytest.raises(InvalidValueError) as caught:
        prepare(load_study(path), tmp_path, unpacked)
    assert str(caught.value).splitlines() == [
        "simulation_parameters.supply: the experiment has no input supply.",
        "simulation_parameters.demand: is missing; the experiment has no value of its own for this input",
        "metrics.a.method: must be output, for an experiment that is no simulation",
        "metrics.b.variable: the experiment has no output cost.",
    ]
    with pytest.raises(InvalidValueError, match="there is no market.absent|market:absent"):
        path = write(tmp_path, {**PRICE, "callable": "market:absent"}, {"demand": [1]})
        prepare(load_study(path), tmp_path, unpacked)


def test_code_counts_for_the_identity(tmp_path, unpacked):
    path = write(tmp_path, PRICE, {"demand": [1]})
    _, job = prepare(load_study(path), tmp_path, unpacked)
    _, again = prepare(load_study(path), tmp_path, unpacked)
    assert job.identity() == again.identity()
    (tmp_path / "market.py").write_text(MODULE.replace("0.3", "0.4"))
    _, changed = prepare(load_study(path), tmp_path, unpacked)
    assert job.identity() != changed.identity()


def test_a_job_takes_an_experiment_from_a_file_of_its_folder_only(tmp_path):
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "experiment.json").write_text(json.dumps(PRICE))
    settings = Settings(studies=tmp_path)
    content = {"folder": "market", "simulation_parameters": {"demand": [1]}}
    with pytest.raises(ValueError, match="experiment must be the name of a file"):
        Spec.model_validate({**content, "experiment": PRICE}, context=settings)
    with pytest.raises(ValueError, match="is outside the folder"):
        Spec.model_validate({**content, "experiment": "../experiment.json"}, context=settings)
    spec = Spec.model_validate({**content, "experiment": "experiment.json"}, context=settings)
    assert spec.study(settings)["experiment"] == str(tmp_path / "market" / "experiment.json")
