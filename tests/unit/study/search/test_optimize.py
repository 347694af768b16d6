"""Parameters that make metrics least or greatest, of functions whose optimum is known."""

import contextlib
import json

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")
pytest.importorskip("optuna", reason="the extra optimize is not installed")

import trivium
from trivium.cli import main
from trivium.errors import InvalidValueError, MissingExtraError
from trivium.jobs import kinds
from trivium.settings import Settings
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.report.page import figures
from trivium.study.search import optimum, rounds
from trivium.study.search.goals import Optimize
from trivium.study.spec import load_study
from trivium.study.study import run_study
from trivium.study.where import Where

BOX = {"x": "range:-2:3", "y": "range:-2:3"}
MODULE = """
def bowl(inputs, options):
    x, y = float(inputs["x"]), float(inputs["y"])
    if x > 2.5:
        raise ValueError("out of the bowl")
    return {"cost": (x - 1) ** 2 + (y + 1) ** 2, "other": (x + 1) ** 2 + y**2}
"""


def bowl(x=0.0, y=0.0):
    return {"cost": (x - 1) ** 2 + (y + 1) ** 2, "other": (x + 1) ** 2 + y**2}


@pytest.fixture
def study(tmp_path):
    def write(parameters=BOX, **goal):
        (tmp_path / "bowls.py").write_text(MODULE)
        experiment = {
            "kind": "python", "callable": "bowls:bowl", "inputs": {"x": {}, "y": {}},
            "outputs": {"cost": {}, "other": {}},
        }  # fmt: skip
        goal = {"minimize": ["cost"], "runs": 60, "batch": 10, **goal}
        path = tmp_path / "study.json"
        path.write_text(json.dumps({"experiment": experiment, "simulation_parameters": parameters, "optimize": goal}))
        return path

    return write


@pytest.fixture
def run(tmp_path, unpacked):
    def run(path, out="out"):
        run_study(path, tmp_path / out, Where(unpacked, None, 0), None, lambda _: None, lambda _: None)
        return open_results(tmp_path / out)

    return run


@pytest.mark.parametrize("sampler", ["auto", "tpe"])
def test_the_least_value_is_approached(study, run, sampler):
    with run(study(runs=150, sampler=sampler)) as results:
        (best,) = results.best.to_dict(orient="records")
    assert [best["x"], best["y"]] == pytest.approx([1, -1], abs=0.3)
    assert best["cost"] < 0.1


def test_a_failed_run_is_none_of_the_best(study, run):
    with run(study(maximize=["cost"], minimize=[], runs=100)) as results:
        assert results.failures
        assert "out of the bowl" in next(iter(results.failures.values()))
        best = results.best
        page = figures(results, "")
    assert best["cost"].item() == pytest.approx((-2 - 1) ** 2 + (3 + 1) ** 2, rel=0.1)
    assert page["best"]["rows"][0][1:] == best.iloc[0].tolist()


def test_conditions_hold_where_it_is_best(study, run):
    with run(study(subject_to=["other >= 9"], runs=150)) as results:
        best = results.best
    assert (best["other"] >= 9).all()
    # the point of the circle around (-1, 0) with radius 3 that is nearest to (1, -1)
    angle = np.arctan2(-1, 2)
    assert best["cost"].item() == pytest.approx((3 - np.hypot(2, 1)) ** 2, abs=0.25)
    assert best["y"].item() == pytest.approx(3 * np.sin(angle), abs=0.7)


def test_several_objectives_make_a_front(study, run):
    with run(study(minimize=["cost", "other"], runs=200, batch=20)) as results:
        best = results.best
    assert len(best) > 5
    assert (np.diff(best["cost"]) > 0).all()
    assert (np.diff(best["other"]) < 0).all()
    # the front is the line between the centres (1, -1) and (-1, 0)
    assert np.abs((best["x"] + 1) + 2 * best["y"]).mean() < 0.5


def test_values_may_be_listed(study, run):
    with run(study({"x": [-2, 0, 1.5, 2], "y": "range:-2:3"}, runs=40)) as results:
        assert set(results.column("x")) <= {-2, 0, 1.5, 2}
        assert results.best["x"].item() == 1.5
        assert len(results) <= 40  # equal trials are one run


class Interrupted(Exception):
    """As Ctrl-C."""


def test_an_interrupted_search_makes_the_same_trials(study, run, monkeypatch):
    path = study(runs=50, minimize=["cost", "other"])
    with run(path, "whole") as results:
        whole = results.frame()
    evaluate, done = rounds.Rounds.evaluate, []

    def interrupted(self, rows):
        if len(done) in (2, 6):  # of the first attempt and of the second
            done.append(0)
            raise Interrupted
        done.append(len(rows))
        return evaluate(self, rows)

    monkeypatch.setattr(rounds.Rounds, "evaluate", interrupted)
    for _ in range(3):
        with contextlib.suppress(Interrupted), run(path, "resumed") as results:
            resumed = results.frame()
    assert resumed.equals(whole)


