"""What every store of jobs must do, whatever the database."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.server import free_port
from trivium.errors import (
    BusyError,
    ConflictError,
    InvalidValueError,
    MissingExtraError,
    NotFoundError,
    SettingsError,
    StoreError,
)
from trivium.jobs import store as module
from trivium.jobs.record import MOST_DEATHS, State
from trivium.jobs.store import LostError, Store
from trivium.jobs.table import JOBS
from trivium.recorder import Outcome
from trivium.server.jobs import status_of
from trivium.settings import Settings

SPEC = {"end_time": 600.0, "names": ["ä", None, 1]}


def end_leases(store):
    """Let the leases of all jobs be over, as after a time without a sign of life."""
    with store._connection() as connection:
        connection.execute(update(JOBS).values(lease=0.0))


def test_a_job_comes_back_as_it_was_given_also_to_others(store, open_store):
    now = time.time()
    job = store.submit("step", SPEC)
    assert open_store().get(job.task_id) == job
    assert (job.kind, job.spec, job.state, job.attempts, job.cancel) == ("step", SPEC, State.PENDING, 0, False)
    assert abs(job.created - now) < 5  # seconds since 1970, in whatever zone
    assert job.started is job.finished is job.lease is job.progress is None


@pytest.mark.parametrize("task_id", ["nobody", "", "x" * 1000, "../../etc/passwd", "'; DROP TABLE trivium_jobs; --"])
def test_an_unknown_id_is_told(store, task_id):
    for call in (store.get, store.cancel):
        with pytest.raises(NotFoundError):
            call(task_id)


def test_a_repeated_key_is_the_same_job(store):
    first = store.submit("step", SPEC, "key")
    assert store.submit("step", SPEC, "key").task_id == first.task_id
    assert len(store.jobs()) == 1
    with pytest.raises(ConflictError):
        store.submit("step", {**SPEC, "end_time": 900.0}, "key")
    assert store.submit("step", SPEC).task_id != store.submit("step", SPEC).task_id


def test_who_came_first_is_claimed_first(store):
    ids = [store.submit("step", {"n": n}).task_id for n in range(3)]
    assert [store.claim("w").task_id for _ in range(3)] == ids
    assert store.claim("w") is None


def test_many_jobs_of_a_kind_do_not_hold_up_another(store):
    sweeps = [store.submit("sweep", {}).task_id for _ in range(3)]
    step = store.submit("step", {}).task_id
    assert [store.claim("w").task_id for _ in range(4)] == [sweeps[0], step, *sweeps[1:]]


def test_a_job_has_one_owner_however_many_want_it(open_store):
    ids = {open_store().submit("step", {}).task_id for _ in range(30)}
    stores = [open_store() for _ in range(8)]

    def claim_all(store):
        claimed = []
        while (job := store.claim("w")) is not None:
            claimed.append(job.task_id)
        return claimed

    with ThreadPoolExecutor(8) as pool:
        claimed = [task_id for found in pool.map(claim_all, stores) for task_id in found]
    assert sorted(claimed) == sorted(ids)


def test_the_table_is_made_once_however_many_start_at_once(open_store):
    stores = [open_store() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda store: store.jobs(), stores)) == [[]] * 8


def test_progress_and_the_end_are_kept(store, open_store):
    store.submit("step", SPEC)
    job = store.claim("w")
    assert (job.state, job.worker, job.attempts) == (State.RUNNING, "w", 1)
    assert job.lease - job.started == pytest.approx(3600, abs=1)
    store.tell(job, "Iteration 3 completed", 0.3, {"iterations_run": 3, "delta": math.nan, "best": math.inf})
    told = open_store().get(job.task_id)
    assert (told.message, told.progress) == ("Iteration 3 completed", 0.3)
    assert told.counts == {"iterations_run": 3, "delta": None, "best": None}
    store.finish(job, State.SUCCESS, "Completed", Outcome({"a.csv": Path("sub/a.csv")}, {"pue": 1.1}, "converged"))
    ended = open_store().get(job.task_id)
    assert (ended.state, ended.progress, ended.outcome, ended.error) == (State.SUCCESS, 1.0, "converged", None)
    assert (ended.files, ended.results) == ({"a.csv": "sub/a.csv"}, {"pue": 1.1})
    assert ended.finished >= ended.started >= ended.created


def test_what_has_ended_does_not_change(store):
    store.submit("step", SPEC)
    job = store.claim("w")
    store.finish(job, State.ERROR, "why")
    ended = store.get(job.task_id)
    assert (ended.state, ended.error) == (State.ERROR, "why")
    changes = (
        lambda: store.tell(job, "late", 0.1, {}),
        lambda: store.finish(job, State.SUCCESS, "late"),
        lambda: store.release(job, died=True),
        lambda: store.renew(job),
    )
    for change in changes:
        with pytest.raises(LostError):
            change()
    assert store.cancel(job.task_id) == ended == store.get(job.task_id)
    assert store.claim("w") is None


def test_a_job_whose_worker_says_nothing_is_taken_over_and_the_first_can_change_nothing(open_store):
    one, other = open_store(), open_store()
    one.submit("step", SPEC)
    first = one.claim("one")
    assert other.claim("other") is None
    end_leases(one)
    second = other.claim("other")
    assert (second.task_id, second.worker, second.attempts, second.deaths) == (first.task_id, "other", 2, 1)
    assert second.started == first.started
    assert second.token > first.token
    other.tell(second, "mine", 0.5, {})
    for change in (
        lambda: one.tell(first, "late", 0.1, {}),
        lambda: one.renew(first),
        lambda: one.release(first, died=False),
        lambda: one.finish(first, State.SUCCESS, "late"),
    ):
        with pytest.raises(LostError):
            change()
    assert (one.get(first.task_id).message, one.get(first.task_id).state) == ("mine", State.RUNNING)


def test_signs_of_life_keep_a_job(open_store):
    one, other = open_store(), open_store()
    one.submit("step", SPEC)
    job = one.claim("one")
    end_leases(one)
    assert one.renew(job) is False
    assert other.claim("other") is None
    assert one.get(job.task_id).lease > job.lease


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_hears_of_it(store):
    waiting, running = store.submit("step", {}), store.submit("other", {})
    job = store.claim("w")
    assert job.task_id == waiting.task_id
    assert store.cancel(running.task_id).state is State.CANCELLED
    asked = store.cancel(job.task_id)
    assert (asked.state, asked.cancel) == (State.RUNNING, True)
    assert store.renew(job) is True
    store.finish(job, State.CANCELLED, "Cancelled")
    assert store.get(job.task_id).state is State.CANCELLED
    assert store.claim("w") is None


def test_a_job_that_nobody_runs_any_more_is_cancelled_at_once(store):
    store.submit("step", {})
    job = store.claim("w")
    end_leases(store)
    assert store.cancel(job.task_id).state is State.CANCELLED
    with pytest.raises(LostError):
        store.finish(job, State.SUCCESS, "late")


def test_a_released_job_waits_again(store):
    store.submit("step", {})
    job = store.claim("w")
    store.release(job, died=False)
    waiting = store.get(job.task_id)
    assert (waiting.state, waiting.deaths) == (State.PENDING, 0)
    again = store.claim("w")
    assert (again.task_id, again.attempts) == (job.task_id, 2)


@pytest.mark.parametrize("how", ["released", "stale"])
def test_a_job_that_always_dies_fails_in_the_end(store, how):
    task_id = store.submit("step", {}).task_id
    for _ in range(MOST_DEATHS):
        job = store.claim("w")
        assert job is not None
        if how == "released":
            store.release(job, died=True)
        else:
            end_leases(store)
    assert store.claim("w") is None
    failed = store.get(task_id)
    assert (failed.state, failed.attempts >= MOST_DEATHS) == (State.ERROR, True)
    assert "died 5 times" in failed.error
    assert failed.finished is not None


def test_a_job_that_comes_further_each_time_may_die_often(store):
    task_id = store.submit("step", {}).task_id
    for k in range(3 * MOST_DEATHS):
        job = store.claim("w")
        store.tell(job, "on", (k + 1) / 100, {})
        store.release(job, died=True)
    assert store.get(task_id).state is State.PENDING


def test_jobs_are_listed_newest_first_and_chosen(store):
    ids = [store.submit(kind, {}).task_id for kind in ("a", "b", "a")]
    assert [job.task_id for job in store.jobs()] == ids[::-1]
    assert [job.task_id for job in store.jobs(kind="a")] == [ids[2], ids[0]]
    assert [job.task_id for job in store.jobs(most=1)] == [ids[2]]
    store.cancel(ids[1])
    assert [job.task_id for job in store.jobs(State.CANCELLED)] == [ids[1]]


def test_a_client_in_a_loop_meets_a_wall(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_PENDING", 2)
    store.submit("step", {})
    store.submit("step", {})
    with pytest.raises(BusyError):
        store.submit("step", {})
    store.claim("w")
    store.submit("step", {})


def settings(tmp_path, url):
    return Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path), "TRIVIUM_JOBS_URL": url})


@pytest.mark.slow
def test_a_store_that_cannot_be_reached_is_told_and_used_again_later(postgres, tmp_path):
    store = Store(settings(tmp_path, postgres.database("away")))
    job = store.submit("step", SPEC)
    postgres.stop()
    try:
        with pytest.raises(StoreError):
            store.get(job.task_id)
    finally:
        postgres.start()
    assert store.get(job.task_id) == job
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "no URL"),
        ("mysql://host/base", "must begin with"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_a_url_that_cannot_be_used_is_told(tmp_path, url, said):
    with pytest.raises(SettingsError, match=said):
        Store(settings(tmp_path, url))


def test_the_password_of_a_url_is_not_told(tmp_path):
    pytest.importorskip("psycopg")
    store = Store(settings(tmp_path, f"postgresql://me:secret@127.0.0.1:{free_port()}/base"))
    with pytest.raises(StoreError) as caught:
        store.jobs()
    assert "secret" not in str(caught.value)
    store.close()


def test_a_missing_driver_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match="postgres"):
        Store(settings(tmp_path, "postgresql://host/base"))


def test_by_default_the_jobs_lie_in_the_state_directory(tmp_path):
    store = Store(settings(tmp_path, ""))
    store.submit("step", {})
    store.close()
    assert (tmp_path / "jobs" / "jobs.sqlite3").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "Sleeping"), ("spec", '{"end_time": 6'), ("spec", "[]"), ("spec", "null"), ("counts", "\x00"),
        ("files", "1"), ("created", "yesterday"), ("progress", "half"), ("lease", "x"), ("attempts", "many"),
    ],
)  # fmt: skip
def test_a_damaged_record_is_shown_as_damaged_and_others_go_on(tmp_path, column, value):
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path)}))
    damaged, whole = store.submit("step", SPEC), store.submit("step", SPEC)
    with contextlib.closing(sqlite3.connect(tmp_path / "jobs" / "jobs.sqlite3")) as base:
        base.execute(f"UPDATE trivium_jobs SET {column} = ? WHERE task_id = ?", (value, damaged.task_id))
        base.commit()
    listed = {job.task_id: job for job in store.jobs()}
    assert listed[whole.task_id] == whole
    assert listed[damaged.task_id].state is State.ERROR
    assert f"Its record is damaged: {column} cannot be read" in listed[damaged.task_id].error
    assert store.get(damaged.task_id) == listed[damaged.task_id]
    assert sum(store.counts().values()) == 2
    status_of(listed[damaged.task_id])
    assert store.claim("worker").task_id == whole.task_id
    assert store.claim("worker") is None


def test_the_51st_job_is_reached_found_and_counted(store):
    for place in range(60):
        store.submit("nap", {"name": f"nap number {place}"})
    pages = [store.jobs(most=25, first=offset) for offset in (0, 25, 50, 75)]
    assert [len(page) for page in pages] == [25, 25, 10, 0]
    assert len({job.task_id for page in pages for job in page}) == store.count() == 60
    assert [job.spec["name"] for job in store.jobs(search='NUMBER 51"')] == ["nap number 51"]
    assert store.count(search="NAP waiting") == 60
    assert store.count(search="100%") == 0
    with pytest.raises(InvalidValueError, match="created, finished"):
        store.jobs(sort="colour")


def test_an_order_by_a_figure_of_the_results(store):
    ids = []
    for energy in (2.0, None, 3.0, 1.0):
        store.submit("step", {})
        job = store.claim("one")
        store.finish(job, State.SUCCESS, "", Outcome({}, {} if energy is None else {"ener_tot": energy, "x": "text"}))
        ids.append(job.task_id)
    assert [ids.index(job.task_id) for job in store.jobs(sort="kpi:ener_tot")] == [3, 0, 2, 1]
    assert [ids.index(job.task_id) for job in store.jobs(sort="-kpi:ener_tot", most=2)] == [2, 0]
