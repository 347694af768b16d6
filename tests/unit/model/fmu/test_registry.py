"""Engines and interfaces as testcase.toml chooses them."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.optional import needs_engine
from tests.own_fmus import state
from tests.trap_fmu import repacked
from trivium.errors import ModelError, ResourcesError
from trivium.model.fmu import choice, registry, trying
from trivium.model.fmu.abi import BROKEN
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.model.fmu.fmpy_me import FmpyExchangeModel
from trivium.model.fmu.fmu_model import Setup, Solving
from trivium.model.fmu.qualification import qualify
from trivium.model.fmu.verdict import Qualification
from trivium.simulation import models
from trivium.simulation.resources import Resources


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
        model = models.open_model(case(f'[fmu]\nengine = "fmpy"\n{toml}'), state_dir / "fmu")
        assert type(model) is kind
        assert type(model.twin()) is kind
        model.close()


@pytest.mark.parametrize(
    "toml", ['engine = "omc"', 'interface = "ME"', "restart = 1", "engine = 1", 'solver = "Euler"']
)
def test_what_does_not_exist_is_refused(case, toml):
    with pytest.raises(ResourcesError, match=f"fmu.{toml.split()[0]} must be one of"):
        case(f"[fmu]\n{toml}")


def test_results_depend_on_the_engine_so_the_fingerprint_does(case):
    fingerprints = {case(f"[fmu]\n{toml}").fingerprint for toml in ("", 'engine = "fmpy"', 'interface = "me"')}
    assert len(fingerprints) == 3


def test_an_engine_that_is_not_there_says_what_to_install(case, state_dir, monkeypatch):
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: "PyFMI not installed; conda-forge has it")
    assert models.choose(case(""), state_dir / "fmu").engine == "fmpy"
    with pytest.raises(ResourcesError, match="the engine pyfmi cannot be used: PyFMI not installed"):
        models.open_model(case('[fmu]\nengine = "pyfmi"'), state_dir / "fmu")


def test_assimulo_is_for_model_exchange_and_may_be_absent(case, state_dir, monkeypatch):
    toml = '[fmu]\nengine = "assimulo"\n'
    with pytest.raises(
        ResourcesError, match='runs Model Exchange, and .* is run by co-simulation; set interface = "me"'
    ):
        models.open_model(case(toml), state_dir / "fmu")
    resources = case(toml + 'interface = "me"\nsolver = "CVode"')
    model = models.open_model(resources, state_dir / "fmu")
    assert (model.engine, model.setup.solving.solver) == ("assimulo", "CVode")
    model.close()
    monkeypatch.setitem(sys.modules, "assimulo.solvers", None)
    with pytest.raises(ResourcesError, match=r"assimulo is not installed; install it with: .*assimulo"):
        models.open_model(resources, state_dir / "fmu")


def test_where_fmpy_brings_no_solver_co_simulation_and_assimulo_go_on(case, state_dir, monkeypatch):
    class Absent:
        """What ctypes says on Linux on ARM, for which FMPy's wheel has no library."""

        @staticmethod
        def find_spec(name, *_):
            if name == "fmpy.sundials":
                raise OSError("libsundials_cvode.so: cannot open shared object file: No such file or directory")

    for name in [name for name in sys.modules if name.startswith("fmpy.sundials")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("fmpy_me", "krylov"):
        monkeypatch.delitem(sys.modules, f"trivium.model.fmu.{name}")
    monkeypatch.setattr(sys, "meta_path", [Absent, *sys.meta_path])
    with pytest.raises(
        ResourcesError, match=r"brings no SUNDIALS for Linux on \w+; choose the engine assimulo, or inter"
    ):
        models.open_model(case('[fmu]\nengine = "fmpy"\ninterface = "me"'), state_dir / "fmu")
    models.open_model(case('[fmu]\nengine = "fmpy"'), state_dir / "fmu").close()
    models.open_model(case('[fmu]\nengine = "assimulo"\ninterface = "me"'), state_dir / "fmu").close()


def test_an_interface_that_the_fmu_lacks(case, state_dir, trap_fmu):
    with pytest.raises(ResourcesError, match="with co-simulation; Model Exchange of FMI 1.0, 2.0 or 3.0 is needed"):
        read_fmu(trap_fmu(), state_dir, "me")


def test_libraries_that_are_missing_are_named_also_those_that_others_need(trap_fmu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"not found in all: libabsent\.so\.3, libgone\.so\.3") as raised:
        FmpyModel(read_fmu(trap_fmu(missing_library=True), tmp_path / "cache"))
    assert tmp_path.samefile(".")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ModelError, match=r"(libabsent|libgone)\.so\.3: cannot open shared object file") as raised:
        FmpyModel(read_fmu(trap_fmu(missing_library=True), tmp_path / "cache"))
    assert "in all" not in str(raised.value)


