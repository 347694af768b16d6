"""A study that grows in its folder: finished runs stay, missing ones run, and readers see one study made at once."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

import trivium.study
from tests.sweeps import made_up
from trivium.errors import ConflictError
from trivium.study import growth
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.report.page import figures
from trivium.study.retry import forget_failed
from trivium.study.spec import load_study
from trivium.study.study import run_study
from trivium.study.where import Where

METRICS = {"last": {"variable": "x", "method": "final"}, "high": {"variable": "y", "method": "max"}}


@pytest.fixture
def sweep(write_study, unpacked, tmp_path):
    """Run a study in this process: sweep(out, parameters) returns how many runs it had before, and all sentences."""

    def run(out, parameters, **changes):
        path = write_study(
            simulation_parameters=parameters, metrics=METRICS, **{"output": {"runs_per_part": 4}, **changes}
        )
        states, said = [], []
        run_study(path, tmp_path / out, Where(unpacked, workers=0), None, states.append, said.append)
        assert states[-1].done == states[-1].total
        return states[0].done, "\n".join(said)

    return run


def same(one, other):
    """Assert that two folders have the same results for readers."""
    with trivium.study.open(one) as grown, trivium.study.open(other) as whole:
        assert grown.status.tolist() == whole.status.tolist()
        assert grown.frame().equals(whole.frame())
        assert grown.failures == whole.failures
        runs = np.arange(len(whole))
        for variable in whole.variables:
            np.testing.assert_array_equal(grown.trajectories(runs, variable), whole.trajectories(runs, variable))
        assert figures(grown, "title")["indices"] == figures(whole, "title")["indices"]
        assert grown.lost == grown.verify() == []


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ({"tau": [5, 10, 20], "gain": [2, 3]}, {"tau": [5, 7, 10, 20, 30], "gain": [1, 2, 3]}, 6),
        ({"tau": "linspace:5:25:3", "gain": [2]}, {"tau": "linspace:5:25:5", "gain": [2]}, 3),
        ({"tau": [5, 10], "gain": [2, 3]}, {"gain": [3, 2, 4], "tau": [10, 5]}, 4),
        ({"tau": [5, 10, 20], "gain": [2, 3]}, {"tau": [10, 10, 20, 10], "gain": [3]}, 4),
        ({"tau": [5, 10, 20], "gain": [2, 3]}, {"tau": [6, 7], "gain": [2]}, 0),
        ({"tau": [5, 10, 20], "gain": [2, 3]}, {"tau": [5], "gain": [2]}, 1),
    ],
)
def test_a_study_grows_in_place(sweep, tmp_path, before, after, kept):
    assert sweep("grown", before)[0] == 0
    found, said = sweep("grown", after)
    assert found == kept
    assert f"the study has changed: {kept} of its " in said
    assert sweep("at-once", after)[0] == 0
    same(tmp_path / "grown", tmp_path / "at-once")
    total = sweep("grown", after)[0]  # again: nothing is missing
    assert total == len(trivium.study.open(tmp_path / "at-once"))


def test_runs_that_a_study_no_longer_has_come_back_with_their_values(sweep, tmp_path):
    wide, narrow = {"tau": [5, 10, 20], "gain": [2, 3]}, {"tau": [10], "gain": [3, 4]}
    sweep("study", wide)
    found, said = sweep("study", narrow)
    assert (found, "5 runs that it no longer has stay" in said) == (1, True)
    found, said = sweep("study", {"tau": [5, 10, 20], "gain": [2, 3, 4]})
    assert (found, "stay" in said) == (7, False)
    sweep("at-once", {"tau": [5, 10, 20], "gain": [2, 3, 4]})
    same(tmp_path / "study", tmp_path / "at-once")


@pytest.mark.parametrize("method", ["sobol", "saltelli"])
def test_a_sample_grows_by_further_runs(sweep, tmp_path, method):
    parameters = {"tau": "range:5:20", "gain": "range:1:3"}
    sweep("study", parameters, sampling={"method": method, "runs": 16})
    assert sweep("study", parameters, sampling={"method": method, "runs": 32})[0] == 16
    sweep("at-once", parameters, sampling={"method": method, "runs": 32})
    same(tmp_path / "study", tmp_path / "at-once")


def test_only_new_runs_are_evaluated(tmp_path):
    (tmp_path / "counted.py").write_text(
        "from pathlib import Path\n"
        "def double(inputs, options):\n"
        "    with Path(options['log']).open('a') as log:\n"
        "        print(float(inputs['a']), float(inputs['b']), file=log)\n"
        "    return {'sum': inputs['a'] + inputs['b']}\n"
    )
    log = tmp_path / "log"

    def run(a, b):
        experiment = {
            "kind": "python", "callable": "counted:double", "options": {"log": str(log)},
            "inputs": {"a": {}, "b": {}}, "outputs": {"sum": {}},
        }  # fmt: skip
        path = tmp_path / "study.json"
        path.write_text(json.dumps({"experiment": experiment, "simulation_parameters": {"a": a, "b": b}}))
        log.write_text("")
        places = Where(tmp_path / "unpacked", workers=0)
        run_study(path, tmp_path / "study", places, None, lambda _: None, lambda _: None)
        return sorted(log.read_text().split("\n")[:-1])

    assert len(run([1, 2, 3], [10, 20])) == 6
    assert run([1, 2, 3, 4], [10, 20]) == ["4.0 10.0", "4.0 20.0"]
    assert run([2, 3, 4], [20, 30]) == ["2.0 30.0", "3.0 30.0", "4.0 30.0"]
    assert run([1, 2, 3, 4], [10, 20]) == []
    with trivium.study.open(tmp_path / "study") as results:
        assert results.frame()["sum"].tolist() == [11, 21, 12, 22, 13, 23, 14, 24]


def test_texts_are_the_same_whatever_their_place(tmp_path, write_study, own_fmu, unpacked):
    def run(texts):
        path = write_study(
            fmu=own_fmu("words", "2.0"), simulation={"variableFilter": "letters"},
            simulation_parameters={"word": texts, "greeting": [""]}, metrics={"n": {"variable": "letters", "method": "final"}},
        )  # fmt: skip
        states = []
        run_study(path, tmp_path / "study", Where(unpacked, workers=0), None, states.append, lambda _: None)
        return states[0].done

    run(["one", "three"])
    assert run(["one", "three", "seven!!"]) == 2
    with trivium.study.open(tmp_path / "study") as results:
        frame = results.frame()
        assert frame["n"].tolist() == [len(word) for word in frame["word"]]
    with pytest.raises(ConflictError, match=r"simulation_parameters.word \(further texts come after"):
        run(["three", "one"])


def test_interrupted_before_and_in_the_middle(write_study, unpacked, tmp_path):
    """Loose results, failed runs and parts that are not whole grow along."""

    def opened(tau):
        study = load_study(
            write_study(simulation_parameters={"tau": tau, "gain": [2]}, output={"runs_per_part": 4}, metrics=METRICS)
        )
        plan, job = prepare(study, tmp_path, unpacked)
        store = open_store(tmp_path / "study", plan, job, study)
        return store, plan, job, Parts(store, plan, job)

    store, _, job, parts = opened([1, 2, 3, 4, 5, 6])
    parts.add(made_up(job, [0, 2], failing=[2]))
    parts.add(made_up(job, [4]))
    store.close()
    store, plan, job, parts = opened([3, 1, 2, 7])
    assert (parts.done, parts.failed) == (2, 1)
    assert store.parts() == {0: 4, 1: 4}  # nothing is missing in them any more
    with trivium.study.open(store.folder) as results:
        assert results.status.tolist() == [2, 1, 0, 0]
        assert results.failures == {0: "it failed"}
        assert results.column("tau")[:2].tolist() == [3, 1]
        assert results.trajectories(np.array([1]), "x")[0, 0] == 0.5
    runs = parts.take()
    assert runs.tolist() == [8, 9]
    assert parts.rows(runs)[:, 0].tolist() == [2, 7]
    assert parts.take() is None
    parts.add(made_up(job, [9]))
    store.close()
    store, plan, job, parts = opened([3, 1, 2, 7, 5])
    assert (parts.done, parts.failed, store.parts()) == (4, 1, {0: 4, 1: 4, 2: 4})
    assert forget_failed(store, plan, job) == 1
    parts = Parts(store, plan, job)
    assert [runs.tolist() for runs in iter(parts.take, None)] == [[2], [12]]
    parts.add(made_up(job, [2]))
    parts.add(made_up(job, [12]))
    assert (parts.done, parts.failed) == (5, 0)
    (store.folder / "parts/00001.h5").unlink()
    with trivium.study.open(store.folder) as results:
        assert results.frame()["last"].tolist() == [2, 0, 12, 9, 4]
        assert [str(lost) for lost in results.lost] == ["parts/00001.h5 (run 4) is absent: there is no such file"]
    store.close()
    store, plan, job, parts = opened([3, 1, 2, 7, 5])
    assert parts.take().tolist() == [4]
    store.close()


def test_other_tools_see_the_numbers_of_the_runs(sweep, tmp_path):
    sweep("study", {"tau": [5, 10, 20], "gain": [2]})
    sweep("study", {"tau": [20, 30, 10], "gain": [2]})
    with h5py.File(tmp_path / "study/results.h5") as file, trivium.study.open(tmp_path / "study") as results:
        run, tau, last = file["run"][:], file["parameters/tau"][:], file["metrics/last"][:]
        assert run.tolist() == [-1, 2, 0, -1, 1]
        inside = run >= 0
        assert tau[inside].tolist() == results.column("tau")[run[inside]].tolist()
        assert last[inside].tolist() == results.column("last")[run[inside]].tolist()


def test_a_longer_horizon_runs_anew_and_keeps_what_was_there(sweep, tmp_path):
    parameters = {"tau": [5, 10], "gain": [2]}
    sweep("study", parameters)
    found, said = sweep("study", parameters, simulation={"stop_time": 40})
    assert (found, "stop_time is later: all runs are simulated anew" in said) == (0, True)
    with trivium.study.open(tmp_path / "study") as results, trivium.study.open(tmp_path / "study/before/1") as before:
        assert (results.time[-1], before.time[-1]) == (40, 20)
        half = results.select().trajectories("x")[:, : before.time.size]
        np.testing.assert_allclose(half, before.select().trajectories("x"), rtol=1e-6)
    sweep("study", parameters, simulation={"stop_time": 60})
    assert sorted(path.name for path in (tmp_path / "study/before").iterdir()) == ["1", "2"]


def test_a_move_that_was_interrupted_is_finished(sweep, tmp_path):
    parameters = {"tau": [5, 10], "gain": [2]}
    sweep("study", parameters)
    moving = tmp_path / "study/before/.1.moving"
    moving.mkdir(parents=True)
    (tmp_path / "study/parts").rename(moving / "parts")
    growth.finish_moving(tmp_path / "study")
    assert not (tmp_path / "study/study.sqlite").exists()
    assert len(trivium.study.open(tmp_path / "study/before/1").frame()) == 2
    assert sweep("study", parameters)[0] == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"simulation": {"stop_time": 10}}, "simulation.stop_time"),
        ({"simulation": {"step_size": 1}}, "simulation.step_size"),
        ({"simulation": {"start_values": {"x": 2}}}, "simulation.start_values"),
        ({"simulation": {"variableFilter": "x"}}, "simulation.variableFilter"),
        ({"metrics": {"last": {"variable": "x", "method": "max"}}}, "metrics"),
        ({"output": {"dtype": "float64"}}, "output"),
        ({"simulation_parameters": {"tau": [5]}}, "the names in simulation_parameters"),
    ],
)
def test_what_results_depend_on_otherwise_is_named(write_study, unpacked, tmp_path, changes, named):
    def opened(**changes):
        study = load_study(write_study(**{"metrics": METRICS, **changes}))
        return open_store(tmp_path / "study", *prepare(study, tmp_path, unpacked), study).close()

    opened()
    with pytest.raises(ConflictError, match=f"differs in {named}; choose another --out"):
        opened(**changes)
    opened()
