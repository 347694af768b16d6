"""Failed runs that run again, and equal runs that run once."""

import numpy as np
import pytest

import trivium.study
from tests.sweeps import made_up
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.retry import forget_failed
from trivium.study.spec import load_study


@pytest.fixture
def opened(write_study, unpacked, tmp_path):
    """Open the store of a study with a part of 4: opened(parameters) returns store, plan, job."""
    stores = []

    def make(**changes):
        metrics = {"last": {"variable": "x", "method": "final"}}
        study = load_study(write_study(output={"runs_per_part": 4}, metrics=metrics, **changes))
        plan, job = prepare(study, tmp_path, unpacked)
        stores.append(open_store(tmp_path / "study", plan, job, study))
        return stores[-1], plan, job

    yield make
    for store in stores:
        store.close()


@pytest.mark.parametrize("loose", [False, True])
def test_failed_runs_run_again_and_the_others_stay(opened, loose):
    store, plan, job = opened()
    parts = Parts(store, plan, job)
    for runs in ([0, 1, 2], [5]) if loose else ([0, 1, 2, 3], [4, 5]):
        parts.add(made_up(job, runs, failing=[1, 5]))
    before = store.path_of(0).read_bytes() if not loose else b""
    assert forget_failed(store, plan, job) == 2
    assert store.failures() == {}
    parts = Parts(store, plan, job)
    assert parts.failed == 0
    missing = []
    while (runs := parts.take()) is not None:
        missing += runs.tolist()
        parts.add(made_up(job, runs))
    assert missing == ([1, 3, 4, 5] if loose else [1, 5])
    with trivium.study.open(store.folder) as results:
        assert results.select().frame()["last"].tolist() == list(range(6))
        assert results.failures == {}
        assert results.lost == []
    assert store.path_of(0).read_bytes() != before


@pytest.mark.parametrize("sampling", ["grid", "zip"])
def test_equal_runs_are_simulated_once(opened, sampling):
    parameters = {"tau": [5, 10, 5], "gain": [2, 3, 2]}
    store, plan, job = opened(simulation_parameters=parameters, sampling={"method": sampling})
    parts = Parts(store, plan, job)
    simulated = []
    while (runs := parts.take()) is not None:
        simulated += runs.tolist()
        for each in parts.spread(made_up(job, runs, failing=[1])):
            parts.add(each)
    assert simulated == ([0, 1, 3, 4] if sampling == "grid" else [0, 1])
    assert parts.done == plan.count
    with trivium.study.open(store.folder) as results:
        last = results.column("last").tolist()
        values = [0, np.nan, 0, 3, 4, 3, 0, np.nan, 0] if sampling == "grid" else [0, np.nan, 0]
        np.testing.assert_array_equal(last, values)
        assert list(results.failures) == ([1, 7] if sampling == "grid" else [1])
        assert results.column("tau").tolist() == plan.rows(0, plan.count)[:, 0].tolist()


def test_plans_without_equal_runs(opened):
    assert opened()[1].first_equal() is None
