"""Several workers, and what is left after killing them: the server's side of docs/sessions.md."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import PATIENCE, kill
from tests.server import GUNICORN, Server
from trivium.process import process_start

FOUR = (sys.executable, "-m", "gunicorn", "-w", "4", "restapi:app")
WANTED = {"point_names": ["Tchw_supply", "P_Chillers_sum"], "start_time": 0, "final_time": 1e9}


def advance(server):
    status, reply, _ = server.request("POST", "/advance", {"CHI02": 1})
    assert status == 200, reply
    return reply


def patiently(call, *arguments):
    """A worker that died takes its connections along; its successor needs a moment."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return call(*arguments)
        time.sleep(0.05)
    raise AssertionError("the server did not come back")


@pytest.mark.slow
def test_four_workers_serve_one_clock_on_the_real_plant_and_survive_their_deaths(resources, tmp_path):
    with Server(resources, tmp_path / "alone", GUNICORN) as alone:
        expected = [advance(alone) for _ in range(44)]
        results = alone.request("PUT", "/results", WANTED)[1]
    with Server(resources, tmp_path / "four", FOUR) as server:
        deadline = time.monotonic() + PATIENCE
        while len(server.workers()) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: advance(server), range(40)))
        assert sorted(map(str, replies)) == sorted(map(str, expected[:40]))
        (host,) = server.hosts()
        kill(host)
        assert advance(server) == expected[40]
        workers = server.workers()
        kill(*workers)
        assert patiently(server.request, "GET", "/step")[0] == 200
        assert advance(server) == expected[41]
        os.killpg(server.process.pid, signal.SIGKILL)  # workers, zygote and host too
        server.process.wait()
    with Server(resources, tmp_path / "four", FOUR) as server:
        assert advance(server) == expected[42]
        kill(server.process.pid)  # the rest ends by itself, or is found by the next server
    with Server(resources, tmp_path / "four", GUNICORN) as server:
        assert advance(server) == expected[43]
        assert server.request("PUT", "/results", WANTED)[1] == results


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL])
def test_nothing_runs_on_when_the_server_is_gone(number, small_resources, tmp_path):
    with Server(small_resources, tmp_path) as server:
        advance(server)
        pids = [*server.hosts(), *server.workers()]
        os.kill(server.process.pid, number)
        server.process.wait()
    deadline = time.monotonic() + 300
    while any(process_start(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
