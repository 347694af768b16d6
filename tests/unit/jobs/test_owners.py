"""Jobs belong to who submitted them; limits, keys and the share of workers are each owner's."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from trivium.access import Access, Quota
from trivium.errors import BusyError, NotFoundError
from trivium.jobs.record import State


def anna():
    return Access("anna", everything=False, quota=Quota(jobs=3))


def bert():
    return Access("bert", everything=False)


def root():
    return Access("root", everything=True)


def test_a_job_is_seen_and_cancelled_by_its_owner_and_by_who_may_everything(open_store):
    hers, his, admins, workers = open_store(anna), open_store(bert), open_store(root), open_store()
    job = hers.submit("sweep", {"a": 1})
    assert job.owner == "anna"
    assert [each.task_id for each in hers.jobs()] == [job.task_id]
    assert his.jobs() == []
    for refused in (his.get, his.cancel):
        with pytest.raises(NotFoundError):
            refused(job.task_id)
    assert [each.task_id for each in admins.jobs()] == [job.task_id]
    assert workers.claim("w").task_id == job.task_id
    assert admins.cancel(job.task_id).cancel


def test_a_limit_of_jobs_is_one_owner_s(open_store):
    hers, his = open_store(anna), open_store(bert)
    jobs = [hers.submit("sweep", {"number": number}) for number in range(3)]
    with pytest.raises(BusyError, match="3 jobs of the token anna"):
        hers.submit("sweep", {"number": 3})
    his.submit("sweep", {})
    hers.cancel(jobs[0].task_id)
    hers.submit("sweep", {"number": 3})


def test_workers_take_turns_between_owners(open_store):
    hers, his, workers = open_store(anna), open_store(bert), open_store()
    for number in range(3):
        hers.submit("sweep", {"number": number})
    his.submit("sweep", {})
    assert [workers.claim("w").owner for _ in range(4)] == ["anna", "bert", "anna", "anna"]


def test_one_owner_s_jobs_leave_workers_to_others(open_store):
    hers, his, workers = open_store(anna), open_store(bert), open_store(TRIVIUM_TOKEN_RUNNING="1")
    jobs = [hers.submit("sweep", {"number": number}) for number in range(2)]
    nobodys = [workers.submit("sweep", {"number": number}).task_id for number in range(2)]
    first = workers.claim("w")
    assert first.task_id == jobs[0].task_id
    assert [workers.claim("w").task_id for _ in range(2)] == nobodys  # of those without an owner all may run
    assert workers.claim("w") is None
    his.submit("sweep", {})
    assert workers.claim("w").owner == "bert"
    workers.finish(first, State.SUCCESS, "Completed")
    assert workers.claim("w").task_id == jobs[1].task_id


def test_a_table_of_an_earlier_version_gets_what_it_lacks(open_store):
    old = open_store()
    job = old.submit("sweep", {"a": 1}, "key")
    with old._engine.connect() as connection:
        connection.execute(text("DROP INDEX ix_trivium_jobs_owner"))
        connection.execute(text("ALTER TABLE trivium_jobs DROP COLUMN owner"))
    new, again = open_store(), open_store(anna)
    assert new.get(job.task_id).owner is None
    assert new.jobs(State.PENDING)[0].task_id == job.task_id
    assert again.jobs() == []
    assert again.submit("sweep", {"a": 1}).owner == "anna"
