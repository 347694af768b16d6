import json
import math
import re
import shutil

import pytest

from tests.server import ROOT
from trivium import locations
from trivium.errors import InvalidValueError, ResourcesError
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.spec import load_study

SEED = {
    "paths": {"package_path": "./CFEDR2.mo"},
    "simulation": {
        "model_name": "CFEDR.Cycle",
        "variableFilter": "time|sds.inventory",
        "stop_time": 24000.0,
        "step_size": 1,
    },
    "simulation_parameters": {
        "pulse.power": [100, 200, 500, 1000, 1500, 2000, 2500, 3000],
        "bz.TBR": [1.05, 1.1, 1.15, 1.2],
    },
}


def write(tmp_path, content):
    path = tmp_path / "study.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_form_of_the_seed_is_accepted(tmp_path):
    study = load_study(write(tmp_path, SEED))
    assert study.paths.package_path == tmp_path / "CFEDR2.mo"
    assert study.simulation.steps == 24000
    assert study.values(tmp_path)["bz.TBR"].listed.tolist() == [1.05, 1.1, 1.15, 1.2]


def test_every_bad_field_is_named(tmp_path):
    content = {
        "paths": {"package": "A.mo"},
        "simulation": {"variableFilter": "(", "stop_time": "soon", "step_size": -1, "steps": 3},
        "metrics": {"m": {"variable": "x", "method": "median"}},
        "sampling": {"method": "guess"},
        "output": {"absolute_error": 0},
        "colour": "red",
    }
    with pytest.raises(InvalidValueError) as caught:
        load_study(write(tmp_path, content))
    for field in (
        "paths.package: there is no such field. Did you mean package_path?", "simulation.variableFilter: is no regular expression",
        "simulation.stop_time", "simulation.step_size", "simulation.steps: there is no such field. Did you mean step_size?", "metrics.m.method",
        "sampling.method", "output.absolute_error", "colour: there is no such field",
    ):  # fmt: skip
        assert f"  {field}" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({}, 'name the model once: by "testcase": "cooling", or by paths.package_path'),
        ({"paths": {}}, "name the model once"),
        ({"testcase": "cooling", "paths": {"package_path": "A.fmu"}}, "name the model once"),
        (
            {"testcase": "Resources"},
            "testcase must be one of: cooling, data_center; a folder or file is named by paths.package_path",
        ),
    ],
)
def test_the_model_is_named_once(tmp_path, model, sentence):
    content = {"simulation": SEED["simulation"], **model}
    with pytest.raises(InvalidValueError, match=re.escape(sentence)):
        load_study(write(tmp_path, content))


def test_the_shipped_plant_is_named_by_its_name(tmp_path):
    study = load_study(write(tmp_path, {"testcase": "cooling", "simulation": SEED["simulation"]}))
    assert study.package == ROOT / "Resources"


@pytest.mark.parametrize(
    ("simulation", "said"),
    [
        ({"stop_time": 10, "step_size": 3}, "step_size must divide the duration 10"),
        ({"stop_time": 10, "step_size": 20}, "step_size must divide"),
        ({"stop_time": 10, "step_size": 1, "start_time": 10}, "stop_time must be after start_time"),
    ],
)
def test_times_that_do_not_fit(tmp_path, simulation, said):
    with pytest.raises(InvalidValueError, match=said):
        load_study(write(tmp_path, {**SEED, "simulation": simulation}))


@pytest.mark.parametrize(
    ("method", "threshold", "right"),
    [("time_above", None, False), ("time_above", 3, True), ("final", 3, False), ("final", None, True)],
)
def test_a_threshold_belongs_to_threshold_times(tmp_path, method, threshold, right):
    content = {**SEED, "metrics": {"m": {"variable": "x", "method": method, "threshold": threshold}}}
    if right:
        load_study(write(tmp_path, content))
    else:
        with pytest.raises(InvalidValueError, match="metrics.m: threshold belongs to"):
            load_study(write(tmp_path, content))


def test_texts_that_are_no_study(tmp_path):
    with pytest.raises(InvalidValueError, match="is no JSON"):
        load_study(write(tmp_path, "{"))
    with pytest.raises(InvalidValueError, match="step_size appears twice"):
        load_study(write(tmp_path, '{"simulation": {"step_size": 1, "step_size": 2}}'))
    with pytest.raises(InvalidValueError, match="cannot be read"):
        load_study(tmp_path / "absent.json")