def test_more_runs_go_on_from_where_it_ended(study, run):
    with run(study(runs=30)) as results:
        first = results.frame()
    with run(study(runs=50)) as results:
        assert len(results) == 50
        assert results.frame().loc[first.index].equals(first)
        assert (results.folder / "results.h5").stat().st_size > 0


def test_which_runs_are_best():
    goal = Optimize(minimize=["a"], maximize=["b"], subject_to=["c <= 1"], runs=1)
    metrics = {
        "a": np.array([1.0, 2.0, 3.0, 0.0, np.nan, 2.0]),
        "b": np.array([1.0, 2.0, 2.0, 9.0, 9.0, 2.0]),
        "c": np.array([1.0, 1.0, 0.0, 2.0, 0.0, 1.0]),
    }
    assert optimum.best_of(goal, metrics).tolist() == [0, 1]


def test_the_door(tmp_path):
    study = trivium.Study(bowl, {"x": [0.0], "y": [0.0]})
    results = study.optimize(minimize="cost", parameters=BOX, runs=40, batch=10, workers=0)
    assert results.best["cost"].item() < 1.0
    with pytest.raises(InvalidValueError, match="has no objectives|does not optimize"):
        _ = study.run(workers=0).best
    with pytest.raises(InvalidValueError, match="there is no metric costs. Did you mean cost?"):
        study.optimize(minimize="costs", runs=4)


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ({"minimize": []}, "must name one or more metrics"),
        ({"minimize": ["none"]}, "optimize.minimize: there is no metric none"),
        ({"subject_to": ["cost = 1"]}, "must have <= or >="),
        ({"subject_to": ["cost"]}, "write a metric, a sign and a number"),
        ({"subject_to": ["none <= 1"]}, "optimize.subject_to: there is no metric none"),
        ({"sampler": "cmaes", "subject_to": ["cost <= 1"]}, "cmaes takes one objective"),
        ({"runs": 0}, "optimize.runs: must be at least 1"),
        ({"batch": 0}, "optimize.batch: must be at least 1"),
    ],
)
def test_what_is_wrong_is_named(study, run, goal, says):
    with pytest.raises(InvalidValueError, match=says):
        run(study(**goal))


def test_sampling_and_find_exclude_it(study, run):
    path = study()
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"sampling": {"method": "sobol", "runs": 4}}))
    with pytest.raises(InvalidValueError, match="leave sampling out"):
        run(path)
    path.write_text(json.dumps(content | {"find": {"parameter": "x", "so_that": "cost <= 1", "between": [0, 1]}}))
    with pytest.raises(InvalidValueError, match="a study has one goal"):
        run(path)


@pytest.mark.slow
def test_on_the_command_line(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    path = study({"x": "range:-2:2", "y": "range:-2:3"}, runs=10, batch=5)
    assert main(["optimize", str(path), "--out", str(tmp_path / "out"), "--workers", "1", "--json"]) == 0
    (best,) = json.loads(capsys.readouterr().out)["best"]
    assert {"run", "x", "y", "cost", "other"} == set(best)
    content = json.loads(path.read_text())
    del content["optimize"]
    path.write_text(json.dumps(content))
    assert main(["optimize", str(path)]) == 1
    assert "has no section optimize" in capsys.readouterr().err


@pytest.mark.slow
def test_a_server_without_the_extra_refuses_it_as_a_sweep_too(study, tmp_path, monkeypatch):
    monkeypatch.setattr("trivium.study.search.check.is_installed", lambda *modules: False)
    spec = load_study(study())
    with pytest.raises(MissingExtraError, match=r"install it with: .*optimize"):
        prepare(spec, tmp_path, tmp_path / "fmu")


def test_a_job_is_checked_at_once(study, tmp_path):
    folder = tmp_path / "studies" / "bowls"
    folder.mkdir(parents=True)
    content = json.loads(study().read_text())
    (folder / "bowls.py").write_text(MODULE)
    (folder / "experiment.json").write_text(json.dumps(content["experiment"]))
    settings = Settings(studies=tmp_path / "studies", state_dir=tmp_path / "state")
    kind = kinds.find("optimize")
    spec = content | {"folder": "bowls", "experiment": "experiment.json"}
    kind.check(kinds.parse(kind, spec, settings), settings)
    spec["optimize"] = {"minimize": ["costs"], "runs": 4}
    with pytest.raises(InvalidValueError, match="there is no metric costs"):
        kind.check(kinds.parse(kind, spec, settings), settings)
    del spec["optimize"]
    with pytest.raises(InvalidValueError, match="optimize"):
        kinds.parse(kind, spec, settings)
