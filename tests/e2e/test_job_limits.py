"""Limits of jobs, and workers on a full disk."""

from __future__ import annotations

import pytest

from tests.e2e.test_jobs import Site
from trivium.jobs.record import State


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path, "")
    yield site
    site.close()


@pytest.mark.parametrize(
    ("variable", "limit", "wrong", "words"),
    [
        pytest.param("TRIVIUM_JOB_TIME", "1", "hang", "longer than 1 s", marks=pytest.mark.slow),
        pytest.param("TRIVIUM_JOB_MEMORY", "256", "greedy", "more memory than 256 MiB", marks=pytest.mark.slow),
        ("TRIVIUM_JOB_DISK", "20", "fills", "stored more than 20 MiB"),
    ],
)
def test_a_job_that_takes_more_than_it_may_ends_with_an_error(site, variable, limit, wrong, words):
    site.variables[variable] = limit
    task_id = site.submit(wrong=wrong)
    site.work()
    job = site.end(task_id)
    assert job.state is State.ERROR
    assert words in job.error
    assert variable in job.error
    assert job.attempts == 1


def test_jobs_wait_while_the_disk_is_full_and_go_on_when_there_is_room(site, tmp_path):
    site.variables["TRIVIUM_MAX_STORAGE"] = "40"
    task_id = site.submit(steps=5, pause=0, gates=[3])
    site.work()
    site.counted(task_id, 3)
    filler = tmp_path / "filler"
    filler.write_bytes(bytes(40 * 2**20))
    site.until(task_id, lambda job: job.state is State.PENDING)
    assert "no job runs for now" in site.log.read_text()
    site.open(task_id, 3)
    filler.unlink()
    job = site.end(task_id)
    assert (job.state, job.results) == (State.SUCCESS, {"sum": 10})
    assert job.deaths == 0