@pytest.mark.parametrize(
    ("engine", "interface", "restart"),
    [
        ("fmpy", "me", False),
        ("pyfmi", "cs", False),
        ("pyfmi", "me", False),
        ("pyfmi", "me", True),
        ("assimulo", "me", False),
    ],
)
def test_engines_and_interfaces_agree_on_the_plant(resources, state_dir, engine, interface, restart):
    needs_engine(engine)
    path = resources / "AlphaDataCenterCooling_FMU.fmu"
    co = FmpyModel(read_fmu(path, state_dir / "fmu", "cs"), Solving(1e-6))
    description = read_fmu(path, state_dir / "fmu", interface)
    model = registry.adapter(engine, description)(description, Solving(1e-6, restart=restart))
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


@pytest.mark.parametrize("engine", ["fmpy", "pyfmi", "assimulo"])
def test_both_tolerances_reach_the_solver(own_fmu, tmp_path, engine):
    needs_engine(engine)
    description = read_fmu(own_fmu("linear", "2.0"), tmp_path, "me")
    solver = "CVode" if engine == "assimulo" else None  # Radau5 is much better than any tolerance here

    def error(solving):
        model = registry.adapter(engine, description)(description, replace(solving, solver=solver))
        model.initialize(0.0, np.zeros(1))
        x = [model.step(1.0, np.zeros(1))[0] for _ in range(20)]
        model.close()
        return np.abs(np.array(x) - [state(float(k)) for k in range(1, 21)]).max()

    good = error(Solving(1e-9, absolute=1e-9))
    assert good < 1e-7
    assert error(Solving(1e-9, absolute=1e-3)) > 100 * good
    assert error(Solving(1e-3, absolute=1e-9)) > 100 * good


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_what_pyfmi_does_not_run_here_is_run_by_fmpy(own_fmu, tmp_path, monkeypatch, version):
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: None)
    description = read_fmu(own_fmu("linear", version), tmp_path)
    tried = Tried()
    assert choice.choose_engine(description, Setup(description.path, "auto"), tried) == "fmpy"
    assert not tried.engines
    with pytest.raises(ResourcesError, match=f"is FMI {version}; the engine fmpy runs it"):
        registry.adapter("pyfmi", description)


class Tried:
    """Stands in for a qualification: which engines step, and what was tried."""

    def __init__(self, *stepping):
        self.stepping, self.engines = stepping, []

    def __call__(self, setup):
        self.engines.append(setup.engine)
        return Qualification(error="" if setup.engine in self.stepping else "it does not step")


@pytest.mark.parametrize(
    ("stepping", "engine", "tried"),
    [
        (["pyfmi", "fmpy"], "pyfmi", ["pyfmi"]),
        (["fmpy"], "fmpy", ["pyfmi", "fmpy"]),
        ([], "pyfmi", ["pyfmi", "fmpy"]),
    ],
)
def test_auto_is_what_really_steps(own_fmu, tmp_path, monkeypatch, stepping, engine, tried):
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: None)
    description = read_fmu(own_fmu("linear", "2.0"), tmp_path)
    qualified = Tried(*stepping)
    assert choice.choose_engine(description, Setup(description.path, "auto"), qualified) == engine
    assert qualified.engines == tried


def test_a_pyfmi_that_dies_is_not_chosen_where_fmpy_fails_too(own_fmu, tmp_path, monkeypatch):
    """The server then says what FMPy says of the FMU; with PyFMI it would not start."""
    monkeypatch.setattr(registry, "pyfmi_problem", lambda: None)
    description = read_fmu(own_fmu("linear", "2.0"), tmp_path)

    def qualified(setup):
        return Qualification(error="it does not step", decided=setup.engine != "pyfmi")

    assert choice.choose_engine(description, Setup(description.path, "auto"), qualified) == "fmpy"


def test_a_pyfmi_that_cannot_be_imported_is_tried_again_when_it_is_mended(own_fmu, tmp_path, monkeypatch):
    """What a broken installation says of the FMU is not kept: its versions stay the same when it is mended."""

    def live(*args, **options):
        raise ModelError(f"{BROKEN}: ImportError: libfmilib_shared.so.3: cannot open shared object file")

    setup = Setup(own_fmu("linear", "2.0"), "fmpy")
    with monkeypatch.context() as patch:
        patch.setattr(trying.Trying, "_live", live)
        assert "libfmilib_shared.so.3" in qualify(setup, tmp_path).error
    assert qualify(setup, tmp_path).error == ""


def test_auto_leaves_to_fmpy_what_pyfmi_cannot_do(own_fmu, tmp_path):
    needs_engine("pyfmi")
    fmu = repacked(
        own_fmu("linear", "2.0"), tmp_path / "stateless.fmu",
        lambda _, data: data.replace(b'<Derivatives><Unknown index="4"/></Derivatives>', b"").replace(b' derivative="2"', b""),
    )  # fmt: skip
    description = read_fmu(fmu, tmp_path, "me")
    assert description.n_states == 0
    resources = Resources("x", "", None, None, fmu, interface="me")
    assert models.choose(resources, tmp_path).engine == "fmpy"