@pytest.mark.skipif(shutil.which("omc") is not None, reason="omc is installed here")
def test_a_modelica_package_needs_a_compiler(tmp_path, monkeypatch):
    (tmp_path / "CFEDR2.mo").write_text("package CFEDR end CFEDR;")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(ResourcesError, match=r"paths.package_path.*neither .* omc nor rumoca.*'?trivium|modelica"):
        prepare(load_study(write(tmp_path, SEED)), tmp_path, tmp_path)


@pytest.mark.skipif(shutil.which("omc") is not None, reason="omc is installed here")
def test_a_modelica_model_is_swept_without_openmodelica(tmp_path, run_here):
    pytest.importorskip("rumoca", reason="the extra modelica is not installed")
    (tmp_path / "A.mo").write_text(
        "package A\n  model B\n    parameter Real tau = 2;\n    Real x(start = 1, fixed = true);\n"
        "  equation\n    tau * der(x) = -x;\n  end B;\nend A;\n"
    )
    content = {
        "paths": {"package_path": "A.mo"},
        "simulation": {"model_name": "A.B", "variableFilter": "x", "stop_time": 2, "step_size": 1, "tolerance": 1e-9},
        "simulation_parameters": {"tau": [1, 2, 4]},
        "metrics": {"end": {"variable": "x", "method": "final"}},
    }
    with open_results(run_here(write(tmp_path, content))) as results:
        assert results.failures == {}
        assert results.column("end").tolist() == pytest.approx([math.exp(-2 / tau) for tau in (1, 2, 4)], rel=1e-8)


@pytest.mark.skipif(shutil.which("omc") is not None, reason="omc is installed here")
def test_a_modelica_model_that_is_not_covered_is_refused_by_its_line(tmp_path):
    pytest.importorskip("rumoca", reason="the extra modelica is not installed")
    (tmp_path / "A.mo").write_text("model A\n  Real x;\nequation\n  der(x) = delay(x, 1.0);\nend A;\n")
    content = {
        "paths": {"package_path": "A.mo"},
        "simulation": {"model_name": "A", "variableFilter": "x", "stop_time": 2, "step_size": 1},
    }
    with pytest.raises(ResourcesError, match=r"A\.mo:4: delay\(\) is not covered"):
        prepare(load_study(write(tmp_path, content)), tmp_path, tmp_path)


def test_a_modelica_package_is_compiled_once(tmp_path, monkeypatch, own_fmu):
    compiler = tmp_path / "bin" / "omc"
    compiler.parent.mkdir()
    compiler.write_text(
        f'#!/bin/sh\ngrep -q "buildModelFMU(A.B, version=.2.0." "$1" && cp {own_fmu("linear", "2.0")} A.B.fmu\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}:/usr/bin:/bin")
    (tmp_path / "A.mo").write_text("package A end A;")
    content = {
        "paths": {"package_path": "A.mo"},
        "simulation": {"model_name": "A.B", "variableFilter": "x", "stop_time": 1, "step_size": 1},
    }
    study = load_study(write(tmp_path, content))
    _, job = prepare(study, tmp_path, tmp_path)
    compiler.write_text("#!/bin/sh\nexit 1\n")
    assert prepare(study, tmp_path, tmp_path)[1] == job
    (tmp_path / "A.mo").write_text("package A model B end B; end A;")  # another content is compiled again
    with pytest.raises(ResourcesError, match="omc made no FMU of A.B"):
        prepare(study, tmp_path, tmp_path)


def test_what_the_fmu_does_not_have_is_named_all_at_once(write_study, unpacked, tmp_path):
    path = write_study(
        simulation={"variableFilter": "z.*", "start_values": {"w": 1, "y": 2, "gain": 1000, "tau": 1}},
        simulation_parameters={"tau": [0.01], "p": "1:", "v": [1], "gain": [1.5]},
        metrics={"m": {"variable": "z", "method": "final"}},
    )
    with pytest.raises(InvalidValueError) as caught:
        prepare(load_study(path), tmp_path, unpacked)
    assert "simulation_parameters.p: '1:' needs 3 numbers" in str(caught.value)
    path = write_study(
        simulation={"variableFilter": "z.*", "start_values": {"w": 1, "y": 2, "gain": 1000, "tau": 1}},
        simulation_parameters={"tau": [0.01], "v": [1], "gain": [1.5]},
        metrics={"m": {"variable": "z", "method": "final"}},
    )
    with pytest.raises(InvalidValueError) as caught:
        prepare(load_study(path), tmp_path, unpacked)
    lines = str(caught.value).splitlines()
    for start in (
        "simulation_parameters.tau: Invalid value 0.01", "simulation_parameters.v: linear-2.0-both.fmu has no variable v",
        "simulation_parameters.gain: Invalid value 1.5", "simulation.start_values.w: ",
        "simulation.start_values.y: y cannot be set", "simulation.start_values.gain: ",
        "simulation.start_values.tau: is one of simulation_parameters", "simulation.variableFilter: 'z.*' matches no",
        "metrics.m.variable: ",
    ):  # fmt: skip
        assert any(line.startswith(start) for line in lines), start


@pytest.mark.parametrize(
    "simulation",
    [
        {"stop_time": 7e16, "step_size": 5e-324},
        {"stop_time": 1.7e308, "step_size": 1.0},
        {"start_time": -1.7e308, "stop_time": 1.7e308, "step_size": 1e300},
        {"stop_time": 1.0, "step_size": 1e-8},
    ],
)
def test_a_run_has_an_end(write_study, simulation):
    with pytest.raises(InvalidValueError, match="simulation: step_size makes more than 10000000 steps"):
        load_study(write_study(simulation=simulation))


FMU = locations.shipped_testcase("cooling") / "AlphaDataCenterCooling_FMU.fmu"
NOTHING = {"simulation_parameters": {}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"simulation_parameters": {"tau": "1:2:1e-15"}},
            r"tau: '1:2:1e-15' is no progression .* more than \d+ values",
        ),
        (
            {"simulation_parameters": {"tau": "linspace:1:2:1e18"}},
            r"tau: the count in .* must be a whole number from 1",
        ),
        (
            {"simulation_parameters": {name: "linspace:1:2:2000" for name in ("tau", "x", "u")}},
            r"simulation_parameters: a grid of 8000000000 runs; there may be 2147483648",
        ),
        (
            {"fmu": FMU, "simulation": {"stop_time": 9e6, "step_size": 1, "variableFilter": ".*"}, **NOTHING},
            r"simulation.step_size: the trajectories of a run take \d.*GB, 9000001 outputs of \d+ variables; "
            "there may be 2.1 GB: choose a larger step_size, or fewer variables by variableFilter",
        ),
    ],
)
def test_absurd_sizes_are_refused_before_anything_is_allocated(write_study, unpacked, tmp_path, changes, said):
    with pytest.raises(InvalidValueError, match=said):
        prepare(load_study(write_study(**changes)), tmp_path, unpacked)


