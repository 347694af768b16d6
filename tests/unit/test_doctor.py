"""Each check of the doctor, on what works and on what does not."""

from __future__ import annotations

import json
import socket

import pytest

from trivium import doctor
from trivium.errors import TriviumError
from trivium.fmu.abi import pyfmi_problem
from trivium.settings import Settings


@pytest.fixture
def settings(small_resources, state_dir):
    return Settings.from_env({"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(state_dir)})


def by_name(settings):
    return {check.name: check for check in doctor.examine(settings)}


def test_a_good_installation(settings):
    checks = by_name(settings)
    assert {check.name for check in checks.values() if check.status == "failed"} == set()
    assert checks["fmpy cs"].text.startswith("fmpy cs stepped the plant 3 times")
    assert checks["fmpy me"].text.endswith("restore is exact")
    assert "linux64" in checks["platforms"].text
    lines = []
    assert doctor.report(settings, as_json=True, say=lines.append) == 0
    assert json.loads(lines[0])["works"] is True


def test_a_wrong_pair_is_told_before_it_is_imported(settings, monkeypatch):
    versions = {"pyfmi": "2.11.0", "assimulo": "3.5.1", "numpy": "2.2.6"}
    monkeypatch.setattr(doctor, "installed", lambda name: versions.get(name, "1"))
    monkeypatch.setattr(doctor, "pyfmi_problem", lambda: "PyFMI 2.11.0 and Assimulo 3.5.1: pin this")
    monkeypatch.setattr(doctor.importlib, "import_module", lambda name: pytest.fail(f"{name} was imported")
                        if "pyfmi" in name else None)  # fmt: skip
    said = "engine pyfmi: PyFMI 2.11.0 and Assimulo 3.5.1: pin this"
    assert by_name(settings.model_copy(update={"engine": "pyfmi"}))["pyfmi"] == doctor.Check("pyfmi", "failed", said)
    for other in ("auto", "fmpy"):
        assert by_name(settings.model_copy(update={"engine": other}))["pyfmi"] == doctor.Check("pyfmi", "note", said)


def test_an_fmu_that_crashes_fails_the_doctor_and_not_its_process(settings, trap_resources):
    good = settings.model_copy(update={"resources": trap_resources(restore="crash")})
    assert by_name(good)["fmpy cs"].status == "note"
    missing = settings.model_copy(update={"resources": trap_resources(missing_library=True)})
    assert "libabsent.so.3" in by_name(missing)["fmpy cs"].text
    lines = []
    with pytest.raises(TriviumError, match=r"libabsent\.so\.3"):
        doctor.report(missing, as_json=False, say=lines.append)
    assert doctor.report(missing, as_json=True, say=lines.append) == 1
    assert json.loads(lines[-1])["works"] is False


def test_a_port_in_use_is_a_note(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = settings.model_copy(update={"port": listener.getsockname()[1]})
        assert by_name(taken)["port"].status == "note"


def test_what_is_missing_fails(settings, tmp_path, monkeypatch):
    checks = by_name(settings.model_copy(update={"resources": tmp_path / "nowhere"}))
    assert checks["test case"].status == "failed"
    monkeypatch.setattr(doctor, "PACKAGES", ("no_such_package",))
    assert by_name(settings)["no_such_package"].status == "failed"


def test_the_engine_that_is_asked_for_must_be_there(settings):
    if pyfmi_problem() is None:
        pytest.skip("PyFMI is there")
    checks = by_name(settings.model_copy(update={"engine": "pyfmi"}))
    assert {name for name, check in checks.items() if check.status == "failed"} == {"pyfmi", "engine pyfmi"}


def test_an_fmu_that_allows_one_instance_is_no_trouble(settings, trap_resources):
    checks = by_name(settings.model_copy(update={"engine": "fmpy", "resources": trap_resources(one_instance=True)}))
    assert {check.text for check in checks.values() if check.status == "failed"} == set()
    assert checks["fmpy cs"].text.endswith("restore is exact, this one serves")
