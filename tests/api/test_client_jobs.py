"""The client's jobs, at a server with a worker."""

from __future__ import annotations

import json

import pytest

from tests.server import Server
from trivium.client import Client
from trivium.client import jobs as client_jobs
from trivium.errors import JobError, NotFoundError, TriviumError
from trivium.jobs.store import Store
from trivium.settings import Settings


@pytest.fixture(scope="module")
def server(small_resources, tmp_path_factory):
    with Server(small_resources, tmp_path_factory.mktemp("state"), TRIVIUM_WORKER_JOBS="1") as running:
        yield running


@pytest.fixture
def client(server):
    with Client(server.url, patience=5) as client:
        yield client


def test_a_job_from_its_start_to_its_files(client, tmp_path, monkeypatch):
    monkeypatch.setattr(client_jobs, "_BLOCK", 1000)
    seen = []
    job = client.submit("step", {"end_time": 30_000, "controller": "hold"})
    ended = job.wait(seen.append, timeout=300)
    assert ended["status"] == "Success"
    assert seen[-1] == ended == client.job(job.task_id).status() == client.jobs("step", "success", 1)[0]
    assert all(one != other for one, other in zip(seen, seen[1:], strict=False))
    assert "attempt 1" in job.log()
    files = job.files()
    path = job.download("trajectories.csv", tmp_path)
    assert path == tmp_path / "trajectories.csv"
    assert path.stat().st_size == files["trajectories.csv"] > 2000
    rows = path.read_text().splitlines()
    assert rows[0].startswith("time,")
    assert len(rows) == 1 + 101
    kpi = json.loads(job.download("kpi.json", tmp_path / "new" / "k.json").read_text())
    assert set(job.results()) <= set(kpi)
    with pytest.raises(NotFoundError, match="no result file nothing"):
        job.download("nothing", tmp_path)


def test_what_goes_wrong_is_raised(client):
    with pytest.raises(TriviumError, match="end_time") as caught:
        client.submit("step", {})
    assert caught.value.status == 400
    with pytest.raises(NotFoundError, match="no kind of job nonsense"):
        client.submit("nonsense", {})
    with pytest.raises(NotFoundError):
        client.job("nonsense").status()
    assert "step" in client.job_kinds()
    with pytest.raises(TriviumError, match="only sweeps"):
        client.submit("step", {"end_time": 300}).runs()


def test_a_job_is_cancelled(client):
    job = client.submit("step", {"end_time": 30_000_000, "controller": "hold"})
    with pytest.raises(TimeoutError, match="has not ended within 0.1 s"):
        job.wait(timeout=0.1)
    job.cancel()
    with pytest.raises(JobError, match="Cancelled"):
        job.wait(timeout=300)


def test_runs_of_a_sweep(server, client, own_fmu, tmp_path):
    pytest.importorskip("numba", reason="the extra sweep is not installed")
    from tests.sweeps import run_here

    study = {
        "paths": {"package_path": str(own_fmu("linear", "2.0"))},
        "simulation": {"variableFilter": "x", "stop_time": 20.0, "step_size": 0.5},
        "simulation_parameters": {"tau": [5, 10, 20], "gain": [2, 3]},
    }
    (tmp_path / "study.json").write_text(json.dumps(study))
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(server.state_dir)}))
    job = client.job(store.submit("sweep", {}).task_id)  # the worker refuses its specification
    folder = store.folder_of(job.task_id)
    store.close()
    with pytest.raises(JobError, match="name the model once"):
        job.wait(timeout=300)
    run_here(tmp_path / "study.json", unpacked=tmp_path, out=folder / "results")
    found = job.runs({"tau": (4, 11), "gain": [2, 7]}, ["x"])
    assert (found["total"], found["run"]) == (2, [0, 2])
    assert found["trajectories"]["x"][1][-1] == pytest.approx(0.1353353, rel=1e-5)
    assert job.runs({"tau": 20}, limit=1, offset=1)["run"] == [5]
