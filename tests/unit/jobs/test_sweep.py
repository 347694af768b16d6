"""Which files a study over HTTP may name."""

from __future__ import annotations

import json
import shutil
from typing import ClassVar

import pytest

from tests.server import ROOT
from trivium.errors import InvalidValueError
from trivium.jobs import kinds
from trivium.settings import Settings

pytest.importorskip("distributed")
checking = pytest.importorskip("trivium.study.checking")


@pytest.fixture
def settings(tmp_path):
    folder = tmp_path / "studies" / "mine"
    folder.mkdir(parents=True)
    for name in ("Model.fmu", "table.csv", "inputs.csv"):
        (folder / name).write_text("1\n2\n")
    for outside in (tmp_path / "secret.fmu", tmp_path / "studies" / "other.fmu"):
        outside.write_text("3\n")
    (folder / "link.fmu").symlink_to(tmp_path / "secret.fmu")
    return Settings(environ={}, studies=tmp_path / "studies")


def study(package="Model.fmu", folder="mine", inputs=None, scratch=None, **parameters):
    paths = {"package_path": package} | ({"scratch_dir": scratch} if scratch else {})
    simulation = {"stop_time": 10.0, "step_size": 1.0, "variableFilter": "y"} | ({"inputs": inputs} if inputs else {})
    return {"folder": folder, "paths": paths, "simulation": simulation, "simulation_parameters": parameters}


def parse(given, settings):
    return kinds.parse(kinds.find("sweep"), given, settings)


def test_files_of_the_folder_are_found_wherever_the_study_lies(settings):
    spec = parse(
        study("./Model.fmu", inputs="inputs.csv", k=[1, 2], m="file:table.csv", n="file:table.csv:column"), settings
    )
    studies = settings.studies / "mine"
    assert parse(json.loads(spec.model_dump_json(by_alias=True)), settings) == spec  # as the store keeps it
    content = spec.study(settings)
    assert content["paths"] == {"package_path": str(studies / "Model.fmu")}
    assert content["simulation"]["inputs"] == str(studies / "inputs.csv")
    assert content["simulation"]["variableFilter"] == "y"
    table = studies / "table.csv"
    assert content["simulation_parameters"] == {"k": [1, 2], "m": f"file:{table}", "n": f"file:{table}:column"}
    assert "folder" not in content


def test_a_study_of_the_shipped_plant_needs_no_file_in_its_folder(settings):
    content = {k: v for k, v in study().items() if k != "paths"} | {"testcase": "cooling"}
    for named in (content, {k: v for k, v in content.items() if k != "folder"}):
        made = parse(named, settings).study(settings)
        assert made["paths"]["package_path"] == str(ROOT / "Resources")
        assert "testcase" not in made


def test_a_study_names_a_test_case_that_the_server_registered(settings, tmp_path):
    cases = tmp_path / "cases"
    cases.mkdir()
    for name in ("Own.fmu", "uploaded.fmu"):
        (cases / name).write_text("1\n")
    state = tmp_path / "state"
    state.mkdir()
    (state / "testcases.json").write_text(json.dumps({"own": "Own.fmu", "theirs": "uploaded.fmu"}))
    (state / "uploads.json").write_text(json.dumps(["uploaded.fmu"]))
    settings = Settings(environ={}, studies=settings.studies, testcases=cases, state_dir=state)
    content = {k: v for k, v in study(k=[1, 2]).items() if k not in ("paths", "folder")}
    made = parse(content | {"testcase": "own"}, settings).study(settings)
    assert made["paths"]["package_path"] == str(cases / "Own.fmu")
    with pytest.raises(InvalidValueError, match="no test case owm on this server"):
        parse(content | {"testcase": "owm"}, settings)
    with pytest.raises(InvalidValueError, match="uploaded theirs"):
        parse(content | {"testcase": "theirs"}, settings)
    with pytest.raises(InvalidValueError, match="names the folder of studies"):
        parse(content | {"testcase": "own", "simulation_parameters": {"k": "file:/etc/passwd"}}, settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (study("/etc/passwd"), "package_path: /etc/passwd is outside"),
        (study("../other.fmu"), "package_path"),
        (study("../../secret.fmu"), "package_path"),
        (study("link.fmu"), "package_path: link.fmu is outside"),
        (study("nothing.fmu"), "there is no nothing.fmu"),
        (study(inputs="/etc/passwd"), "simulation.inputs: /etc/passwd is outside"),
        (study(k="file:/etc/passwd"), "simulation_parameters.k: /etc/passwd is outside"),
        (study(k=" file:../../secret.fmu:name"), "simulation_parameters.k"),
        (study(k=[1, "file:/etc/passwd"]), "simulation_parameters.k"),
        (study(scratch="/tmp"), "scratch_dir"),
        (study(folder="nobody"), "there is no folder nobody"),
        (study(folder=".."), "folder"),
        (study(folder="mine/.."), "folder"),
        (study(folder="/etc"), "folder"),
        ({"folder": "mine"}, "name the model once"),
        ({k: v for k, v in study().items() if k != "paths"}, "name the model once"),
    ],
)
def test_no_file_outside_is_named(settings, given, said):
    with pytest.raises(InvalidValueError) as caught:
        parse(given, settings)
    assert said in str(caught.value)


