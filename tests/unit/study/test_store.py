import numpy as np
import pytest

from tests.sweeps import made_up
from trivium.errors import ConflictError, StorageError
from trivium.study.cache import Cache, keys_of
from trivium.study.job import DONE, FAILED, Results
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.spec import load_study
from trivium.study.store import Store


@pytest.fixture
def small(write_study, unpacked, tmp_path):
    """A study of 6 runs in parts of 4."""
    study = load_study(write_study(output={"runs_per_part": 4}, metrics={"last": {"variable": "x", "method": "final"}}))
    return study, *prepare(study, tmp_path, unpacked)


def test_parts_do_not_depend_on_the_order_of_results(small, tmp_path):
    study, plan, job = small
    contents = []
    for name, order in (("a", [[0, 1, 2, 3], [4, 5]]), ("b", [[5], [2], [4], [0, 3], [1]])):
        store = open_store(tmp_path / name, plan, job, study)
        parts = Parts(store, plan, job)
        for runs in order:
            parts.add(made_up(job, runs, failing=[2]))
        assert (parts.done, parts.failed) == (6, 1)
        assert store.parts() == {0: 4, 1: 2}
        assert store.loose_runs() == {}
        contents.append([store.path_of(part).read_bytes() for part in (0, 1)])
        store.close()
    assert contents[0] == contents[1]


def test_what_came_back_is_known_after_a_restart(small, tmp_path):
    study, plan, job = small
    store = open_store(tmp_path / "out", plan, job, study)
    parts = Parts(store, plan, job)
    parts.add(made_up(job, [4, 5]))
    parts.add(made_up(job, [1, 2], failing=[2]))
    store.close()
    store = open_store(tmp_path / "out", plan, job, study)
    parts = Parts(store, plan, job)
    assert (parts.done, parts.failed) == (4, 1)
    assert parts.take().tolist() == [0, 3]
    assert parts.take() is None
    store.close()


def test_a_damaged_part_is_run_again(small, tmp_path):
    study, plan, job = small
    store = open_store(tmp_path / "out", plan, job, study)
    parts = Parts(store, plan, job)
    parts.add(made_up(job, [0, 1, 2, 3], failing=[1]))
    parts.add(made_up(job, [4, 5], failing=[5]))
    path = store.path_of(0)
    store.close()
    path.write_bytes(path.read_bytes()[:-1])
    (path.parent / ".00001.h5.unfinished").write_bytes(b"half")
    store = open_store(tmp_path / "out", plan, job, study)
    assert store.parts() == {1: 2}
    assert store.failures() == {5: "it failed"}
    assert Parts(store, plan, job).take().tolist() == [0, 1, 2, 3]
    assert sorted(p.name for p in path.parent.iterdir()) == ["00000.h5", "00001.h5"]
    store.close()


def test_a_folder_belongs_to_one_study_and_one_process(small, tmp_path, write_study, unpacked):
    study, plan, job = small
    store = open_store(tmp_path / "out", plan, job, study)
    with pytest.raises(ConflictError, match="another process writes"):
        open_store(tmp_path / "out", plan, job, study)
    store.close()
    other = load_study(write_study(simulation={"step_size": 2}))
    with pytest.raises(ConflictError, match="results of a study that differs in metrics, simulation.step_size"):
        open_store(tmp_path / "out", *prepare(other, tmp_path, unpacked), other)
    open_store(tmp_path / "out", plan, job, study).close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot hold results"):
        Store(tmp_path / "file")


def test_the_cache_knows_what_it_was_given(small, tmp_path):
    _, plan, job = small
    cache = Cache(tmp_path / "runs.sqlite", 10**6)
    keys = keys_of(job, job.identity(), plan.rows(0, 6))
    assert len(set(keys)) == 6
    given = made_up(job, [0, 1, 2], failing=[1])
    cache.add(job, dict(enumerate(keys)), given)
    cache.close()
    cache = Cache(tmp_path / "runs.sqlite", 10**6)
    found = Results.empty(job, np.arange(6))
    cache.find(job, keys, found)
    assert found.status.tolist() == [DONE, FAILED, DONE, FAILED, FAILED, FAILED]
    np.testing.assert_array_equal(found.trajectories[:3], given.trajectories)
    np.testing.assert_array_equal(found.metrics[:3], given.metrics)
    assert cache.content().entries == 2
    cache.clear()
    assert cache.content()[:2] == (0, 0)
    cache.close()


def test_the_least_recently_used_runs_go(small, tmp_path):
    _, plan, job = small
    keys = keys_of(job, job.identity(), plan.rows(0, 6))
    cache = Cache(tmp_path / "runs.sqlite", 10**6)
    cache.add(job, dict(enumerate(keys)), made_up(job, [0]))
    each = cache.content().size
    cache.close()
    cache = Cache(tmp_path / "runs.sqlite", int(3.5 * each))
    for run in (1, 2):
        cache.add(job, dict(enumerate(keys)), made_up(job, [run]))
    cache.find(job, keys[:1], Results.empty(job, np.arange(1)))  # used again
    cache.add(job, dict(enumerate(keys)), made_up(job, [3]))
    found = Results.empty(job, np.arange(6))
    cache.find(job, keys, found)
    assert found.status.tolist() == [DONE, FAILED, DONE, DONE, FAILED, FAILED]
    assert cache.content().size <= 3.5 * each
    cache.close()


