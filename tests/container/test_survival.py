"""Each service of the cluster is killed, stopped, terminated and starved of memory, in the middle of a session and of a sweep."""

from __future__ import annotations

import time

import pytest

from tests.container.compose import PATIENCE, Compose, client, study
from tests.container.engine import wait_for
from trivium.environment import ROOT

RUNS = 400


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


@pytest.fixture(scope="module")
def undisturbed(cluster, measured):
    """How long the sweep takes when nothing happens [s]; the first one loads its libraries."""
    with client() as server:
        server.submit("sweep", study()).wait(timeout=PATIENCE)
        started = time.monotonic()
        server.submit("sweep", study(RUNS)).wait(timeout=PATIENCE)
        took = time.monotonic() - started
    measured(f"sweep of {RUNS} runs on two Dask workers", f"{took:.0f} s")
    return took


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
def test_a_sweep_ends_whole_after_a_fault(cluster, measured, undisturbed, service, fault):
    restarts = cluster.restarts(service)
    with client() as server:
        job = server.submit("sweep", study(RUNS))
        wait_for(lambda: 0 < job.status()["counts"].get("done", 0) < RUNS, PATIENCE)
        started = time.monotonic()
        harm(cluster, service, fault)
        try:
            status = job.wait(timeout=PATIENCE)
        finally:
            anew = cluster.restarts(service) - restarts
            if fault == "STOP" and not anew:
                cluster.signal(service, "CONT")
        took = time.monotonic() - started
    measured(f"{service} {fault}", f"the sweep ends after {took:.0f} s, container started anew {anew} times")
    assert (status["counts"]["done"], status["counts"]["failed"]) == (RUNS, 0)
