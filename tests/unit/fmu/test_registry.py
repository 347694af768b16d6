"""Engines and interfaces as testcase.toml chooses them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from adcc.core.resources import Resources
from adcc.errors import ModelError, ResourcesError
from adcc.fmu import registry
from adcc.fmu.abi import pyfmi_problem
from adcc.fmu.description import read_fmu
from adcc.fmu.fmpy_ import FmpyModel
from adcc.fmu.fmpy_me import FmpyExchangeModel
from tests.contract.model_contract import inputs


@pytest.fixture
def case(small_resources, tmp_path):
    folder = tmp_path / "Resources"
    shutil.copytree(small_resources, folder)

    def load(toml):
        (folder / "testcase.toml").write_text(toml)
        return Resources.load(folder)

    return load


def test_the_interface_is_chosen(case, state_dir):
    for toml, kind in (("", FmpyModel), ('interface = "cs"', FmpyModel), ('interface = "me"', FmpyExchangeModel)):
        model = registry.open_model(case(f'[fmu]\nengine = "fmpy"\n{toml}'), state_dir / "fmu")
        assert type(model) is kind
        assert type(model.twin()) is kind
        model.close()


@pytest.mark.parametrize("toml", ['engine = "omc"', 'interface = "ME"', "restart = 1", "engine = 1"])
def test_what_does_not_exist_is_refused(case, toml):
    with pytest.raises(ResourcesError, match=f"fmu.{toml.split()[0]} must be one of"):
        case(f"[fmu]\n{toml}")


def test_results_depend_on_the_engine_so_the_fingerprint_does(case):
    fingerprints = {case(f"[fmu]\n{toml}").fingerprint for toml in ("", 'engine = "fmpy"', 'interface = "me"')}
    assert len(fingerprints) == 3


def test_an_engine_that_is_not_there_says_what_to_install(case, state_dir, monkeypatch):
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: "PyFMI not installed; conda-forge has it")
    files = case("")
    assert registry.choose_engine(read_fmu(files.fmu, state_dir / "fmu")) == "fmpy"
    with pytest.raises(ResourcesError, match="the engine pyfmi cannot be used: PyFMI not installed"):
        registry.open_model(case('[fmu]\nengine = "pyfmi"'), state_dir / "fmu")


def test_an_interface_that_the_fmu_lacks(case, state_dir, trap_fmu):
    with pytest.raises(ResourcesError, match="with co-simulation; Model Exchange of FMI 1.0, 2.0 or 3.0 is needed"):
        read_fmu(trap_fmu(), state_dir, "me")


def test_a_missing_library_is_named(trap_fmu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"libabsent\.so\.3"):
        FmpyModel(read_fmu(trap_fmu(missing_library=True), tmp_path / "cache"))
    assert tmp_path.samefile(".")


@pytest.mark.parametrize(
    ("engine", "interface", "restart"),
    [("fmpy", "me", False), ("pyfmi", "cs", False), ("pyfmi", "me", False), ("pyfmi", "me", True)],
)
def test_engines_and_interfaces_agree_on_the_plant(resources, state_dir, engine, interface, restart):
    if engine == "pyfmi" and pyfmi_problem():
        pytest.skip(str(pyfmi_problem()))
    path = resources / "AlphaDataCenterCooling_FMU.fmu"
    co = FmpyModel(read_fmu(path, state_dir / "fmu", "cs"), 1e-6)
    description = read_fmu(path, state_dir / "fmu", interface)
    model = registry.adapter(engine, description, restart=restart)(description, 1e-6)
    names = [v.name for v in co.inputs]
    start = np.array([v.start or 0.0 for v in co.inputs])
    co.initialize(0.0, start)
    model.initialize(0.0, start)
    for k in range(6):
        now = start.copy()
        now[names.index("Twb_outside")] += 0.3 * k
        now[names.index("Tchw_r")] += 0.2 * k
        one, other = co.step(300.0, now), model.step(300.0, now)
        for variable, a, b in zip(co.outputs, one, other, strict=True):
            assert b == pytest.approx(a, rel=2e-4, abs=1e-2), variable.name
    co.close()
    model.close()


def test_steps_with_unchanged_inputs_keep_the_solver_going(small_resources, state_dir, monkeypatch):
    from fmpy.sundials import CVodeSolver

    resets = []
    reset = CVodeSolver.reset
    monkeypatch.setattr(CVodeSolver, "reset", lambda self, time: (resets.append(time), reset(self, time))[1])
    model = FmpyExchangeModel(read_fmu(small_resources / "AlphaDataCenterCooling_FMU.fmu", state_dir / "fmu", "me"))
    model.initialize(0.0, inputs())
    for _ in range(5):
        model.step(300.0, inputs())
    assert resets == []
    solver = model._solver
    model.step(300.0, inputs(Mchw=200.0))
    model.snapshot()
    model.step(300.0, inputs(Mchw=200.0))
    assert resets == [1500.0, 1800.0]
    model.initialize(0.0, inputs())
    model.step(300.0, inputs())
    assert model._solver is solver
    model.close()


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_what_pyfmi_does_not_run_here_is_run_by_fmpy(own_fmu, tmp_path, monkeypatch, version):
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: None)
    description = read_fmu(own_fmu("linear", version), tmp_path)
    assert registry.choose_engine(description) == "fmpy"
    with pytest.raises(ResourcesError, match=f"is FMI {version}; the engine fmpy runs it"):
        registry.adapter("pyfmi", description)
