"""The value of a parameter at which a condition begins to hold, against brute force and closed forms."""

import contextlib
import json
import math
import shutil

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

import trivium
from tests import sweeps
from trivium.errors import InvalidValueError
from trivium.study.cache import Cache
from trivium.study.read import open_results
from trivium.study.search import rounds
from trivium.study.search.condition import parse_condition
from trivium.study.search.find import CENSORED, EVERYWHERE, FOUND, NOWHERE
from trivium.study.search.goals import Find
from trivium.study.study import run_study
from trivium.study.where import Where

#: The linear FMU: dx/dt = (u - x) / tau. Until when x reaches LEVEL, and by when it is to.
LEVEL, LATEST, STOP = 3.0, 12.5, 25.0
GRID = {"tau": "linspace:4:30:20", "x": "linspace:0:2.7:10"}


def needed(tau, start):
    """Return the u by which x reaches LEVEL at LATEST."""
    left = np.exp(-LATEST / np.asarray(tau))
    return (LEVEL - np.asarray(start) * left) / (1.0 - left)


@pytest.fixture
def study(write_study):
    """Write a study that seeks u; changes replace what is sought."""

    def write(parameters=GRID, **changes):
        return write_study(
            simulation={"stop_time": STOP},
            simulation_parameters=parameters,
            metrics={"reached": {"variable": "x", "method": "time_above", "threshold": LEVEL}},
            output={"trajectories": False},
            find={
                "parameter": "u",
                "so_that": f"reached <= {LATEST}",
                "between": [0, 20],
                "tolerance": 1e-3,
                **changes,
            },
        )

    return write


@pytest.fixture
def run(tmp_path, unpacked):
    """Run a study in this process: run(path); return what was found, and the number of runs of the search."""

    def run(path, out="out", **options):
        run_study(path, tmp_path / out, Where(unpacked, None, 0), None, lambda _: None, lambda _: None, **options)
        with open_results(tmp_path / out) as results, open_results(tmp_path / out / "search") as search:
            assert (search.status == 1).all() or results.failures
            return results.frame(), len(search)

    return run


@pytest.mark.slow
def test_two_hundred_points_against_brute_force_and_the_closed_form(study, run, write_study, unpacked):
    found, runs = run(study())
    assert len(found) == 200
    exact = needed(found["tau"], found["x"])
    assert (found["outcome"] == FOUND).all()
    assert (found["u"] - found["bracket.low"] <= 1e-3).all()
    assert ((found["bracket.low"] <= exact + 2e-3) & (exact <= found["u"] + 2e-3)).all()
    assert (found["reached"] <= LATEST).all()
    assert runs < 200 * (2 + math.ceil(math.log2(20 / 1e-3)))  # neighbours spare runs
    brute = write_study(
        "brute.json",
        simulation={"stop_time": STOP},
        simulation_parameters={**GRID, "u": "linspace:0:20:11"},
        metrics={"reached": {"variable": "x", "method": "time_above", "threshold": LEVEL}},
        output={"trajectories": False},
    )
    with open_results(sweeps.run_here(brute, unpacked=unpacked)) as results:
        table = results.frame()
    first = table[table["reached"] <= LATEST].groupby(["tau", "x"])["u"].min()
    keyed = found.set_index(["tau", "x"])["u"].loc[first.index]
    assert len(first) == 200
    assert ((first - 2.0 <= keyed) & (keyed <= first + 1e-3)).all()


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"between": [0, 3.2]}, NOWHERE),
        ({"between": [50, 60]}, EVERYWHERE),
        ({"so_that": "reached >= 20", "between": [4, 50]}, NOWHERE),
    ],
)
def test_where_there_is_no_border_none_is_found(study, run, change, outcome):
    found, runs = run(study({"tau": [10, 12], "x": 1}, **change))
    assert found["outcome"].tolist() == [outcome] * 2
    assert found["u"].isna().all()
    assert runs == 4


