"""How a server starts: from a Settings object alone, or not at all and with one sentence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from tests.server import GUNICORN, ROOT, Server, free_port
from tests.unit.coupling.cases import fixed_point, pair, put

HALF = (np.diag([0.5, -0.4]), np.ones(2), np.diag([0.9, 0.8]), np.ones(2))
SERVE = (sys.executable, "-m", "trivium.cli", "serve")
#: Starts a server from options alone; what the environment says is not asked.
OPTIONS_ALONE = """
import json, sys
from trivium.settings import Settings
from trivium.application import serve

serve(Settings(environ={}, **json.loads(sys.argv[1])))
"""
#: What would break the server, its worker or its jobs if any of them read it.
MISLEADING = {
    "TRIVIUM_RESOURCES": "/nowhere/at/all", "TRIVIUM_STUDIES": "/nowhere/at/all", "TRIVIUM_STATE_DIR": "/proc/nothing",
    "TRIVIUM_JOBS_URL": "nonsense", "TRIVIUM_ENGINE": "nonsense", "TRIVIUM_WORKER_JOBS": "0", "PORT": "0",
}  # fmt: skip


def plain_environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    return kept | variables


def start(command, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=cwd, env=plain_environment(**variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def refusal(command, cwd: Path = ROOT, **variables: str) -> str:
    """What a server says that does not start: one line, and nothing else."""
    process = start(command, cwd, **variables)
    output, error = process.communicate(timeout=300)
    assert (process.returncode, output) == (1, ""), error
    assert error.startswith("trivium: "), error
    assert error.count("\n") == 1, error
    return error.strip()


@pytest.fixture(
    params=[
        pytest.param(SERVE, id="trivium serve"),
        pytest.param(GUNICORN, id="gunicorn", marks=pytest.mark.slow),
    ]
)
def command(request) -> tuple[str, ...]:
    return request.param


@pytest.fixture
def variables(small_resources, tmp_path) -> dict[str, str]:
    return {
        "PORT": str(free_port()), "TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(tmp_path / "state"),
        "TRIVIUM_WORKER_JOBS": "0",
    }  # fmt: skip


def ask(port: int, path: str, body: object = None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Content-Type": "application/json"})
    request.data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=300) as reply:
        return json.loads(reply.read())


def until(done, *processes, seconds: float = 120):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if reply := done():
                return reply
        except OSError:
            pass
        assert any(process.poll() is None for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run_job(port: int, process, kind: str, **spec):
    task_id = ask(port, f"/api/run/{kind}", spec)["task_id"]

    def ended():
        reply = ask(port, f"/api/run/status/{task_id}")
        return reply if reply["status"] in ("Success", "Error", "Cancelled") else None

    return until(ended, process)


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, MISLEADING], ids=["empty", "misleading"])
def test_server_worker_and_jobs_use_the_settings_object_and_not_the_environment(tmp_path, variables):
    """The job step needs resources and state_dir, the job converge needs studies."""
    for name in ("matplotlib", "pint", "plotly"):
        pytest.importorskip(name)
    fmu, port = ROOT / "examples" / "fuel_cycle" / "FuelCycle.fmu", free_port()
    put(tmp_path / "studies" / "half", pair(*HALF))
    (tmp_path / "elsewhere").mkdir()
    options = {"resources": str(fmu), "studies": str(tmp_path / "studies"), "state_dir": str(tmp_path / "state")}
    command = (sys.executable, "-c", OPTIONS_ALONE, json.dumps({**options, "port": port}))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path / "elsewhere", env={"PYTHONPATH": str(ROOT), **variables}, stderr=log
        )
    try:
        until(lambda: ask(port, "/version"), process)
        ended = run_job(port, process, "step", end_time=60, controller="hold")
        assert ended["status"] == "Success", ended
        trajectories = tmp_path / "state" / "jobs" / ended["task_id"] / "trajectories.csv"
        assert trajectories.read_text().startswith("time,")
        assert set(ask(port, "/measurements")["payload"]) <= set(trajectories.read_text().split("\n")[0].split(","))
        ended = run_job(port, process, "converge", case_name="half")
        assert ended["status"] == "Success", ended
        result = json.loads((tmp_path / "state" / "jobs" / ended["task_id"] / "results" / "result.json").read_bytes())
        for name, expected in zip(("one", "two"), fixed_point(*HALF), strict=True):
            np.testing.assert_allclose(result["components"][name]["outputs"]["y"]["value"], expected, rtol=1e-8)
        assert list((tmp_path / "elsewhere").iterdir()) == []
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 0


@pytest.mark.slow
def test_a_server_reads_its_configuration_again_and_keeps_its_worker_of_jobs(command, variables, small_resources):
    state_dir = Path(variables["TRIVIUM_STATE_DIR"])
    with Server(small_resources, state_dir, command, TRIVIUM_WORKER_JOBS="1") as server:
        before = set(server.workers())
        server.process.send_signal(signal.SIGHUP)
        (keeper,) = until(lambda: kept(before, server), server.process)
        assert server.request("GET", "/version")[0] == 200
        assert server.stop() == 0
        assert not Path(f"/proc/{keeper}").exists()
        assert list((state_dir / "metrics").iterdir()) == []


def kept(before: set[int], server: Server) -> set[int]:
    """The children that are still there when the first worker has been replaced."""
    now = set(server.workers())
    return before & now if len(now) == len(before) and now != before else set()


def test_a_port_in_use_is_named_with_the_option_and_the_variable(command, variables):
    with socket.create_server(("127.0.0.1", int(variables["PORT"]))):
        said = refusal(command, **variables)
    port = variables["PORT"]
    assert said == f"trivium: port {port} of 127.0.0.1 is in use; choose another one with --port or PORT"


@pytest.mark.slow
def test_two_servers_that_start_at_once_on_a_port_are_one(command, variables, tmp_path):
    """Both find the port free when they look."""
    both = [start(command, **variables | {"TRIVIUM_STATE_DIR": str(tmp_path / name)}) for name in ("a", "b")]
    until(lambda: ask(int(variables["PORT"]), "/version"), *both)
    deadline = time.monotonic() + 300
    while all(process.poll() is None for process in both):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (loser,) = [process for process in both if process.poll() is not None]
    (winner,) = [process for process in both if process is not loser]
    assert loser.returncode == 1
    output, error = loser.communicate()
    assert output == ""
    assert error.count("\n") == 1
    assert "is in use; choose another one with --port or PORT" in error
    winner.send_signal(signal.SIGINT)
    winner.communicate(timeout=300)
    assert winner.returncode == 0


@pytest.mark.parametrize(
    "host", ["192.0.2.1", *(pytest.param(h, marks=pytest.mark.slow) for h in ("2001:db8::1", "nobody.invalid"))]
)
def test_an_address_of_another_machine_is_refused(command, variables, host):
    said = refusal(command, **variables, HOST=host)
    assert said.startswith(f"trivium: {host} is no address of this machine; choose another one with --host or HOST")


def test_an_option_is_refused_as_its_variable_is(variables):
    said = refusal((*SERVE, "--host", "192.0.2.1"), **variables)
    assert "192.0.2.1 is no address of this machine" in said
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in refusal((*SERVE, "--port", str(port)), **variables)


def test_gunicorn_s_own_option_is_checked_too(variables):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = refusal((*GUNICORN, "-b", f"127.0.0.1:{port}"), **variables)
    assert f"port {port} of 127.0.0.1 is in use" in said


@pytest.mark.slow
def test_a_socket_file_is_gunicorn_s_own_affair(variables, small_resources, tmp_path):
    path = tmp_path / "here.sock"
    process = start((*GUNICORN, "-b", f"unix:{path}"), **variables)
    try:

        def answered():
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(path))
                client.sendall(b"GET /version HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return client.recv(100).startswith(b"HTTP/1.0 200 OK")

        until(answered, process)
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=300)
    assert f"Serving AlphaDataCenterCooling_Gym on {path}\n" in output


@pytest.mark.slow
def test_the_address_that_is_printed_is_the_one_that_is_served(small_resources, tmp_path):
    port = free_port()
    process = start((*GUNICORN, "-b", f"127.0.0.1:{port}"), TRIVIUM_RESOURCES=str(small_resources), PORT="1",
                    TRIVIUM_STATE_DIR=str(tmp_path), TRIVIUM_WORKER_JOBS="0")  # fmt: skip
    until(lambda: ask(port, "/version"), process)
    process.send_signal(signal.SIGINT)
    assert f"Serving AlphaDataCenterCooling_Gym on http://127.0.0.1:{port}\n" in process.communicate(timeout=300)[0]


def as_nobody(command) -> tuple[str, ...]:
    """Run a command without the rights of root."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv takes the rights of root away")
    return ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", *command)


