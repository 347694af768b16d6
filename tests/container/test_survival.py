"""Each service of the cluster is killed, stopped, terminated and starved of memory, in the middle of a session and of a sweep."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.container.compose import PATIENCE, Compose, client, study
from tests.container.engine import wait_for
from trivium.environment import ROOT

FAULTS = ("KILL", "STOP", "TERM", "OOM")
#: Services whose main process only watches others, which go on while it is stopped.
WATCHED = ("api", "worker")
#: Runs of a sweep, which take some minutes, and how many runs after a fault show that it goes on.
RUNS, MORE = 16000, 500


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
        self._server, self._job, self._submitted, self._before = server, None, 0, 0

    def look(self) -> int:
        """Return how many runs of the present sweep are done; none of them has failed."""
        if self._job is None:
            self._submitted += 1  # what was run before would come from the cache
            self._job = self._server.submit("sweep", study(RUNS, self._submitted))
        status = self._job.status()
        counts = status.get("counts") or {}
        assert not counts.get("failed"), status
        if status["status"] in ("Pending", "Running"):
            return counts.get("done") or 0
        self._job = None
        assert (status["status"], counts.get("done")) == ("Success", RUNS), status
        self._before += RUNS
        return 0

    def done(self) -> int:
        """Return how many runs are done, of all sweeps."""
        present = self.look()
        return self._before + present

    def wait_for_the_middle(self) -> None:
        """Wait until runs are being done that go on for a while."""
        wait_for(lambda: 0 < self.look() < 0.8 * RUNS, 2 * PATIENCE, 0.5)

    def wait_for_more(self) -> None:
        """Wait until `MORE` further runs are done."""
        before = self.done()
        wait_for(lambda: self.done() >= before + MORE, PATIENCE, 0.5)

    def wait_for_the_end(self) -> None:
        """Wait until all runs are done."""
        sweeps = self._before + RUNS
        wait_for(lambda: self.done() >= sweeps, 4 * PATIENCE, 0.5)

    def forget(self) -> None:
        """Let another sweep follow."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()


@pytest.fixture(scope="module")
def sweep(cluster, measured):
    with client() as server:
        running = Sweep(server)
        running.wait_for_the_middle()
        running.wait_for_more()  # each worker compiles what it runs at first
        started = time.monotonic()
        running.wait_for_more()
        measured(f"{MORE} runs, undisturbed", f"{time.monotonic() - started:.0f} s")
        yield running


@contextlib.contextmanager
def harmed(cluster, service, fault, measured):
    """Do a fault, and measure how long it is until the context has seen that all goes on, and until the container was started anew.

    The main process of a service that goes on without it is continued instead. If anything fails, all services are
    restarted, so that the next fault meets a whole cluster.
    """
    before = cluster.restarts(service)
    goes_on = fault == "STOP" and service in WATCHED
    try:
        if fault == "OOM":
            cluster.exhaust_memory(service)
        else:
            cluster.signal(service, fault, everything=fault == "STOP" and not goes_on)
        started = time.monotonic()
        yield
        took = time.monotonic() - started
        if goes_on:
            anew = "not started anew"
            cluster.signal(service, "CONT")
        else:
            wait_for(lambda: cluster.restarts(service) > before, PATIENCE)
            anew = f"started anew within {time.monotonic() - started:.0f} s"
        measured(f"{service} {fault}", f"goes on after {took:.0f} s, container {anew}")
    except BaseException as error:
        measured(f"{service} {fault}", f"failed: {error!r:.100}")
        cluster("restart", "--timeout", "5")
        raise
    finally:
        cluster.wait_until_healthy("api")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_session_goes_on_after_a_fault_of_the_api(cluster, measured, fault):
    with client() as server:
        session = server.select()
        before = session.advance_many(50).time
        with harmed(cluster, "api", fault, measured):
            time.sleep(0.5)  # let it end
            assert server.session(session.testid).advance({}).time == before + 300


@pytest.mark.parametrize("service", ["worker", "scheduler", "dask-worker", "database"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_sweep_goes_on_after_a_fault(cluster, measured, sweep, service, fault):
    try:
        sweep.wait_for_the_middle()
        with harmed(cluster, service, fault, measured):
            sweep.wait_for_more()
        sweep.wait_for_more()  # in the container that was started anew
    except BaseException:
        sweep.forget()
        raise


def test_the_sweep_is_whole_after_all_faults(sweep):
    sweep.wait_for_the_end()