def test_a_greater_value_may_be_what_fails(study, run):
    found, _ = run(study({"tau": [8, 10], "x": 1}, so_that=f"reached >= {LATEST}"))
    assert found["u"].tolist() == pytest.approx(needed([8, 10], 1).tolist(), abs=0.2)  # the time is one of the outputs
    assert (found["reached"] >= LATEST).all()
    assert found["u"].tolist() == found["bracket.low"].tolist()


def test_a_border_that_the_end_of_the_run_makes_is_reported_as_such(write_study, run):
    """Of a late minimum nothing is known but that it is late: the border is where it becomes so."""
    path = write_study(
        simulation={"stop_time": 20.0},
        simulation_parameters={"tau": [5.0], "x": [3.0]},
        metrics={"turn": {"variable": "x", "method": "startup_inventory"}},
        find={"parameter": "u", "so_that": "turn <= 0.5", "between": [0, 4]},
    )
    found, _ = run(path)
    assert found["outcome"].tolist() == [CENSORED]
    assert found["u"].isna().all()
    assert found["bracket.high"].item() == pytest.approx(3.0, abs=4e-3)
    with open_results(path.parent / "out") as results:
        count, reason = results.without_value("u")
    assert count == 1
    assert "hides" in reason


def test_an_equation_has_the_nearer_end_of_its_bracket_as_its_root(tmp_path):
    study = trivium.Study(lambda x, y: {"z": x**3 - y}, {"y": [1.0, 8.0, 27.0], "x": [0.0, 4.0]})
    frame = study.find("x", "z = 0", tolerance=1e-9, workers=0).frame()
    assert frame["x"].tolist() == pytest.approx([1.0, 2.0, 3.0], abs=1e-9)
    assert np.abs(frame["z"]).max() < 1e-7


def test_a_point_fails_alone(tmp_path):
    def cost(x, y):
        if y == 2 and x > 0.4:
            raise ValueError("no such cost")
        return {"cost": x + y}

    results = trivium.Study(cost, {"y": [1.0, 2.0, 3.0], "x": [0.0, 1.0]}).find("x", "cost <= 3.5", workers=0)
    assert results.frame()["outcome"].tolist() == [EVERYWHERE, FOUND] if 1 not in results.failures else True
    assert list(results.failures) == [1]
    assert "no such cost" in results.failures[1]
    assert results.frame().loc[2, "x"] == pytest.approx(0.5, abs=1e-3)


class Interrupted(Exception):
    """As Ctrl-C."""


@pytest.mark.slow
def test_what_was_interrupted_goes_on_without_a_run_twice(study, run, monkeypatch, tmp_path):
    path = study({"tau": "linspace:4:30:6", "x": "linspace:0:2.7:3"})
    whole, runs = run(path, "whole")
    evaluate, attempts, calls = rounds.Rounds.evaluate, 0, []

    def interrupted(self, rows):
        calls.append(len(rows))
        if len(calls) > 5 * attempts:
            raise Interrupted
        return evaluate(self, rows)

    monkeypatch.setattr(rounds.Rounds, "evaluate", interrupted)
    resumed = None
    while resumed is None:
        attempts += 1
        calls.clear()
        with contextlib.suppress(Interrupted):
            resumed, count = run(path, "resumed")
    assert count == runs
    assert resumed.equals(whole)
    assert attempts > 3


def test_more_is_found_in_the_same_search(study, run, tmp_path):
    """A narrower answer in another folder of answers would be a new search; the runs themselves come from the cache."""
    path = study({"tau": [8, 10], "x": 1})
    run(path)
    with pytest.raises(trivium.errors.ConflictError):
        run(study({"tau": [8, 10], "x": 1}, tolerance=1e-4))


def test_runs_come_from_the_cache(tmp_path, unpacked, study, monkeypatch):
    monkeypatch.setattr("trivium.study.drive._WORTH_KEEPING", 0.0)
    cache = Cache(tmp_path / "runs.sqlite", 10**7)
    path = study({"tau": [8, 10], "x": 1})
    states = []
    for name in ("one", "two"):
        run_study(path, tmp_path / name, Where(unpacked, None, 0), cache, states.append, lambda _: None)
        cached = states[-1].cached
    cache.close()
    assert cached > 10