@pytest.mark.slow
def test_a_privileged_port_is_refused(command, variables):
    limit = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if limit <= 1:
        pytest.skip("every port is open to everybody here")
    said = refusal(as_nobody(command), **variables | {"PORT": str(limit - 1)})
    assert said.startswith(f"trivium: port {limit - 1} needs the rights of root; choose one from ")


def test_a_state_directory_that_cannot_be_written_is_named(command, variables, tmp_path):
    (tmp_path / "file").write_text("")
    for place, why in ((tmp_path / "file" / "state", "Not a directory"), (Path("/proc/state"), "No such file")):
        said = refusal(command, **variables | {"TRIVIUM_STATE_DIR": str(place)})
        assert f"the state directory {place} cannot be written: {why}" in said
        assert said.endswith("choose another one with TRIVIUM_STATE_DIR")


def test_a_state_directory_without_the_right_to_write_is_named(command, variables, tmp_path):
    place = tmp_path / "state"
    place.mkdir()
    place.chmod(0o500)
    said = refusal(as_nobody(command), **variables | {"TRIVIUM_STATE_DIR": str(place)})
    assert f"the state directory {place} cannot be written: Permission denied" in said


def test_a_wrong_setting_is_a_sentence(command, variables):
    said = refusal(command, **variables | {"TRIVIUM_THREADS": "many"})
    assert "TRIVIUM_THREADS must be an integer from 1 to 256, not many" in said


def test_a_test_case_that_is_not_there_is_a_sentence(command, variables, tmp_path):
    said = refusal(command, **variables | {"TRIVIUM_RESOURCES": str(tmp_path / "nowhere")})
    assert str(tmp_path / "nowhere") in said


def test_a_variable_that_looks_like_a_setting_is_told(command, variables, small_resources):
    state_dir = Path(variables["TRIVIUM_STATE_DIR"])
    with Server(small_resources, state_dir, command, TRIVIUM_MAX_STEP="5") as server:
        log = server.log.read_text()
    assert log.count("did you mean TRIVIUM_MAX_STEPS?") == 1