def test_keys_depend_on_all_that_matters(write_study, unpacked, tmp_path):
    def identity(**changes):
        return prepare(load_study(write_study(**changes)), tmp_path, unpacked)[1].identity()

    metrics = {"m": {"variable": "x", "method": "time_above", "threshold": 1}}
    other = {"m": {"variable": "x", "method": "time_above", "threshold": 2}}
    (tmp_path / "a.csv").write_text("time,u\n0,0\n30,4\n")
    (tmp_path / "b.csv").write_text("time,u\n0,0\n30,5\n")
    changes = [
        {}, {"simulation": {"step_size": 1}}, {"simulation": {"stop_time": 30}}, {"simulation": {"tolerance": 1e-3}},
        {"simulation": {"start_values": {"x": 2}}}, {"simulation": {"variableFilter": "x"}}, {"metrics": metrics},
        {"metrics": other}, {"output": {"dtype": "float64"}}, {"output": {"absolute_error": 1}},
        {"simulation": {"inputs": "a.csv"}}, {"simulation": {"inputs": "b.csv"}},
        {"simulation": {"inputs": "a.csv", "interpolate_inputs": True}}, {"simulation_parameters": {"tau": [1]}},
    ]  # fmt: skip
    found = [identity(**change) for change in changes]
    assert len(set(found)) == len(changes)
    assert identity(simulation={"time_limit": 5}) == found[0]  # how long it may take changes no number
    zero = keys_of(prepare(load_study(write_study()), tmp_path, unpacked)[1], "", np.array([[0.0], [-0.0], [5e-324]]))
    assert zero[0] == zero[1] != zero[2]


def test_a_power_cut_at_any_byte_leaves_a_beginning_of_what_was_acknowledged(small, tmp_path):
    study, plan, job = small
    store = open_store(tmp_path / "out", plan, job, study)
    parts = Parts(store, plan, job)
    sizes = []
    wal = tmp_path / "out" / "study.sqlite-wal"
    for runs in ([5], [0, 2], [1]):
        parts.add(made_up(job, runs))
        sizes.append(wal.stat().st_size)
    base, log = (tmp_path / "out" / "study.sqlite").read_bytes(), wal.read_bytes()
    store.close()
    contents = set()
    for number, cut in enumerate([*range(0, sizes[-1], 997), *(size + d for size in sizes for d in (-1, 0))]):
        folder = tmp_path / f"cut{number}"
        (folder / "parts").mkdir(parents=True)
        (folder / "study.sqlite").write_bytes(base)
        (folder / "study.sqlite-wal").write_bytes(log[:cut])
        store = open_store(folder, plan, job, study)
        kept = sum(size <= cut for size in sizes)
        found = {run for runs in store.loose_runs().values() for run in runs.tolist()}
        assert found == set([[], [5], [5, 0, 2], [5, 0, 2, 1]][kept])
        for head, trajectories in store.loose(0):
            assert (trajectories == head.runs[:, None, None] + 0.5).all()
        parts = Parts(store, plan, job)
        while (missing := parts.take()) is not None:
            parts.add(made_up(job, missing))
        contents.add(tuple(store.path_of(part).read_bytes() for part in (0, 1)))
        store.close()
    assert len(contents) == 1


@pytest.mark.parametrize("listed", [False, True])
def test_a_power_cut_at_any_byte_of_a_part(small, tmp_path, listed):
    """A part that was being written, under its temporary name, or under its own while SQLite lists it or not yet."""
    study, plan, job = small
    store = open_store(tmp_path / "whole", plan, job, study)
    parts = Parts(store, plan, job)
    parts.add(made_up(job, [0, 1, 2]))
    before = (tmp_path / "whole" / "study.sqlite-wal").read_bytes()
    parts.add(made_up(job, [3], failing=[3]))
    base = (tmp_path / "whole" / "study.sqlite").read_bytes()
    log = (tmp_path / "whole" / "study.sqlite-wal").read_bytes() if listed else before
    part = store.path_of(0).read_bytes()
    store.close()
    cuts = [*range(0, len(part), max(1, len(part) // 40)), len(part) - 1, len(part)]
    for name in (".00000.h5.unfinished", "00000.h5"):
        for cut in cuts:
            folder = tmp_path / f"{name}-{cut}"
            (folder / "parts").mkdir(parents=True)
            (folder / "study.sqlite").write_bytes(base)
            (folder / "study.sqlite-wal").write_bytes(log)
            (folder / "parts" / name).write_bytes(part[:cut])
            store = open_store(folder, plan, job, study)
            kept = listed and name == "00000.h5" and cut == len(part)
            parts = Parts(store, plan, job)
            assert parts.done == (4 if kept else 0 if listed else 3)
            while (missing := parts.take()) is not None:
                parts.add(made_up(job, missing, failing=[run for run in missing if run == 3]))
            assert store.path_of(0).read_bytes() == part
            assert store.failures() == {3: "it failed"}
            assert sorted(path.name for path in (folder / "parts").iterdir()) == ["00000.h5", "00001.h5"]
            store.close()