def test_an_estimate_counts_the_runs_of_bisection():
    assert Find(parameter="u", so_that="reached <= 3", between=(0, 20), tolerance=1e-3).most_runs == 2 + 15


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"so_that": "reach <= 3"}, "find.so_that", "there is no metric reach. Did you mean reached?"),
        ({"so_that": "reached"}, "find.so_that", "write a metric, a sign and a number"),
        ({"so_that": "reached <= 30"}, "find.so_that", "the run ends at 25"),
        ({"between": [2, 1]}, "find", "the smaller one first"),
        ({"parameter": "tau"}, "find.parameter", "tau has values in simulation_parameters"),
        ({"parameter": "gain"}, "find.parameter", "gain is no real number"),
        ({"parameter": "uu"}, "find.parameter", r"has no .* uu"),
        ({"tolerance": 0}, "find.tolerance", "greater than 0"),
        ({"parameter": "label", "between": [0, 1]}, "find.parameter", "label"),
    ],
)
def test_what_cannot_be_sought_is_refused_by_its_field(study, run, change, field, says):
    with pytest.raises(InvalidValueError, match=says) as refused:
        run(study({"tau": [8, 10], "x": 1}, **change))
    assert field in str(refused.value)


def test_the_door_takes_the_interval_from_the_values(own_fmu):
    study = trivium.Study(
        own_fmu("linear", "2.0"), {"tau": [8, 10], "u": [0, 20]}, stop_time=STOP, step=0.5,
        metrics={"reached": ("x", "time_above", LEVEL)},
    )  # fmt: skip
    frame = study.find("u", f"reached <= {LATEST}", workers=0).frame()
    assert frame["u"].tolist() == pytest.approx(needed([8, 10], 1.0).tolist(), abs=0.02)
    with pytest.raises(InvalidValueError, match="between must be two numbers"):
        study.find("x", "reached <= 3")
    with pytest.raises(InvalidValueError, match="so_that: there is no metric"):
        study.find("u", "reach <= 3")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("a<=3", ("a", "<=", 3.0)),
        (" cost[year=2030] > -1e3 ", ("cost[year=2030]", ">=", -1000.0)),
        ("a == 0", ("a", "=", 0.0)),
    ],
)
def test_conditions_are_read(text, parsed):
    condition = parse_condition(text)
    assert (condition.metric, condition.sign, condition.bound) == parsed
    assert parse_condition(str(condition)) == condition


def test_a_study_over_http_is_checked_at_once(study, tmp_path):
    from trivium.jobs import kinds
    from trivium.settings import Settings

    folder = tmp_path / "studies" / "linear"
    folder.mkdir(parents=True)
    content = json.loads(study({"tau": [8, 10], "x": 1}, so_that="reach <= 3").read_text())
    shutil.copy(content["paths"]["package_path"], folder / "own.fmu")
    content |= {"folder": "linear", "paths": {"package_path": "own.fmu"}}
    settings = Settings(studies=tmp_path / "studies", state_dir=tmp_path / "state")
    kind = kinds.find("sweep")
    with pytest.raises(InvalidValueError, match=r"find\.so_that: there is no metric reach"):
        kind.check(kinds.parse(kind, content, settings), settings)


@pytest.mark.slow
def test_more_points_keep_what_was_found(study, run):
    before, runs = run(study({"tau": [8, 10], "x": 1}))
    grown, more = run(study({"tau": [6, 8, 10, 12], "x": 1}))
    assert grown["tau"].tolist() == [6, 8, 10, 12]
    assert grown["u"].tolist()[1:3] == before["u"].tolist()
    assert grown["u"].tolist() == pytest.approx(needed([6, 8, 10, 12], 1.0).tolist(), abs=0.02)
    assert runs < more < 4 * runs
