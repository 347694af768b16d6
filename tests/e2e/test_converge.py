"""Coupled cases as jobs of a real server, by the API of the seed; and the command."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.processes import PATIENCE
from tests.server import ROOT, Server
from tests.unit.coupling.cases import fixed_point, pair, put

pytest.importorskip("matplotlib")
pytest.importorskip("plotly")

HALF = (np.diag([0.5, -0.4]), np.ones(2), np.diag([0.9, 0.8]), np.ones(2))
TURNING = ([[-1.0]], [1.0], [[1.0]], [0.0])


def slow(case, pause, log=None):
    """Run components in processes of their own, each evaluation taking a while."""
    for name, one in case["components"].items():
        one |= {
            "process": True,
            "options": {**one["options"], "pause": pause, "name": name, "log": str(log or os.devnull)},
        }
    return case


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    settings = {"tolerance": 1e-6, "max_iterations": 50}
    put(folder / "half", slow(pair(*HALF, **settings), 0.0))
    put(folder / "slow", slow(pair(*HALF, **settings, method="constant"), 0.1, folder / "slow.log"))
    put(folder / "turning", pair(*TURNING, method="constant", max_iterations=30))
    put(folder / "broken", {"components": {}, "nonsense": 1})
    for name, how in (("raises", "raise"), ("hangs", "hang")):
        case = pair(*TURNING)
        case["components"]["two"] |= {"callable": "coupled:wrong", "process": True, "options": {"how": how}}
        put(folder / name, case)
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def server(small_resources, studies, tmp_path_factory):
    variables = {"TRIVIUM_STUDIES": str(studies), "TRIVIUM_WORKER_JOBS": "2"}
    with Server(small_resources, tmp_path_factory.mktemp("state"), **variables) as started:
        yield started


def submit(server, **body) -> str:
    status, told, headers = server.request("POST", "/api/run/converge", body)
    assert (status, told["status"]) == (202, "Running"), told
    assert headers["Location"] == f"/api/run/status/{told['task_id']}"
    assert told["message"]
    return told["task_id"]


def until(server, task, wanted):
    deadline = time.monotonic() + PATIENCE
    while True:
        status, told, _ = server.request("GET", f"/api/run/status/{task}")
        assert status == 200
        if wanted(told):
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


def ended(server, task):
    return until(server, task, lambda told: told["status"] in ("Success", "Error", "Cancelled"))


def download(server, told, name) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    connection.request("GET", told["output_locations"][name])
    response = connection.getresponse()
    assert response.status == 200
    content = response.read()
    connection.close()
    return content


def test_a_case_converges_as_the_seed_has_it(server):
    task = submit(server, case_name="half")
    assert task.startswith("conv_")
    told = ended(server, task)
    assert (told["status"], told["outcome"], told["error"]) == ("Success", "converged", None), told
    assert told["convergence_delta"] <= 1e-6
    result = json.loads(download(server, told, "result.json"))
    assert result["iterations_run"] == told["iterations_run"] > 1
    for name, expected in zip(("one", "two"), fixed_point(*HALF), strict=True):
        np.testing.assert_allclose(result["components"][name]["outputs"]["y"]["value"], expected, rtol=1e-5)
    assert download(server, told, "convergence.png").startswith(b"\x89PNG")
    page = download(server, told, "convergence.html").decode()
    assert "plotly" in page
    assert 'src="http' not in page
    assert len(download(server, told, "convergence.csv").splitlines()) == told["iterations_run"] + 1


@pytest.mark.slow
def test_progress_is_told_iteration_by_iteration(server):
    limits = {"max_iterations": 10, "dampening_factor_alpha": 1.0, "convergence_tolerance": 1e-12}
    task = submit(server, case_name="slow", **limits)
    # whichever is seen first; at the first iterate, zero, no residual is relative to anything
    seen = until(server, task, lambda told: told["convergence_delta"])
    assert seen["message"] == f"Iteration {seen['iterations_run']} completed"
    assert seen["status"] == "Running"
    assert seen["convergence_delta"] > 0
    assert seen["progress"] == pytest.approx(seen["iterations_run"] / 10)
    offered = until(server, task, lambda told: any("stdout.log" in name for name in told["output_locations"]))
    assert len(download(server, offered, "convergence.csv").splitlines()) >= 2
    told = ended(server, task)
    assert (told["status"], told["outcome"], told["iterations_run"]) == ("Error", "out of iterations", 10)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "case_name. Missing required parameter"),
        ({"case_name": "nobody"}, "case_name. there is no case"),
        ({"case_name": "empty"}, "case_name. there is no case"),
        ({"case_name": "../half"}, "case_name"),
        ({"case_name": "broken"}, "nonsense"),
        ({"case_name": 7}, "case_name"),
        ({"case_name": "half", "dampening_factor_alpha": 0}, "dampening_factor_alpha"),
        ({"case_name": "half", "dampening_factor_alpha": 1.01}, "dampening_factor_alpha"),
        ({"case_name": "half", "convergence_tolerance": 0}, "convergence_tolerance"),
        ({"case_name": "half", "max_iterations": 0}, "max_iterations"),
        ({"case_name": "half", "method": "hope"}, "method"),
        ({"case_name": "half", "alpha": 0.2}, "alpha"),
    ],
)
def test_a_request_that_is_wrong_is_refused_naming_the_field(server, body, said):
    before = server.request("GET", "/api/run")[1]["payload"]
    status, told, _ = server.request("POST", "/api/run/converge", body)
    assert status == 400
    assert said in json.dumps(told)
    assert server.request("GET", "/api/run")[1]["payload"] == before


def test_an_unknown_task_is_404(server):
    assert server.request("GET", "/api/run/status/conv_01234567")[0] == 404


@pytest.mark.slow
def test_what_does_not_converge_is_an_error_that_says_how_it_ended(server):
    told = ended(server, submit(server, case_name="turning"))
    assert (told["status"], told["outcome"]) == ("Error", "oscillating")
    assert "oscillating" in told["error"]
    assert "convergence.png" in told["output_locations"]
    told = ended(server, submit(server, case_name="turning", dampening_factor_alpha=0.4))
    assert (told["status"], told["outcome"]) == ("Success", "converged")


@pytest.mark.slow
def test_an_exception_in_the_background_is_told(server):
    told = ended(server, submit(server, case_name="raises"))
    assert (told["status"], told["outcome"]) == ("Error", "component failed")
    assert "the model has no answer" in told["error"]


@pytest.mark.slow
def test_two_jobs_at_once_do_not_disturb_each_other(server):
    alone = json.loads(
        download(server, ended(server, submit(server, case_name="half", method="aitken")), "result.json")
    )
    tasks = [submit(server, case_name=name, method="aitken") for name in ("half", "slow", "half", "turning")]
    both = [ended(server, task) for task in tasks]
    assert [told["status"] for told in both] == ["Success"] * 4
    for told in (both[0], both[2]):
        assert json.loads(download(server, told, "result.json"))["components"] == alone["components"]


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
            except OSError:
                continue
    return [each for one in found for each in (one, *children(one))]


def job_of(server, task) -> int:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        file = server.state_dir / "jobs" / task / "process"
        pid = int((file.exists() and file.read_text()) or 0)
        if pid and children(pid):
            return pid
        time.sleep(0.02)
    raise AssertionError("the job does not run")


def all_gone(pids) -> bool:
    deadline = time.monotonic() + 300
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.slow
def test_cancelling_ends_a_component_that_hangs(server):
    task = submit(server, case_name="hangs")
    job = job_of(server, task)
    until(server, task, lambda told: any("stdout.log" in name for name in told["output_locations"]))
    family = children(job)
    assert server.request("POST", f"/api/run/cancel/{task}")[0] == 200
    told = ended(server, task)
    assert told["status"] == "Cancelled"
    assert all_gone([job, *family])
    logs = [name for name in told["output_locations"] if name.endswith("stdout.log")]
    assert logs
    assert isinstance(download(server, told, logs[0]), bytes)


@pytest.mark.slow
def test_kill_9_of_the_job_goes_on_at_its_iteration_with_the_same_result(server, studies):
    whole = ended(server, submit(server, case_name="slow", convergence_tolerance=1e-5))
    assert whole["outcome"] == "converged", whole
    # another server would share no cache; here the results must not come from it
    log = studies / "slow.log"
    before = len(log.read_text().splitlines())
    case = json.loads((studies / "slow" / "case.json").read_text())
    for one in case["components"].values():
        one["deterministic"] = False  # nothing is taken from the cache
    put(studies / "uncached", case)
    task = submit(server, case_name="uncached", convergence_tolerance=1e-5)
    for least in (2, 4):
        until(server, task, lambda told, least=least: (told["iterations_run"] or 0) >= least)
        job = job_of(server, task)
        family = children(job)
        os.kill(job, signal.SIGKILL)
        assert all_gone(family)
    told = ended(server, task)
    assert (told["outcome"], told["attempts"]) == ("converged", 3)
    values = [json.loads(download(server, one, "result.json"))["components"] for one in (whole, told)]
    assert values[0] == values[1]
    assert len(log.read_text().splitlines()) - before <= 2 * told["iterations_run"] + 2 + 4  # and probes


@pytest.fixture
def command(tmp_path):
    """Run `trivium converge`."""

    def run(*arguments):
        line = [sys.executable, "-m", "trivium.cli", "converge", *map(str, arguments)]
        environment = {**os.environ, "TRIVIUM_STATE_DIR": str(tmp_path)}
        return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)

    return run


def test_the_command_prints_the_table(command, studies, tmp_path):
    done = command(studies / "half", "--out", tmp_path / "half")
    assert (done.returncode, done.stderr.splitlines()) == (
        0, ["preparing 2 components: one (python), two (python)", "evaluating iteration 1: one -> two"]
    )  # fmt: skip
    heading, first, *_ = done.stdout.splitlines()
    assert heading.split()[:4] == ["iteration", "delta", "error", "residual"]
    assert first.split()[0] == "1"
    assert "converged: " in done.stdout
    assert {"convergence.csv", "convergence.html", "convergence.png", "result.json", "values.csv"} <= {
        path.name for path in (tmp_path / "half").iterdir()
    }


@pytest.mark.slow
def test_the_command_says_by_its_exit_code_how_it_ended(command, studies, tmp_path):
    done = command(studies / "turning" / "case.json", "--out", tmp_path / "turning", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["outcome"] == "oscillating"
    assert "iteration" in done.stderr
    done = command(studies / "turning", "--out", tmp_path / "damped", "--alpha", "0.4", "--tolerance", "1e-3")
    assert done.returncode == 0
    for wrong in (("--alpha", "2"), ("--tolerance", "0"), ("--max-iterations", "0")):
        done = command(studies / "half", "--out", tmp_path / "wrong", *wrong)
        assert done.returncode == 2
        assert done.stderr.startswith(f"trivium: Invalid value for '{wrong[0]}': ")
    assert command(studies / "broken").returncode == 1
    assert command(studies / "nowhere").returncode == 2
