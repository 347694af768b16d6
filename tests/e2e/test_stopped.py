"""A server whose processes are stopped (SIGSTOP) goes on, answers its probes, and ends when it is to end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from tests.processes import PATIENCE, gone
from tests.server import GUNICORN, Server
from tests.trap_fmu import PLANT_TRAP, Trap


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):  # the connections of a worker end with it
            if condition():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_web_worker_that_was_stopped_is_replaced_and_no_step_is_lost(small_resources, tmp_path):
    with Server(small_resources, tmp_path, TRIVIUM_WORKER_TIMEOUT="2") as server:
        assert server.request("POST", "/advance", {})[0] == 200
        (stopped,) = server.workers()
        os.kill(stopped, signal.SIGSTOP)
        gone(stopped)
        until(lambda: server.request("POST", "/advance", {})[0] == 200)
        assert server.request("GET", "/sessions")[1]["payload"][0]["time"] == 600.0


def test_one_of_two_web_workers_that_was_stopped_with_requests_in_hand(trap_resources, tmp_path):
    command = (*GUNICORN, "-w", "2")
    with Server(trap_resources(), tmp_path, command, TRIVIUM_WORKER_TIMEOUT="2") as server:
        until(lambda: len(server.workers()) == 2)
        stopped = server.workers()[0]
        with ThreadPoolExecutor(4) as pool:
            slow = {"steps": 2, "action": {PLANT_TRAP: int(Trap.SLOW)}}
            asked = [pool.submit(server.request, "POST", "/steps", slow) for _ in range(4)]
            os.kill(stopped, signal.SIGSTOP)
            gone(stopped)
            done = sum(each.exception() is None and each.result()[0] == 200 for each in asked)
        until(lambda: server.request("POST", "/advance", {})[0] == 200)
        time_reached = server.request("GET", "/sessions")[1]["payload"][0]["time"]
        assert (time_reached - 300.0) / 600.0 in range(done, 5)  # what was answered was done, and nothing twice


def test_probes_answer_and_the_server_ends_though_its_host_was_stopped(trap_resources, tmp_path):
    with Server(trap_resources(), tmp_path, TRIVIUM_STEP_TIMEOUT="3") as server:
        (host,) = server.hosts()
        os.kill(host, signal.SIGSTOP)
        assert server.request("GET", "/health/live")[0] == 200
        assert server.request("GET", "/health/ready")[0] in (200, 503)
        until(lambda: server.request("GET", "/health/ready")[0] == 200)
        (host,) = server.hosts()
        os.kill(host, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(server.request, "POST", "/advance", {})
            until(lambda: server.request("GET", "/health/live")[0] == 200)
            os.kill(server.process.pid, signal.SIGTERM)
            assert server.process.wait(PATIENCE) == 0
            with contextlib.suppress(OSError):  # it may have come too late
                assert asked.result()[0] == 200
        with contextlib.suppress(ProcessLookupError):  # where the request came too late, nobody waited for the host
            os.kill(host, signal.SIGCONT)
        gone(host)


def test_a_server_without_its_state_directory_is_not_alive(small_resources, tmp_path):
    state = tmp_path / "state"
    with Server(small_resources, state) as server:
        assert server.request("GET", "/health/live")[0] == 200
        state.rename(tmp_path / "gone")
        status, reply, _ = server.request("GET", "/health/live")
        assert (status, reply["message"]) == (503, "Not alive: its state directory was removed")
        state.mkdir()
        assert server.request("GET", "/health/live")[0] == 503  # another one is no help
        shutil.rmtree(state)
        (tmp_path / "gone").rename(state)
        assert server.request("GET", "/health/live")[0] == 200
