"""The commands as a person types them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.server import GUNICORN, ROOT, Server, free_port


def environment(resources, state_dir, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRIVIUM_", "MAKE", "MFLAGS"))}
    return kept | {"TRIVIUM_RESOURCES": str(resources), "TRIVIUM_STATE_DIR": str(state_dir)} | variables


COMMANDS = {
    "make serve": ("make", "--no-print-directory", "serve"),
    "python restapi.py": (sys.executable, "restapi.py"),
    "trivium serve": (sys.executable, "-m", "trivium.cli", "serve"),
    "gunicorn restapi:app": GUNICORN,
}


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=[] if name == "trivium serve" else pytest.mark.slow) for name in COMMANDS]
)
def test_every_way_to_serve_says_what_to_open_and_ends_with_ctrl_c(command, small_resources, state_dir):
    if command == "make serve" and not (ROOT / ".venv" / ".runtime-ready").exists():
        pytest.skip("not run through make: there is no .venv to serve from")
    with Server(small_resources, state_dir, COMMANDS[command]) as server:
        assert server.request("GET", "/name")[0] == 200
        assert server.request("POST", "/advance")[0] == 200
        pids = [server.process.pid, *server.workers()]
        server.stop(signal.SIGINT)
        assert f"open {server.url}/" in server.log.read_text()
        with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            pass
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "SIGKILL" not in log


def test_nothing_is_logged_per_step(small_resources, state_dir):
    with Server(small_resources, state_dir) as server:
        before = server.log.read_text()
        for _ in range(5):
            server.request("POST", "/advance")
        assert server.log.read_text() == before


@pytest.mark.slow
def test_a_second_server_over_the_same_state_directory_shares_its_sessions(small_resources, tmp_path):
    with Server(small_resources, tmp_path) as one, Server(small_resources, tmp_path) as other:
        for k, server in enumerate((one, other, other, one)):
            message = server.request("POST", "/advance")[1]["message"]
            assert message == f"Advanced simulation successfully from {300.0 * k}s to {300.0 * (k + 1)}s."


@pytest.mark.slow
def test_doctor_steps_the_plant(small_resources, state_dir):
    done = subprocess.run([sys.executable, "-m", "trivium.cli", "doctor"], cwd=ROOT, capture_output=True, text=True,
                          env=environment(small_resources, state_dir), timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "stepped the model 3 times" in done.stdout
    assert done.stdout.endswith("Everything that is installed works.\n")


NO_RESOURCES = ({"TRIVIUM_RESOURCES": "/nowhere"}, "the Resources folder /nowhere does not exist")
NO_PORT = ({"PORT": "none"}, "PORT must be an integer")
NO_STATE = ({"TRIVIUM_STATE_DIR": "/dev/null/state"}, "/dev/null/state")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "faults"),
    [
        pytest.param("serve", [NO_RESOURCES], id="serve-resources"),
        pytest.param("serve", [NO_PORT], id="serve-port"),
        pytest.param("serve", [NO_STATE], id="serve-state"),
        pytest.param("doctor", [NO_PORT], id="doctor-port"),
        # whatever it finds, doctor goes on and tries the rest, which takes long
        pytest.param("doctor", [NO_RESOURCES, NO_STATE], id="doctor-resources-state"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(command, faults, small_resources, state_dir):
    variables = {name: value for variables, _ in faults for name, value in variables.items()}
    done = subprocess.run([sys.executable, "-m", "trivium.cli", command], cwd=ROOT, capture_output=True, text=True,
                          env=environment(small_resources, state_dir) | variables, timeout=300)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("trivium: ")
    for _, message in faults:
        assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_an_fmu_that_cannot_be_loaded_is_refused_once(state_dir, tmp_path):
    fmu = tmp_path / "text.fmu"
    fmu.write_text("no FMU")
    environ = environment("", state_dir, PORT=str(free_port()))
    del environ["TRIVIUM_RESOURCES"]
    done = subprocess.run([*COMMANDS["trivium serve"], "--fmu", str(fmu)], cwd=ROOT, env=environ, timeout=300,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "trivium: text.fmu is no FMU, or is damaged: it cannot be unpacked (File is not a zip file)"
    ]


def test_the_test_case_is_used_without_http(small_resources, state_dir):
    code = (
        "from pathlib import Path; from testcase import TestCase\n"
        f"case = TestCase(Path({str(small_resources)!r}), Path({str(state_dir)!r}))\n"
        "print(case.initialize(0).message); print(case.advance({}).message); case.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == [
        "Simulation initialized successfully to 0s.",
        "Advanced simulation successfully from 0.0s to 300.0s.",
    ], done.stderr
