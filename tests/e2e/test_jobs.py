"""Jobs and workers, and what is left after killing them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.postgres import empty_store
from tests.processes import PATIENCE, gone, kill
from tests.server import ROOT
from trivium.jobs.child import kill_leftovers
from trivium.jobs.record import State
from trivium.jobs.store import Store
from trivium.jobs.worker import Keeper
from trivium.settings import Settings


class Site:
    """A store of jobs and the workers that use it; none of them loses a lease [s] because it is slow."""

    def __init__(self, folder, url, lease=600):
        self.variables = {"TRIVIUM_STATE_DIR": str(folder), "TRIVIUM_JOBS_URL": url, "TRIVIUM_JOB_LEASE": str(lease),
                          "TRIVIUM_WORKER_READY": "0"}  # fmt: skip
        self.settings = Settings(environ=self.variables)
        self.store = Store(self.settings)
        self.log = folder / "workers.log"
        self.workers, self.submitted = [], []

    def work(self, jobs=2):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
        with self.log.open("ab") as log:
            worker = subprocess.Popen([sys.executable, "-m", "tests.job_kinds", "worker", str(os.getpid())], cwd=ROOT,
                                      env=kept | self.variables | {"TRIVIUM_WORKER_JOBS": str(jobs)}, stderr=log)  # fmt: skip
        self.workers.append(worker)
        return worker

    def submit(self, **spec):
        self.submitted.append(self.store.submit("count", spec).task_id)
        return self.submitted[-1]

    def until(self, task_id, wanted):
        deadline = time.monotonic() + PATIENCE
        while not wanted(job := self.store.get(task_id)):
            assert time.monotonic() < deadline, (job, self.log.read_text(), self.file(task_id, "log.txt"))
            time.sleep(0.02)
        return job

    def end(self, task_id):
        return self.until(task_id, lambda job: job.state.ended)

    def counted(self, task_id, least):
        """Wait until a number of steps is on disk: the record may be behind."""
        self.until(task_id, lambda _: len(self.file(task_id, "trace").splitlines()) >= least)

    def open(self, task_id, gate):
        """Let the job go on with the step before which it waits."""
        (self.store.folder_of(task_id) / f"open-{gate}").touch()

    def file(self, task_id, name):
        path = self.store.folder_of(task_id) / name
        return path.read_text() if path.exists() else ""

    def pids(self, task_id):
        """Of each attempt: the job's process and the one that it started."""
        return [tuple(map(int, line.split())) for line in self.file(task_id, "pids").splitlines()]

    def close(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for folder in map(self.store.folder_of, self.submitted):
            if (folder / "process").exists():
                kill_leftovers(folder)  # the worker may have been killed before it did that
        self.store.close()


#: Where jobs are stored; `make test` tries the way that needs no database.
STORES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=STORES)
def shared(request, tmp_path_factory):
    """One worker for the tests that leave it alone."""
    folder = tmp_path_factory.mktemp("shared")
    site = Site(folder, empty_store(request, folder))
    site.work()
    yield site
    site.close()


@pytest.fixture(params=STORES)
def site(request, tmp_path):
    site = Site(tmp_path, empty_store(request, tmp_path))
    yield site
    site.close()


@pytest.fixture(params=STORES)
def hasty(request, tmp_path):
    """Leases end soon: for tests that wait for that. A slow worker may lose one too, so attempts are not counted."""
    site = Site(tmp_path, empty_store(request, tmp_path), lease=2)
    yield site
    site.close()


def counted_once_by_one_at_a_time(text, steps):
    """Each number stands there once, in order, and no process counted before another had ended."""
    lines = [line.split() for line in text.splitlines()]
    assert [int(line[0]) for line in lines] == list(range(steps))
    who = [line[1] for line in lines]
    changes = [pid for k, pid in enumerate(who) if k == 0 or who[k - 1] != pid]
    assert len(changes) == len(set(changes))
    return True


