"""Parameters fitted to data of the linear FMU that are made with known ones: dx/dt = (u - x) / tau."""

import csv
import json

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")
pytest.importorskip("plotly", reason="the extra sweep is not installed")

import trivium
from trivium.cli import main
from trivium.errors import InvalidValueError
from trivium.jobs import kinds
from trivium.settings import Settings
from trivium.study.read import open_results
from trivium.study.search import rounds
from trivium.study.study import run_study
from trivium.study.where import Where

TRUE = {"tau": 8.0, "u": 5.0}
RANGES = {"tau": "logrange:1:100", "u": "range:-10:10"}


def x(time, tau, u, start=1.0):
    return u + (start - u) * np.exp(-np.asarray(time) / tau)


@pytest.fixture
def data(tmp_path):
    """Write data made with some parameters: one row each half second, with noise."""

    def write(noise=0.01, stop=20.0, segments=(), **values):
        times, random = np.arange(0, stop + 0.1, 0.5), np.random.default_rng(7)
        rows = [["time", "x measured", "segment", "u"]]
        for name, drive in segments or (("", None),):
            parameters = {**TRUE, **values} | ({} if drive is None else {"u": drive})
            series = x(times, **parameters) + noise * random.standard_normal(times.size)
            rows += [[time, value, name, parameters["u"]] for time, value in zip(times, series, strict=True)]
        path = tmp_path / "measured.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write


@pytest.fixture
def study(write_study):
    def write(data, parameters=RANGES, **changes):
        goal = {"data": str(data), "measured": {"x": {"column": "x measured", "deviation": 0.01}}, **changes}
        return write_study(simulation_parameters=parameters, calibrate=goal)

    return write


@pytest.fixture
def run(tmp_path, unpacked):
    def run(path, out="out"):
        run_study(path, tmp_path / out, Where(unpacked, None, 0), None, lambda _: None, lambda _: None)
        return json.loads((tmp_path / out / "calibration.json").read_text())

    return run


def estimates(found):
    return {each["name"]: each for each in found["parameters"]}


def test_it_comes_back_to_the_parameters_that_the_data_was_made_with(data, study, run, tmp_path):
    found = run(study(data(), start={"tau": 60.0, "u": -8.0}, held_out=0.25))
    assert found["converged"]
    for name, each in estimates(found).items():
        assert each["identified"], each
        assert each["low"] <= TRUE[name] <= each["high"]
        assert each["value"] == pytest.approx(TRUE[name], rel=0.02)
        assert each["high"] - each["low"] < 0.05 * TRUE[name]
    errors = found["errors"]["x"]
    assert errors["start"] > 1
    assert errors["fit"] == pytest.approx(0.01, rel=0.4)
    assert errors["held_out"] < 0.05
    with (tmp_path / "out" / "fit.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 41
    assert sum(int(row["held_out"]) for row in rows) == 10
    assert "measured less fit" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_intervals_are_those_of_the_linear_theory(data, study, run):
    """Against the covariance by the closed form's own derivatives."""
    each = estimates(run(study(data())))["u"]
    times = np.arange(0, 20.1, 0.5)
    left = np.exp(-times / 8)
    jacobian = np.stack([(1 - 5) * left * times / 64, 1 - left], axis=1)
    deviation = 0.01 * np.sqrt(np.linalg.inv(jacobian.T @ jacobian)[1, 1])
    assert (each["high"] - each["low"]) / 2 == pytest.approx(2.02 * deviation, rel=0.4)


def test_what_has_no_effect_is_not_identified(data, write_study, run):
    """When the transient is over, x is u, whatever tau and the start were."""
    path, times = data(stop=400.0), {"start_time": 0.0, "stop_time": 400.0}
    rows = path.read_text().splitlines()
    path.write_text("\n".join([rows[0], *rows[-200:]]))
    goal = {"data": str(path), "measured": {"x": {"column": "x measured"}}}
    ranges = {"u": "range:1:10", "tau": "range:1:10", "x": "range:0:2"}
    found = estimates(run(write_study(simulation=times, simulation_parameters=ranges, calibrate=goal)))
    assert found["u"]["identified"]
    assert found["u"]["value"] == pytest.approx(5.0, abs=0.01)
    for name in ("tau", "x"):
        assert found[name]["reason"] == "what is measured does not depend on it"
        assert not found[name]["identified"]


def test_parameters_that_act_alike_are_named_together(data, write_study, run, tmp_path):
    """While little time has passed, x depends on u / tau alone."""
    times = np.arange(0, 0.0501, 0.01)
    path = tmp_path / "short.csv"
    rows = [["time", "x"], *zip(times.tolist(), x(times, 1000.0, 5.0, 0.0).tolist(), strict=True)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    study = write_study(
        simulation={"stop_time": 0.05, "step_size": 0.01, "start_values": {"x": 0.0}},
        simulation_parameters={"tau": "range:500:2000", "u": "range:1:10"},
        calibrate={"data": str(path), "measured": {"x": {}}},
    )
    found = run(study)
    assert found["together"] == [["tau", "u"]]
    for each in found["parameters"]:
        assert not each["identified"]
        assert "cannot be separated from that of" in each["reason"]
    assert (estimates(found)["tau"]["low"], estimates(found)["tau"]["high"]) == (500.0, 2000.0)


def test_segments_are_runs_of_their_own_driven_by_their_inputs(data, study, run, tmp_path):
    path = data(segments=[("a", 3.0), ("b", 7.0), ("c", -4.0)])
    found = run(study(path, {"tau": "logrange:1:100"}, by="segment", inputs=True, held_out=0.3))
    (tau,) = found["parameters"]
    assert tau["value"] == pytest.approx(8.0, rel=0.02)
    assert found["errors"]["x"]["held_out"] == pytest.approx(0.01, rel=0.5)
    assert sorted(folder.name for folder in (tmp_path / "out" / "runs").iterdir()) == ["a", "b", "c"]


def test_rows_may_have_what_came_of_their_step(data, study, run):
    path = data(segments=[("a", 3.0), ("b", 7.0)])
    heading, *rows = [line.split(",") for line in path.read_text().splitlines()]
    late = [row for row in rows if float(row[0]) > 0]
    moved = [[str(float(row[0]) - 0.5), *row[1:]] for row in late]
    path.write_text("\n".join(",".join(row) for row in [heading, *moved]))
    found = run(study(path, {"tau": "logrange:1:100"}, by="segment", inputs=True, offset=0.5))
    assert found["parameters"][0]["value"] == pytest.approx(8.0, rel=0.02)
    assert found["errors"]["x"]["fit"] == pytest.approx(0.01, rel=0.4)


class Interrupted(Exception):
    """As Ctrl-C."""


def test_an_interrupted_fit_goes_on_without_a_run_twice(data, study, run, monkeypatch, tmp_path):
    path = study(data())
    whole = run(path, "whole")
    evaluate, done = rounds.Rounds.evaluate, []

    def interrupted(self, rows):
        done.append(len(rows))
        if len(done) in (3, 8):
            raise Interrupted
        return evaluate(self, rows)

    monkeypatch.setattr(rounds.Rounds, "evaluate", interrupted)
    for _ in range(2):
        with pytest.raises(Interrupted):
            run(path)
    assert run(path) == whole
    with open_results(tmp_path / "whole/runs/all") as one, open_results(tmp_path / "out/runs/all") as other:
        assert len(one) == len(other)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"measured": {"z": {}}}, "measured.z.column: measured.csv has no column z"),
        ({"by": "group"}, "calibrate.by: measured.csv has no column group"),
        ({"start": {"tau": 1000}}, "start.tau: 1000 is not between 1 and 100"),
        ({"start": {"ta": 1}}, "start.ta: there is no parameter ta. Did you mean tau?"),
        ({"measured": {}}, "calibrate.measured"),
        ({"held_out": 1.5}, "calibrate.held_out: must be at most 0.9"),
        ({"measured": {"none": {"column": "u"}}}, "none"),
    ],
)
def test_what_is_wrong_is_named(data, study, run, changes, says):
    with pytest.raises(InvalidValueError, match=says):
        run(study(data(), **changes))


