"""The driver, with an engine that runs tasks at once in this process."""

import pytest

import trivium.study
from trivium.engine import Ended
from trivium.study import drive
from trivium.study.chunk import run_chunk
from trivium.study.drive import Drive
from trivium.study.opening import open_store
from trivium.study.prepare import prepare
from trivium.study.spec import load_study


class Here:
    """Runs a task when its result is asked for; remembers how many were in flight."""

    workers = 2

    def __init__(self):
        self.waiting, self.most = [], 0

    @property
    def in_flight(self):
        return len(self.waiting)

    def submit(self, _function, item, job, chunk, rows):
        self.waiting.append((item, job, chunk.runs, rows))
        self.most = max(self.most, self.in_flight)

    def next(self, _timeout):
        item, *task = self.waiting.pop()
        return Ended(item, run_chunk(*task))

    def reported(self, _key):
        return None

    def close(self):
        pass


@pytest.fixture
def driven(write_study, unpacked, tmp_path, monkeypatch):
    """Run a study of 6 runs in parts of 2."""
    monkeypatch.setattr(drive, "CHUNK_SECONDS", 0.0)  # a run a chunk

    def run(on_progress, limit=None):
        study = load_study(write_study(output={"runs_per_part": 2}))
        plan, job = prepare(study, tmp_path, unpacked)
        store = open_store(tmp_path / "out", plan, job, study)
        engine = Here()
        try:
            state = Drive(plan, job, store, None, on_progress).run(lambda: (engine, "fresh"), limit)
        finally:
            store.close()
        assert (state.done, state.failed) == (6, 0)
        return engine

    return run


def test_results_are_complete_while_the_study_goes_on(driven, tmp_path):
    seen = []

    def look(state):
        with trivium.study.open(tmp_path / "out") as results:
            seen.append((state.done, len(results.select()), results.select().trajectories("x").shape))

    driven(look)
    assert {done for done, *_ in seen} >= {1, 2, 3, 4, 5, 6}
    assert all(done == count and shape == (done, 41) for done, count, shape in seen)


def test_the_time_that_is_left_is_known_from_the_first_run_on(driven):
    states = []
    driven(states.append)
    assert {state.eta is None for state in states if not state.done} == {True}
    assert [state.stage for state in states[:3]] == ["", "starting the processes that run them", "loading the model"]
    assert not any(state.stage for state in states if state.done)
    assert all(state.eta is not None for state in states if state.done)


@pytest.mark.parametrize(("limit", "most"), [(None, 4), (1, 1), (3, 3)])
def test_no_more_chunks_are_in_flight_than_there_may_be(driven, limit, most):
    assert driven(lambda _: None, limit).most == most
