"""The kind step against the same test done by hand."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil

import pytest

from trivium.control import commands
from trivium.errors import InvalidValueError
from trivium.jobs import checkpoint, kinds
from trivium.recorder import CancelledError
from trivium.session.local import open_testcase
from trivium.settings import Settings


class Notes:
    attempt = 1

    def __init__(self, folder):
        self.folder = folder
        self.told = []

    def progress(self, message, fraction=None, **counts):
        self.told.append((message, fraction, counts))


def test_a_job_makes_what_the_test_makes_by_hand(small_resources, state_dir, tmp_path):
    settings = Settings(environ={}, resources=small_resources, state_dir=state_dir)
    notes = Notes(tmp_path)
    kind = kinds.find("step")
    outcome = kind.run(kinds.parse(kind, {"end_time": 3000, "controller": "hold"}, settings), notes, settings)
    case = open_testcase(small_resources, state_dir)
    case.initialize(0, 3000)
    observations = [case.advance({}) for _ in range(10)]
    case.close()
    rows = list(csv.DictReader((tmp_path / "trajectories.csv").read_text().splitlines()))
    assert [float(row["time"]) for row in rows[-10:]] == [300.0 * k for k in range(1, 11)]
    for row, seen in zip(rows[-10:], observations, strict=True):
        assert float(row["P_Chillers_sum"]) == seen["P_Chillers_sum"]
    assert json.loads((tmp_path / "kpi.json").read_bytes()) == pytest.approx(dict(outcome.values), nan_ok=True)
    assert set(outcome.files) == {"trajectories.csv", "kpi.json"}
    assert [told[1] for told in notes.told if told[0].startswith("Step")] == [k / 10 for k in range(1, 11)]
    assert notes.told[-2][0] == "Step 10 of 10 completed"


PERIODS = """
[scenario]
days = 1
warmup_days = 0
[scenario.periods]
first_day = 0.5
"""


def test_a_job_in_a_scenario_is_what_compare_compares(small_resources, state_dir, tmp_path):
    folder = tmp_path / "Resources"
    shutil.copytree(small_resources, folder)
    with (folder / "testcase.toml").open("a") as file:
        file.write(PERIODS)
    settings = Settings(environ={}, resources=folder, state_dir=state_dir)
    kind = kinds.find("step")
    wanted = {"scenario": {"time_period": "first_day"}, "days": 0.0625, "controller": "hold"}
    spec = kinds.parse(kind, wanted, settings)
    kind.check(spec, settings)
    notes = Notes(tmp_path)
    outcome = kind.run(kinds.parse(kind, spec.model_dump(mode="json"), settings), notes, settings)
    with contextlib.closing(open_testcase(folder, state_dir)) as case:
        compared = commands.compare(case, ["hold"], ["first_day"], 0.0625, {})["first_day"]["hold"]
    assert {**outcome.values, "time_rat": None} == {**compared, "time_rat": None}
    assert notes.told[-2][2]["time"] == 5400
    assert any(counts.get("time_period") == "first_day" and counts["start"] == 0 for _, _, counts in notes.told)
    with pytest.raises(InvalidValueError, match=r"scenario\.time_period: .* last_day.*first_day"):
        kind.check(kinds.parse(kind, {"scenario": {"time_period": "last_day"}}, settings), settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "end_time is missing, or scenario.time_period"),
        ({"end_time": 300, "scenario": {"time_period": "mild"}}, "must be left out"),
        ({"end_time": 300, "days": 1}, "days is how much of scenario.time_period"),
        ({"end_time": 300, "scenario": {"electricity_price": "cheap"}}, "electricity_price"),
        ({"end_time": 300, "scenario": {"period": "mild"}}, "period"),
    ],
)
def test_a_scenario_that_cannot_be(given, said, state_dir):
    with pytest.raises(InvalidValueError, match=said):
        kinds.parse(kinds.find("step"), given, Settings(environ={}, state_dir=state_dir))


@pytest.mark.parametrize(
    ("part", "value"),
    [("electricity_price", "dynamic"), ("temperature_uncertainty", "high"), ("solar_uncertainty", "low")],
)
def test_what_the_test_case_does_not_offer_is_refused_before_the_job(small_resources, state_dir, part, value):
    settings = Settings(environ={}, resources=small_resources, state_dir=state_dir)
    kind = kinds.find("step")

    def check(value):
        kind.check(kinds.parse(kind, {"end_time": 300, "scenario": {part: value}}, settings), settings)

    with pytest.raises(InvalidValueError, match=rf"scenario\.{part}: .* to choose; leave it out"):
        check(value)
    if part != "electricity_price":
        check("none")


class Interrupted(Notes):
    """Ends the job in the midst of a step."""

    def __init__(self, folder, step):
        super().__init__(folder)
        self.step = step

    def progress(self, message, fraction=None, **counts):
        super().progress(message, fraction, **counts)
        if counts.get("steps") == self.step:
            raise CancelledError


def steps_of(notes):
    return [counts["steps"] for _, _, counts in notes.told if "steps" in counts]


def results(folder):
    indicators = json.loads((folder / "kpi.json").read_bytes())
    return (folder / "trajectories.csv").read_text(), {**indicators, "time_rat": None}  # of the wall clock


@pytest.fixture
def test_case(request, resources, trap_resources):
    return resources if request.param == "plant" else trap_resources(restore=request.param)


@pytest.mark.parametrize(
    ("test_case", "controller", "steps"),
    [
        ("plant", "rules", 30),
        pytest.param("plant", "look-ahead", 80, marks=pytest.mark.slow),
        ("inexact", "hold", 12),
        ("none", "hold", 12),
    ],
    indirect=["test_case"],
)
def test_an_interrupted_test_goes_on_where_it_was(test_case, controller, steps, state_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(checkpoint, "_SHARE", 0.0)
    settings = Settings(environ={}, resources=test_case, state_dir=state_dir)
    kind = kinds.find("step")
    spec = kinds.parse(kind, {"end_time": 300 * steps, "controller": controller}, settings)
    folder, whole = tmp_path / "interrupted", tmp_path / "whole"
    for path in (folder, whole):
        path.mkdir()
    for stop in (steps // 3, steps // 2):
        with pytest.raises(CancelledError):
            kind.run(spec, Interrupted(folder, stop), settings)
    last = Notes(folder)
    kind.run(spec, last, settings)
    assert steps_of(last) == list(range(steps // 2 + 1, steps + 1))
    monkeypatch.setattr(checkpoint, "EVERY", 1e9)
    kind.run(spec, Notes(whole), settings)
    assert results(folder) == results(whole)


def test_a_checkpoint_that_is_damaged_or_of_another_test_case_is_not_used(
    resources, small_resources, state_dir, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    kind = kinds.find("step")
    for used in (resources, small_resources, small_resources):
        settings = Settings(environ={}, resources=used, state_dir=state_dir)
        notes = Interrupted(tmp_path, 3)
        with pytest.raises(CancelledError):
            kind.run(kinds.parse(kind, {"end_time": 3000, "controller": "hold"}, settings), notes, settings)
        assert steps_of(notes) == [1, 2, 3]
        if used == small_resources:
            (tmp_path / "checkpoint").write_bytes((tmp_path / "checkpoint").read_bytes()[:-9])
    assert "the test begins anew" in capsys.readouterr().err
