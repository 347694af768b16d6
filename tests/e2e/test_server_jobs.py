"""Jobs beside a server: restarts, workers that are replaced, studies that go on after a kill."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import PATIENCE, gone, kill
from tests.server import ROOT, Server


def serving(resources, folder, **variables):
    return Server(resources, folder, TRIVIUM_WORKER_JOBS="2", **variables)


def run_step(server, **spec):
    status, reply, headers = server.request("POST", "/api/run/step", {"controller": "hold", **spec})
    assert (status, reply["status"]) == (202, "Running")
    assert headers["Location"] == f"/api/run/status/{reply['task_id']}"
    return reply["task_id"]


def until(server, task_id, wanted):
    deadline = time.monotonic() + PATIENCE
    while True:
        status, reply, _ = server.request("GET", f"/api/run/status/{task_id}")
        assert status == 200
        if wanted(reply):
            return reply
        assert time.monotonic() < deadline, reply
        time.sleep(0.05)


def ended(server, task_id):
    return until(server, task_id, lambda job: job["status"] not in ("Pending", "Running"))


def descendants(pid):
    found = []
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found += [child, *descendants(child)]
    return found


@pytest.mark.slow
def test_a_server_runs_jobs_and_knows_them_after_a_restart(resources, tmp_path):
    with serving(resources, tmp_path) as server:
        task_id = run_step(server, end_time=6000)
        before = ended(server, task_id)
        assert (before["status"], before["outcome"]) == ("Success", "completed")
        assert before["counts"].items() >= {"start": 0.0, "steps": 20, "time": 6000.0}.items()
        long = run_step(server, end_time=30000000)
        until(server, long, lambda job: job["counts"].get("steps", 0) >= 100)
        processes = descendants(server.process.pid)
        server.stop(signal.SIGINT)
        gone(*processes)
        assert "Traceback" not in server.log.read_text()
    with serving(resources, tmp_path) as server:
        assert server.request("GET", f"/api/run/status/{task_id}")[1] == before
        until(server, long, lambda job: job["attempts"] == 2)
        assert server.request("POST", f"/api/run/cancel/{long}")[0] == 200
        assert ended(server, long)["status"] == "Cancelled"
        processes = descendants(server.process.pid)
        server.stop(signal.SIGKILL)
        gone(*processes)


@pytest.mark.slow
def test_a_killed_worker_of_a_server_is_replaced(small_resources, tmp_path):
    with serving(small_resources, tmp_path) as server:
        first = ended(server, run_step(server, end_time=600))
        assert first["status"] == "Success"
        (keeper,) = [pid for pid in descendants(server.process.pid) if b"worker\0keep\0" in cmdline(pid)]
        (worker,) = [pid for pid in descendants(keeper) if b"worker\0work\0" in cmdline(pid)]
        kill(worker)
        assert ended(server, run_step(server, end_time=600))["status"] == "Success"


@pytest.mark.slow
def test_a_test_that_is_killed_goes_on_where_it_was_with_the_results_of_one_that_is_not(resources, tmp_path):
    steps = 12_000  # long enough to be killed in the midst, on any machine
    spec = {"end_time": 300 * steps, "controller": "rules"}
    with Server(resources, tmp_path, TRIVIUM_WORKER_JOBS="1", TRIVIUM_JOB_LEASE="60") as server:
        killed = run_step(server, **spec)
        folder = tmp_path / "jobs" / killed
        until(server, killed, lambda job: (folder / "checkpoint").exists() and job["status"] == "Running")
        kill(int((folder / "process").read_text()))
        again = ended(server, killed)
        assert (again["status"], again["attempts"]) == ("Success", 2)
        whole = run_step(server, **spec)
        once = ended(server, whole)
        assert (once["status"], once["attempts"]) == ("Success", 1)
    assert (folder / "trajectories.csv").read_bytes() == (tmp_path / "jobs" / whole / "trajectories.csv").read_bytes()
    assert {**again["results"], "time_rat": None} == {**once["results"], "time_rat": None}  # of the wall clock
    (step,) = re.findall(r"going on after step (\d+)", (folder / "log.txt").read_text())
    assert 0 < int(step) < steps


def cmdline(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.slow
def test_a_sweep_that_is_killed_has_the_results_of_one_that_is_not(small_resources, tmp_path):
    for module in ("distributed", "h5py", "numba", "xarray"):
        pytest.importorskip(module)
    import trivium.study

    studies = ROOT / "examples"
    spec = json.loads((studies / "fuel_cycle" / "study-small.json").read_text())
    spec["output"] = {"runs_per_part": 16}
    whole = tmp_path / "study.json"
    paths = {"package_path": str(studies / "fuel_cycle" / "FuelCycle.fmu")}
    whole.write_text(json.dumps(spec | {"paths": paths}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    command = [sys.executable, "-m", "trivium.cli", "sweep", str(whole), "--out", str(tmp_path / "whole"), "--no-cache"]
    subprocess.run(command, check=True, cwd=ROOT, timeout=300, capture_output=True,
                   env=environment | {"TRIVIUM_STATE_DIR": str(tmp_path / "alone")})  # fmt: skip
    with serving(small_resources, tmp_path / "state", TRIVIUM_STUDIES=str(studies)) as server:
        status, reply, _ = server.request("POST", "/api/run/sweep", spec | {"folder": "fuel_cycle"})
        assert status == 202, reply
        task_id = reply["task_id"]
        until(server, task_id, lambda job: job["counts"].get("done") or job["error"])
        kill(int((tmp_path / "state" / "jobs" / task_id / "process").read_text()))
        job = ended(server, task_id)
        assert (job["status"], job["error"]) == ("Success", None)
        assert job["attempts"] == 2
        assert (job["results"]["runs"], job["results"]["failed"]) == (200, 0)
        for name, address in job["output_locations"].items():
            target = tmp_path / "fetched" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            connection = server.connect()
            connection.request("GET", address)
            target.write_bytes(connection.getresponse().read())
            connection.close()
    with trivium.study.open(tmp_path / "fetched" / "results") as one, trivium.study.open(tmp_path / "whole") as other:
        assert one.select().frame().equals(other.select().frame())
        variable = "sds.inventory"
        assert (one.select().dataset()[variable].values == other.select().dataset()[variable].values).all()
        assert one.select().dataset()[variable].shape[0] == 200
    assert "fuel_cycle" in (tmp_path / "fetched" / "results" / "report.html").read_text()


@pytest.mark.slow
def test_a_sweep_runs_on_the_scheduler_of_the_settings(small_resources, tmp_path, own_fmu):
    for module in ("distributed", "h5py", "numba", "xarray"):
        pytest.importorskip(module)
    from tests.dask_cluster import DaskCluster

    studies = tmp_path / "studies" / "mine"
    studies.mkdir(parents=True)
    shutil.copy(own_fmu("linear", "2.0"), studies / "Linear.fmu")
    spec = {
        "folder": "mine", "paths": {"package_path": "Linear.fmu"}, "simulation_parameters": {"tau": "1:20:1"},
        "simulation": {"variableFilter": "x", "stop_time": 20, "step_size": 1},
    }  # fmt: skip
    variables = {"TRIVIUM_STUDIES": str(studies.parent), "TRIVIUM_SCHEDULER_WAIT": "300"}  # however busy the machine is
    with DaskCluster(tmp_path / "dask") as cluster:
        variables["TRIVIUM_SCHEDULER"] = cluster.address
        with serving(small_resources, tmp_path / "state", **variables) as server:
            task_id = server.request("POST", "/api/run/sweep", spec)[1]["task_id"]
            job = ended(server, task_id)
            assert (job["status"], job["results"]["runs"], job["results"]["failed"]) == ("Success", 20, 0), job
    variables["TRIVIUM_SCHEDULER_WAIT"] = "1"
    with serving(small_resources, tmp_path / "state", **variables) as server:  # its scheduler is gone
        spec["simulation_parameters"] = {"tau": "30:40:1"}
        job = ended(server, server.request("POST", "/api/run/sweep", spec)[1]["task_id"])
        assert job["status"] == "Error"
        assert "there is no Dask scheduler" in job["error"]
