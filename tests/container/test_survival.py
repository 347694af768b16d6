"""Each service of the cluster is killed, stopped, terminated and starved of memory, in the middle of a session and of a sweep."""

from __future__ import annotations

import time

import pytest

from tests.container.compose import PATIENCE, Compose, client, study
from tests.container.engine import wait_for
from trivium.environment import ROOT

#: Runs of a sweep that goes on during several faults, and how many runs after one show that it does.
RUNS, MORE = 4000, 150


@pytest.fixture(scope="module")
def cluster(engine, image):
    folder = engine.work / "secrets"
    engine.run("sh", ROOT / "deploy/secrets.sh", SECRETS=str(folder))
    variables = {
        "SECRETS": str(folder),
        "JOBS_URL_FILE": str(folder / "jobs-url"),
        "TRIVIUM_SCHEDULER": "tcp://scheduler:8786",
        "TRIVIUM_WORKER_JOBS": "0",
        "API_MEMORY": "2g",
        "WORKER_MEMORY": "2g",
        "DASK_WORKER_MEMORY": "1GB",
        "DATABASE_MEMORY": "512m",
    }
    with Compose(engine, "cluster", **variables).up("--scale", "dask-worker=2") as project:
        yield project


class Sweep:
    """A sweep that runs whenever it is looked at: one that has ended is followed by another."""

    def __init__(self, server) -> None:
        self._server, self._job, self._submitted = server, None, 0

    def done(self) -> int:
        """Return how many runs are done; none of them has failed."""
        status = self._job.status() if self._job else {"status": "Success"}
        if status["status"] == "Success":
            self._submitted += 1  # what was run before would come from the cache
            self._job = self._server.submit("sweep", study(RUNS, self._submitted))
            status = self._job.status()
        assert status["status"] in ("Pending", "Running"), status
        counts = status["counts"]
        assert not counts.get("failed")
        return counts.get("done") or 0

    def time_of(self, runs: int) -> float:
        """Return how long so many further runs take [s]."""
        started, before = time.monotonic(), self.done()
        wait_for(lambda: self.done() >= before + runs, PATIENCE, 0.5)
        return time.monotonic() - started

    def end(self) -> dict:
        """Wait until all runs are done, and return their counts."""
        return self._job.wait(timeout=4 * PATIENCE)["counts"]


@pytest.fixture(scope="module")
def sweep(cluster, measured):
    with client() as server:
        running = Sweep(server)
        wait_for(running.done, PATIENCE)
        running.time_of(MORE)  # each worker compiles what it runs at first
        measured(f"{MORE} runs, undisturbed", f"{running.time_of(MORE):.0f} s")
        yield running


FAULTS = ("KILL", "STOP", "TERM", "OOM")


def harm(cluster, service, fault):
    if fault == "OOM":
        cluster.exhaust_memory(service)
    else:
        cluster.signal(service, fault)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_session_goes_on_after_a_fault_of_the_api(cluster, measured, fault):
    with client() as server:
        session = server.select()
        before = session.advance_many(50).time
        restarts = cluster.restarts("api")
        harm(cluster, "api", fault)
        started = time.monotonic()
        time.sleep(0.5)  # let it end
        session = server.session(session.testid)
        assert session.advance({}).time == before + 300
        took = time.monotonic() - started
        anew = cluster.restarts("api") - restarts
        measured(f"api {fault}", f"the session goes on after {took:.0f} s, container started anew {anew} times")
        if fault == "STOP":  # gunicorn's master: its workers go on
            cluster.signal("api", "CONT")
    cluster.wait_until_healthy("api")


@pytest.mark.parametrize("service", ["worker", "scheduler", "dask-worker", "database"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_sweep_goes_on_after_a_fault(cluster, measured, sweep, service, fault):
    restarts = cluster.restarts(service)
    if sweep.done() > RUNS - 2 * MORE:
        sweep.end()
        wait_for(sweep.done, PATIENCE)
    harm(cluster, service, fault)
    try:
        took = sweep.time_of(MORE)
    finally:
        anew = cluster.restarts(service) - restarts
        if fault == "STOP" and not anew:
            cluster.signal(service, "CONT")
    measured(f"{service} {fault}", f"{MORE} runs later after {took:.0f} s, container started anew {anew} times")


def test_the_sweep_is_whole_after_all_faults(sweep):
    counts = sweep.end()
    assert (counts["done"], counts["failed"]) == (RUNS, 0)