def test_the_filter_is_for_whole_names(write_study, unpacked, tmp_path):
    _, job = prepare(load_study(write_study(simulation={"variableFilter": "x|ten.*"})), tmp_path, unpacked)
    assert job.kept == ("x", "tenfold")  # not der(x)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("time,u\n0,1\n5,2\n", "covers 0.0s to 10.0s"),
        ("time,v\n0,1\n50,2\n", "has no column of an input of .*; it has: v"),
        ("time,tau\n0,1\n50,2\n", "has no column of an input of .*; it has: tau"),
        ("u\n1\n", "has no column time; its columns are: u"),
    ],
)
def test_inputs_that_do_not_fit(write_study, unpacked, tmp_path, table, said):
    (tmp_path / "in.csv").write_text(table)
    with pytest.raises(InvalidValueError, match=f"simulation.inputs: .*{said}"):
        prepare(load_study(write_study(simulation={"inputs": "in.csv"})), tmp_path, unpacked)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("n", "0.5", "0.5 for parameter n.*between two integers"),
        ("n", "4", "4.0 for parameter n.*above the maximum 3"),
        ("power_activate", "2", "2.0 for parameter power_activate.*above the maximum 1"),
        ("power_u", "-1", "-1.0 for parameter power_u.*below the minimum 0"),
    ],
)
def test_values_that_an_input_cannot_have(write_study, unpacked, tmp_path, own_fmu, column, values, said):
    (tmp_path / "in.csv").write_text(f"time,{column}\n0,1\n10,{values}\n30,1\n")
    path = write_study(
        fmu=own_fmu("overwrite", "2.0"), simulation={"inputs": "in.csv", "variableFilter": "T"},
        simulation_parameters={},
    )  # fmt: skip
    with pytest.raises(InvalidValueError, match=f"simulation.inputs: .*{said}"):
        prepare(load_study(path), tmp_path, unpacked)


def test_what_the_native_loop_cannot_run_is_stepped(write_study, unpacked, tmp_path, own_fmu):
    for version, native in (("1.0", False), ("2.0", True), ("3.0", False)):
        _, job = prepare(load_study(write_study(fmu=own_fmu("linear", version))), tmp_path, unpacked)
        assert job.recipe.native == native
    text = {"start_values": {"label": "heating"}, "variableFilter": "x"}
    _, job = prepare(load_study(write_study(simulation=text)), tmp_path, unpacked)
    assert not job.recipe.native