class Noted:
    """A record of progress in memory."""

    attempt = 1
    messages: ClassVar[list[str]] = []

    def __init__(self, folder):
        self.folder = folder

    def progress(self, message, fraction=None, **counts):
        self.messages.append(message)


def in_cases(sampling="file:table.csv", parameters=None):
    """A study in TRICYS' form with two cases."""
    metrics = {"Last": {"source_column": "x", "method": "final_value"}}
    cases = [
        {"name": "One", "independent_variable": "tau", "independent_variable_sampling": sampling,
         "simulation_parameters": parameters or {}, "dependent_variables": ["Last"]},
        {"name": "Two", "independent_variable": "gain", "independent_variable_sampling": [2, 3]},
    ]  # fmt: skip
    return study() | {"sensitivity_analysis": {"analysis_cases": cases, "metrics_definition": metrics}}


def test_each_case_is_a_study(settings):
    spec = parse(in_cases(), settings)
    assert parse(json.loads(spec.model_dump_json(by_alias=True)), settings) == spec  # as the store keeps it
    studies = spec.studies(settings)
    assert list(studies) == ["One", "Two"]
    place = settings.studies / "mine"
    assert studies["One"]["simulation_parameters"] == {"tau": f"file:{place / 'table.csv'}"}
    assert studies["One"]["metrics"] == {"Last": {"variable": "x", "method": "final"}}
    assert studies["One"]["paths"]["package_path"] == str(place / "Model.fmu")
    assert studies["Two"]["simulation_parameters"] == {"gain": [2, 3]}
    assert all("folder" not in document for document in studies.values())
    auditor = {"enabled": True, "patterns": {"inventory": ["x"]}}
    (single,) = parse(study(tau=[5]) | {"auditor": auditor}, settings).studies(settings).values()
    assert list(single["metrics"]) == ["mass_balance_error"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (in_cases("file:/etc/passwd"), "a file of One is outside the folder mine"),
        (in_cases([1, "file:../../secret.fmu:name"]), "a file of One is outside the folder mine"),
        (in_cases([1], {"gain": "file:link.fmu"}), "a file of One is outside the folder mine"),
        (in_cases([1], {"file": "/etc/passwd"}), "a file of One is outside the folder mine"),
        (in_cases() | {"post_processing": []}, "post_processing"),
        (study() | {"sensitivity_analysis": {"analysis_cases": []}}, "analysis_cases"),
    ],
)
def test_cases_stay_inside(settings, given, said):
    with pytest.raises(InvalidValueError) as caught:
        parse(given, settings)
    assert said in str(caught.value)


@pytest.mark.slow
def test_all_cases_are_checked_and_run(settings, own_fmu, tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "_PATIENCE", 600.0)
    folder = settings.studies / "mine"
    shutil.copy(own_fmu("linear", "2.0"), folder / "Model.fmu")
    (folder / "table.csv").write_text("5\n10\n")
    settings = settings.model_copy(update={"state_dir": tmp_path / "state"})
    kind = kinds.find("sweep")
    spec = parse(in_cases(), settings)
    with pytest.raises(InvalidValueError, match="variableFilter"):  # y|x: of a case as of any study
        kind.check(
            parse(in_cases() | {"simulation": {"stop_time": 10, "step_size": 1, "variableFilter": "q"}}, settings),
            settings,
        )
    kind.check(spec, settings)
    outcome = kind.run(spec, Noted(tmp_path), settings)
    assert Noted.messages[-1].startswith("case 2 of 2: 2 of 2 runs")
    assert (outcome.values["runs"], outcome.values["failed"]) == (4, 0)
    assert {"One/study.json", "results/One/study.sqlite", "results/Two/report.html"} <= set(outcome.files)


@pytest.mark.slow
def test_a_study_is_checked_against_its_model_before_it_is_accepted(settings, own_fmu, tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "_PATIENCE", 600.0)
    folder = settings.studies / "mine"
    shutil.copy(own_fmu("linear", "2.0"), folder / "Linear.fmu")
    settings = settings.model_copy(update={"state_dir": tmp_path / "state"})
    check = kinds.find("sweep").check
    check(parse(study("Linear.fmu", tau=[5, 10]), settings), settings)
    with pytest.raises(InvalidValueError, match=r"simulation_parameters\.tua: .* Did you mean tau\?") as refused:
        check(parse(study("Linear.fmu", tua=[5, 10]), settings), settings)
    assert refused.value.field == "simulation_parameters.tua"
    with pytest.raises(InvalidValueError, match="paths.package_path"):
        check(parse(study("Model.fmu"), settings), settings)
    few = settings.model_copy(update={"job_runs": 100})
    check(parse(study("Linear.fmu", tau="linspace:5:10:100"), few), few)
    with pytest.raises(InvalidValueError, match="101 runs; a job may have 100"):
        check(parse(study("Linear.fmu", tau="linspace:5:10:101"), few), few)