def test_data_must_be_there_and_within_the_run(data, study, run, tmp_path):
    with pytest.raises(InvalidValueError, match=r"nothing\.csv cannot be read"):
        run(study(tmp_path / "nothing.csv"))
    with pytest.raises(InvalidValueError, match="the times go from 0 to 30, and the run goes from 0 to 20"):
        run(study(data(stop=30.0)))


def test_parameters_are_ranges(data, study, run):
    with pytest.raises(InvalidValueError, match=r"simulation_parameters.tau: a calibration needs range:a:b"):
        run(study(data(), {"tau": [1, 2]}))


@pytest.mark.slow
def test_the_door_and_the_command(data, study, own_fmu, tmp_path, monkeypatch, capsys):
    path = data()
    made = trivium.Study(own_fmu("linear", "2.0"), {"tau": [5.0], "u": [0.0]}, stop_time=20, step=0.5)
    found = made.calibrate(path, {"x": {"column": "x measured"}}, parameters=RANGES, workers=0)
    assert estimates(found)["tau"]["value"] == pytest.approx(8.0, rel=0.02)
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    assert main(["calibrate", str(study(path)), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "tau" in printed
    assert "held out" in printed


def test_a_job_is_checked_at_once(data, study, tmp_path):
    import shutil

    folder = tmp_path / "studies" / "linear"
    folder.mkdir(parents=True)
    content = json.loads(study(data()).read_text())
    shutil.copy(content["paths"]["package_path"], folder / "own.fmu")
    shutil.copy(content["calibrate"]["data"], folder / "measured.csv")
    content |= {"folder": "linear", "paths": {"package_path": "own.fmu"}}
    content["calibrate"]["data"] = "measured.csv"
    settings = Settings(studies=tmp_path / "studies", state_dir=tmp_path / "state")
    kind = kinds.find("calibrate")
    kind.check(kinds.parse(kind, content, settings), settings)
    content["calibrate"]["measured"] = {"z": {}}
    with pytest.raises(InvalidValueError, match="has no column z"):
        kind.check(kinds.parse(kind, content, settings), settings)
    content["calibrate"]["data"] = "../measured.csv"
    with pytest.raises(InvalidValueError, match="outside the folder"):
        kinds.parse(kind, content, settings)