def test_a_job_runs_to_its_end(shared):
    site = shared
    task_id = site.submit(steps=5)
    job = site.end(task_id)
    assert (job.state, job.progress, job.attempts) == (State.SUCCESS, 1.0, 1)
    assert job.message == "Completed"
    assert (job.results, job.counts) == ({"sum": 10}, {"iterations_run": 5})
    assert job.files == {"answer.txt": "answer.txt", "deep/er": "answer.txt"}
    assert "counting from 0" in site.file(task_id, "log.txt")
    gone(*site.pids(task_id)[0])  # what a job starts does not outlive it


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("raise", "ZeroDivisionError: by nothing"), ("outside", "/etc/passwd"), ("diverge", "it did not converge")],
)
def test_a_job_that_fails_says_why(shared, wrong, said):
    site = shared
    task_id = site.submit(steps=5, wrong=wrong)
    job = site.end(task_id)
    assert job.state is State.ERROR
    assert said in job.error
    assert job.attempts == 1
    if wrong == "raise":
        assert "Traceback" in site.file(task_id, "log.txt")


@pytest.mark.slow
def test_a_job_that_dies_again_and_again_fails_and_others_go_on(site):
    site.work(jobs=1)
    bad, good = site.submit(wrong="die"), site.submit(steps=5)
    assert site.end(good).state is State.SUCCESS
    failed = site.end(bad)
    assert failed.state is State.ERROR
    assert "died 5 times" in failed.error


@pytest.mark.parametrize("wrong", ["hang", "deaf"])
def test_cancel_ends_the_whole_process_group(shared, wrong):
    site = shared
    task_id = site.submit(wrong=wrong)
    site.until(task_id, lambda _: len(site.file(task_id, "trace").splitlines()) == 3)
    site.store.cancel(task_id)
    job = site.end(task_id)
    assert (job.state, job.error) == (State.CANCELLED, None)
    assert len(site.pids(task_id)) == 1
    gone(*site.pids(task_id)[0])


def test_a_killed_job_goes_on_where_it_was(shared):
    site = shared
    task_id = site.submit(steps=12, gates=[4, 8])
    for number, gate in enumerate((4, 8), start=1):
        site.counted(task_id, gate)
        assert len(site.pids(task_id)) == number
        kill(site.pids(task_id)[-1][0])
        site.until(task_id, lambda job, number=number: job.attempts > number)
        site.open(task_id, gate)
    assert site.end(task_id).state is State.SUCCESS
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 12)
    gone(*(pid for pair in site.pids(task_id) for pid in pair))


def test_a_killed_worker_takes_its_jobs_along_and_another_one_goes_on(hasty):
    site = hasty
    one = site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    one.kill()
    one.wait()
    gone(*site.pids(task_id)[0])
    site.open(task_id, 3)
    site.work()
    job = site.end(task_id)
    assert job.state is State.SUCCESS
    assert job.attempts >= 2
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


def test_jobs_of_a_killed_worker_go_on_before_their_leases_end_where_its_death_is_seen(site):
    one = site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    one.kill()
    one.wait()
    site.open(task_id, 3)
    site.work()
    job = site.end(task_id)  # the lease is longer than a test waits
    assert (job.state, job.attempts, job.deaths) == (State.SUCCESS, 2, 1)
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


def test_a_job_that_was_stopped_is_ended_by_its_worker_and_goes_on(hasty):
    site = hasty
    site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    os.kill(site.pids(task_id)[0][0], signal.SIGSTOP)
    site.open(task_id, 3)
    job = site.end(task_id)
    assert job.state is State.SUCCESS
    assert job.attempts >= 2
    gone(*site.pids(task_id)[0])
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


def test_a_worker_that_was_stopped_is_replaced_by_its_keeper(tmp_path, monkeypatch):
    monkeypatch.setattr("trivium.jobs.worker._SILENCE", 5.0)
    keeper = Keeper(Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path), "TRIVIUM_JOB_LEASE": "1"}))
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not (tmp_path / "jobs" / "jobs.sqlite3").exists() or keeper._worker is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stopped = keeper._worker.pid
        os.kill(stopped, signal.SIGSTOP)
        gone(stopped)
        while keeper._worker.pid == stopped:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        keeper.stop()
        thread.join()


