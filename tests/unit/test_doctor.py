"""Each check of the doctor, on what works and on what does not."""

from __future__ import annotations

import importlib
import json
import shlex
import socket
import sys
from pathlib import Path

import pytest

from trivium import doctor
from trivium.doctor import machine, model, ways
from trivium.doctor.check import Check, guarded
from trivium.errors import TriviumError
from trivium.extras import command
from trivium.model.fmu import abi, registry
from trivium.settings import Settings


@pytest.fixture
def settings(small_resources, state_dir):
    return Settings(environ={}, resources=small_resources, state_dir=state_dir, engine="fmpy")


def stepped(settings):
    return {check.name: check for check in guarded("step", lambda: model.step(settings))}


@pytest.fixture
def without_ways(monkeypatch):
    """Leave out the checks of extras, which take long; they are tested by themselves."""
    monkeypatch.setattr(ways, "WAYS", {})


def test_a_good_installation(settings, without_ways):
    lines = []
    assert doctor.report(settings, as_json=True, say=lines.append) == 0
    told = json.loads(lines[0])
    assert told["works"] is True
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["fmpy cs"]["text"].startswith("stepped the model 3 times")
    assert checks["fmpy me"]["text"].endswith("restore is exact")
    assert checks["step"] == {"name": "step", "status": "ready",
                              "text": "a control step with fmpy cs, which serves this model"}  # fmt: skip
    assert "linux64" in checks["model"]["text"]


def test_the_table_has_a_line_for_each_check(settings, without_ways):
    lines = []
    assert doctor.report(settings, as_json=False, say=lines.append) == 0
    assert [line.split()[0] for line in lines[:3]] == ["python", "packages", "state"]
    assert lines[-1] == "Everything that is installed works."


def test_a_small_study_is_swept(settings, tmp_path):
    pytest.importorskip("distributed")
    (check,) = ways.sweep(settings, tmp_path)
    assert (check.name, check.status) == ("sweep", "ready")
    assert check.text.startswith("2 runs of a small study on a worker process")


def test_two_small_models_are_converged(settings, tmp_path):
    pytest.importorskip("pint")
    (check,) = ways.converge(settings, tmp_path)
    assert (check.name, check.status) == ("converge", "ready")


@pytest.mark.parametrize(("name", "module", "extra"), [
    ("sweep", "distributed", "sweep"), ("converge", "pint", "coupling"), ("dashboard", "dash", "dashboard"),
    ("gym", "gymnasium", "gym"),
])  # fmt: skip
def test_a_missing_extra_gets_its_command_and_fails_nothing(settings, tmp_path, monkeypatch, name, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    (check,) = guarded(name, lambda: ways.WAYS[name](settings, tmp_path))
    assert check.status == "missing"
    words = shlex.split(check.text.partition("install it with: ")[2])
    assert words == shlex.split(command(extra))


def test_a_broken_package_is_a_line_and_no_traceback(settings, tmp_path, monkeypatch):
    (tmp_path / "dash.py").write_text("raise SystemError('initialization failed')")
    monkeypatch.delitem(sys.modules, "dash", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    (check,) = guarded("dashboard", lambda: ways.dashboard(settings, tmp_path))
    assert (check.name, check.status) == ("dashboard", "failed")
    assert f"{tmp_path / 'dash.py'} cannot be imported (initialization failed); install it again with: " in check.text
    monkeypatch.delitem(sys.modules, "dash", raising=False)


def test_an_unwritable_state_directory_is_a_line_and_the_model_is_stepped_all_the_same(settings, without_ways):
    lines = []
    broken = settings.model_copy(update={"state_dir": Path("/dev/null/state")})
    assert doctor.report(broken, as_json=True, say=lines.append) == 1
    checks = {check["name"]: check for check in json.loads(lines[0])["checks"]}
    assert checks["state"]["status"] == "failed"
    assert "/dev/null/state" in checks["state"]["text"]
    assert checks["step"]["status"] == "ready"


def test_a_wrong_pair_is_reported_before_it_is_imported(settings, monkeypatch):
    monkeypatch.setattr(model, "version_of", lambda name: "2.11.0")
    monkeypatch.setattr(abi, "pyfmi_problem", lambda: "PyFMI 2.11.0 and Assimulo 3.5.1: pin this")
    monkeypatch.setattr(model.importlib, "import_module", lambda name: pytest.fail(f"{name} was imported"))
    text = "engine pyfmi: PyFMI 2.11.0 and Assimulo 3.5.1: pin this"
    for engine, status in (("pyfmi", "failed"), ("auto", "note"), ("fmpy", "note")):
        chosen = settings.model_copy(update={"engine": engine})
        assert list(model.pyfmi(chosen)) == [Check("pyfmi", status, text)]


def test_the_optional_engine_is_stepped_or_named_with_its_command(settings, monkeypatch):
    pytest.importorskip("assimulo", reason="the extra assimulo is not installed")
    assert stepped(settings)["assimulo me"].status == "ready"
    (check,) = guarded("assimulo", model.assimulo)
    assert check.status == "ready"
    assert check.text.startswith("Assimulo 3.")
    monkeypatch.setitem(sys.modules, "assimulo.solvers", None)
    assert "assimulo me" not in stepped(settings)
    (check,) = guarded("assimulo", model.assimulo)
    assert check.status == "missing"
    assert shlex.split(check.text.partition("install it with: ")[2]) == shlex.split(command("assimulo"))


def test_an_fmu_that_crashes_fails_the_doctor_and_not_its_process(settings, trap_resources, without_ways):
    good = settings.model_copy(update={"resources": trap_resources(restore="crash")})
    assert stepped(good)["fmpy cs"].status == "note"
    missing = settings.model_copy(update={"resources": trap_resources(missing_library=True)})
    assert "libabsent.so.3" in stepped(missing)["fmpy cs"].text
    lines = []
    with pytest.raises(TriviumError, match=r"libabsent\.so\.3"):
        doctor.report(missing, as_json=False, say=lines.append)
    assert doctor.report(missing, as_json=True, say=lines.append) == 1
    assert json.loads(lines[-1])["works"] is False


def test_a_port_in_use_is_a_note():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (check,) = machine.port("127.0.0.1", listener.getsockname()[1])
    assert check.status == "note"
    assert check.text.endswith("serve on another: --port")


def test_a_missing_model_fails(settings, tmp_path):
    checks = stepped(settings.model_copy(update={"resources": tmp_path / "nowhere"}))
    assert [(check.name, check.status) for check in checks.values()] == [("step", "failed")]


def test_a_missing_package_fails(monkeypatch):
    monkeypatch.setattr(machine, "PACKAGES", ("no_such_package",))
    (check,) = machine.packages()
    assert check.status == "failed"
    assert "no_such_package cannot be imported" in check.text


def test_the_engine_that_is_asked_for_must_be_there(settings, without_ways, monkeypatch):
    for module in (abi, registry):
        monkeypatch.setattr(module, "pyfmi_problem", lambda: "PyFMI is not installed")
    chosen = settings.model_copy(update={"engine": "pyfmi"})
    failed = {check.name for check in doctor.examine(chosen) if check.status == "failed"}
    assert failed == {"pyfmi", "step"}


def test_an_fmu_that_allows_one_instance_is_no_trouble(settings, trap_resources):
    chosen = settings.model_copy(update={"engine": "fmpy", "resources": trap_resources(one_instance=True)})
    checks = stepped(chosen)
    assert {check.text for check in checks.values() if check.status == "failed"} == set()
    assert checks["step"].text == "a control step with fmpy cs, which serves this model"
