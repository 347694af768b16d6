"""Runs of a sweep over HTTP; the sweep itself is run in this process."""

from __future__ import annotations

import io
import json
from urllib.parse import urlencode

import numpy as np
import pandas
import pytest

from tests.trap_fmu import Trap, expected
from trivium.client import Client
from trivium.jobs.record import State
from trivium.jobs.store import Store
from trivium.recorder import Outcome
from trivium.settings import Settings

pytest.importorskip("numba", reason="the extra sweep is not installed")

from tests.sweeps import run_here

PARQUET = "application/vnd.apache.parquet"


@pytest.fixture(scope="module")
def job(small_server, own_fmu, tmp_path_factory):
    """Six runs of dx/dt = -x / tau."""
    folder = tmp_path_factory.mktemp("sweep")
    study = {
        "paths": {"package_path": str(own_fmu("linear", "2.0"))},
        "simulation": {"variableFilter": "x|y", "stop_time": 20.0, "step_size": 0.5},
        "simulation_parameters": {"tau": [5, 10, 20], "gain": [2, 3]},
        "metrics": {"end": {"variable": "x", "method": "final"}, "never": {
            "variable": "x", "method": "time_above", "threshold": 9}},
    }  # fmt: skip
    yield from finished(small_server, folder, study)


@pytest.fixture(scope="module")
def failing_job(small_server, tmp_path_factory, trap_fmu):
    """A sweep whose runs fail after 120 s."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "in.csv").write_text(f"time,trap\n0,0\n120,{int(Trap.ERROR)}\n900,{int(Trap.ERROR)}\n")
    study = {
        "paths": {"package_path": str(trap_fmu())},
        "simulation": {"variableFilter": "y", "stop_time": 240, "step_size": 60, "inputs": "in.csv"},
        "simulation_parameters": {"u": [280, 300]},
    }
    yield from finished(small_server, folder, study)


def finished(small_server, folder, study, cases=("",)):
    """Yield the id of a job with the results of a study."""
    (folder / "study.json").write_text(json.dumps(study))
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(small_server.state_dir)}))
    task_id = store.submit("sweep", {}).task_id
    while (taken := store.claim("test")).task_id != task_id:
        store.finish(taken, State.CANCELLED, "not wanted")
    made = store.folder_of(task_id) / "results"
    for case in cases:
        run_here(folder / "study.json", unpacked=folder, out=made / case)
    store.finish(taken, State.SUCCESS, "Completed", Outcome({}, {}))
    yield task_id
    store.close()


def ask(server, task_id, accept=None, **query):
    connection = server.connect()
    path = f"/api/run/results/{task_id}/selection?{urlencode(query, doseq=True)}"
    connection.request("GET", path, headers={"Accept": accept} if accept else {})
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply.status, data, reply.headers["Content-Type"]


def test_runs_are_chosen(small_server, job):
    status, data, _ = ask(small_server, job, select=["tau=8:", "gain=3"], variable="x")
    assert status == 200
    found = json.loads(data)["payload"]
    assert (found["total"], found["offset"], found["run"]) == (2, 0, [3, 5])
    assert found["parameters"] == {"tau": [10, 20], "gain": [3, 3]}
    assert found["metrics"]["end"] == pytest.approx(np.exp([-2, -1]), rel=1e-9)
    assert found["metrics"]["never"] == [None, None]
    wanted = np.exp(-np.array(found["time"]) / np.array([[10], [20]]))
    np.testing.assert_allclose(found["trajectories"]["x"], wanted, rtol=1e-6)
    by_number = json.loads(ask(small_server, job, run=["5", "4", "99"], select="gain=3")[1])["payload"]
    assert (by_number["total"], by_number["run"]) == (1, [5])


def test_cases_are_chosen(small_server, own_fmu, tmp_path):
    study = {
        "paths": {"package_path": str(own_fmu("linear", "2.0"))},
        "simulation": {"variableFilter": "x", "stop_time": 2.0, "step_size": 1.0},
        "simulation_parameters": {"tau": [5, 10]},
    }
    for task_id in finished(small_server, tmp_path, study, cases=("One", "Two")):
        assert json.loads(ask(small_server, task_id, case="Two")[1])["payload"]["run"] == [0, 1]
        status, data, _ = ask(small_server, task_id)
        assert (status, "The cases are: One, Two." in data.decode()) == (400, True)
        assert ask(small_server, task_id, case="../results/One")[0] == 400


def test_a_job_without_cases(small_server, job):
    status, data, _ = ask(small_server, job, case="One")
    assert (status, "parameter case. There are none" in data.decode()) == (400, True)


def test_runs_that_failed_are_chosen(small_server, failing_job):
    status, data, _ = ask(small_server, failing_job, failed="true", select="u=300", variable="y")
    assert status == 200
    found = json.loads(data)["payload"]
    assert found["run"] == [1]
    assert "told to fail" in found["reasons"]["1"]
    (row,) = found["trajectories"]["y"]
    assert row[:3] == pytest.approx([expected(60 * k, 300) for k in range(3)], rel=1e-6)
    assert row[3:] == [None, None]
    done = json.loads(ask(small_server, failing_job)[1])["payload"]
    assert (done["run"], "reasons" in done) == ([], False)
    status, data, _ = ask(small_server, failing_job, failed="perhaps")
    assert (status, "failed" in data.decode()) == (400, True)
    with Client(small_server.url, patience=5) as client:
        assert client.job(failing_job).runs(failed=True)["run"] == [0, 1]


def test_pages_of_runs(small_server, job):
    pages = [json.loads(ask(small_server, job, limit=4, offset=k)[1])["payload"] for k in (0, 4, 8)]
    assert [page["run"] for page in pages] == [[0, 1, 2, 3], [4, 5], []]
    assert {page["total"] for page in pages} == {6}


@pytest.mark.parametrize("how", [{"format": "parquet"}, {"accept": PARQUET}])
def test_the_same_as_parquet(small_server, job, how):
    status, data, kind = ask(small_server, job, select="end=:0.2", **how)
    assert (status, kind) == (200, PARQUET)
    frame = pandas.read_parquet(io.BytesIO(data))
    assert frame["run"].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(frame["end"], np.exp(-20 / frame["tau"]), rtol=1e-9)
    points = pandas.read_parquet(io.BytesIO(ask(small_server, job, select="tau=5", variable="y", **how)[1]))
    assert points.columns.tolist() == ["run", "tau", "gain", "time", "y"]
    np.testing.assert_allclose(points["y"], points["gain"] * np.exp(-points["time"] / 5), rtol=1e-6)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"select": "tow=1"}, "no parameter or metric tow. There are: tau, gain, end, never"),
        ({"select": "tau=x"}, "for parameter tau"),
        ({"select": "tau"}, "for parameter select"),
        ({"variable": "z"}, "for parameter variable. There are trajectories of: x, y"),
        ({"limit": 0}, "for parameter limit"),
        ({"offset": -1}, "for parameter offset"),
        ({"format": "xml"}, "for parameter format"),
        ({"tau": 5}, "parameter tau. Unknown parameter"),
    ],
)
def test_what_is_wrong_is_named(small_server, job, query, said):
    status, data, _ = ask(small_server, job, **query)
    assert status == 400
    assert said in json.loads(data)["message"]


def test_a_reply_has_an_end(small_server, job, monkeypatch):
    from flask import Flask

    from trivium.errors import TooLargeError
    from trivium.server import selection
    from trivium.server.requests import RunsQuery

    monkeypatch.setattr(selection, "_MOST", 6 * 5)
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(small_server.state_dir)}))
    try:
        record, folder = store.get(job), store.folder_of(job)
    finally:
        store.close()
    with Flask("test").test_request_context("/"):
        # run, 2 parameters, 2 metrics
        assert selection.selection(record, folder, RunsQuery()).status_code == 200
        with pytest.raises(TooLargeError, match="lower the parameter limit"):
            selection.selection(record, folder, RunsQuery(variable=["x"]))


def test_only_a_sweep_has_runs(small_server):
    task_id = small_server.request("POST", "/api/run/step", {"end_time": 300})[1]["task_id"]
    status, data, _ = ask(small_server, task_id)
    assert status == 404
    assert "only sweeps" in json.loads(data)["message"]
    assert ask(small_server, "nonsense")[0] == 404