@pytest.mark.slow
def test_a_worker_that_is_stopped_gives_its_jobs_back(site):
    one = site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    one.send_signal(signal.SIGTERM)
    assert one.wait(300) == 0
    job = site.store.get(task_id)
    assert (job.state, job.deaths) == (State.PENDING, 0)
    gone(*site.pids(task_id)[0])
    site.open(task_id, 3)
    site.work()
    assert site.end(task_id).state is State.SUCCESS
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


@pytest.mark.slow
def test_a_frozen_worker_loses_its_job_before_another_one_runs_it(hasty):
    site = hasty
    frozen = site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    frozen.send_signal(signal.SIGSTOP)
    site.work()
    site.until(task_id, lambda job: job.attempts >= 2)
    frozen.send_signal(signal.SIGCONT)
    site.open(task_id, 3)
    assert site.end(task_id).state is State.SUCCESS
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


@pytest.mark.slow
def test_a_frozen_job_is_killed_by_the_one_that_takes_it_over(hasty):
    site = hasty
    one = site.work()
    task_id = site.submit(steps=6, gates=[3])
    site.counted(task_id, 3)
    leader = site.pids(task_id)[0][0]
    os.kill(leader, signal.SIGSTOP)
    one.kill()
    one.wait()
    site.open(task_id, 3)
    site.work()
    assert site.end(task_id).state is State.SUCCESS
    gone(*site.pids(task_id)[0])
    assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 6)


@pytest.mark.slow
def test_workers_and_jobs_killed_at_random_moments_lose_and_double_nothing(hasty):
    site = hasty
    chance = random.Random(7)
    steps = 100
    ids = [site.submit(steps=steps, pause=0.03) for _ in range(6)]
    workers = [site.work(), site.work()]
    reached = dict.fromkeys(ids, -1.0)
    for _ in range(8):
        for task_id, progress in reached.items():  # a job that dies again and again at one place is given up
            site.until(task_id, lambda job, p=progress: job.state.ended or not job.attempts or (job.progress or 0) > p)
        time.sleep(chance.uniform(0, 0.6))
        if chance.random() < 0.5:
            worker = workers.pop(chance.randrange(2))
            worker.kill()
            worker.wait()
            workers.append(site.work())
        else:
            running = [pair for one in ids for pair in site.pids(one)[-1:] if not site.store.get(one).state.ended]
            if running:
                kill(chance.choice(running)[chance.randrange(2)])
        reached = {task_id: site.store.get(task_id).progress or 0.0 for task_id in ids}
    for task_id in ids:
        assert site.end(task_id).state is State.SUCCESS
        assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), steps)
        assert site.file(task_id, "answer.txt") == str(sum(range(steps)))


def test_two_workers_share_the_jobs(site):
    ids = [site.submit(wrong="hang") for _ in range(2)]
    for _ in range(2):
        site.work(jobs=1)
    jobs = [site.until(task_id, lambda job: job.state is State.RUNNING) for task_id in ids]
    assert len({job.worker for job in jobs}) == 2


@pytest.mark.slow
def test_a_process_waits_for_its_job_and_ends_with_its_worker(tmp_path):
    site = Site(tmp_path, "")
    site.variables["TRIVIUM_WORKER_READY"] = "1"
    try:
        worker = site.work()
        waiting = waiting_of(worker)
        task_id = site.submit(steps=2)
        assert site.end(task_id).state is State.SUCCESS
        assert site.pids(task_id)[0][0] == waiting
        assert "counting from 0" in site.file(task_id, "log.txt")
        gone(waiting)
        following = waiting_of(worker)
        kill(worker.pid)
        gone(following)
    finally:
        site.close()


def waiting_of(worker):
    """Wait until a process waits for a job, and return its id."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.1)
    raise AssertionError("no process waits")


@pytest.mark.slow
def test_jobs_survive_an_absence_of_the_database(tmp_path, postgres):
    site = Site(tmp_path, postgres.database("absent"))
    try:
        worker = site.work()
        task_id = site.submit(steps=60, pause=0.1)
        site.counted(task_id, 3)
        postgres.stop()
        time.sleep(0.5)
        postgres.start()
        assert site.end(task_id).state is State.SUCCESS
        assert worker.poll() is None
        assert counted_once_by_one_at_a_time(site.file(task_id, "trace"), 60)
    finally:
        site.close()
