"""Jobs that ended long ago are removed; all others stay."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from trivium.errors import NotFoundError
from trivium.jobs.record import State
from trivium.jobs.retention import remove_old, start
from trivium.jobs.table import JOBS, now
from trivium.recorder import Outcome

_DAY = 86400.0


def made(store, days, state=State.SUCCESS):
    """Return a job that ended so many days ago; one without an end is running."""
    task_id = store.submit("step", {"end_time": 300}).task_id
    job = store.claim("test")
    assert job.task_id == task_id
    folder = store.folder_of(task_id)
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "a.csv").write_text("1")
    if state is State.RUNNING:
        return task_id
    store.finish(job, state, "ended", Outcome({"a.csv": folder / "results" / "a.csv"}, {}))
    with store._connection() as connection:
        connection.execute(update(JOBS).where(JOBS.c.task_id == task_id).values(finished=now() - days * _DAY))
    return task_id


def test_record_and_folder_go(store):
    old = [made(store, 8), made(store, 9, State.ERROR), made(store, 100, State.CANCELLED)]
    kept = [made(store, 6), made(store, 0, State.RUNNING), store.submit("step", {"end_time": 300}).task_id]
    assert remove_old(store, 7 * _DAY) == 3
    for task_id in old:
        assert not store.folder_of(task_id).exists()
        with pytest.raises(NotFoundError):
            store.get(task_id)
    assert {job.task_id for job in store.jobs()} == set(kept)
    assert (store.folder_of(kept[0]) / "results" / "a.csv").exists()
    assert remove_old(store, 7 * _DAY) == 0


def test_a_folder_that_is_gone_already_takes_its_record_along(store):
    task_id = made(store, 8)
    folder = store.folder_of(task_id)
    (folder / "results" / "a.csv").unlink()
    (folder / "results").rmdir()
    folder.rmdir()
    assert remove_old(store, 7 * _DAY) == 1
    assert store.jobs() == []


def test_a_record_stays_while_its_folder_cannot_be_removed(store, monkeypatch):
    task_id = made(store, 8)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    assert remove_old(store, 7 * _DAY) == 0
    assert store.get(task_id).task_id == task_id


def test_a_job_that_has_not_ended_is_never_removed(store):
    task_id = made(store, 0, State.RUNNING)
    store.remove(task_id)
    assert store.get(task_id).state is State.RUNNING


def test_a_worker_tidies_by_itself(store):
    task_id, kept = made(store, 2), made(store, 0.5)
    start(store, 1)
    deadline = time.monotonic() + 300
    while task_id in {job.task_id for job in store.jobs()}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [job.task_id for job in store.jobs()] == [kept]
