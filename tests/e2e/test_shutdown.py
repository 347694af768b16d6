"""SIGTERM: the step in hand is finished and answered, nothing new is taken, and the next server goes on."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest

from tests.server import GUNICORN, ROOT, Server


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_to_end_answers_what_it_has_begun(tmp_path, workers):
    state, answered = tmp_path / "state", []
    with Server(ROOT / "Resources", state, (*GUNICORN, "-w", str(workers)), TRIVIUM_WORKER_JOBS="1") as server:
        server.request("PUT", "/initialize", {"start_time": 0})
        asked = {"steps": 20000, "point_names": ["Tchw_supply"]}
        client = threading.Thread(target=lambda: answered.append(server.request("POST", "/steps", asked, timeout=300)))
        (host,) = server.hosts()
        before = psutil.Process(host).cpu_times().user
        client.start()
        while psutil.Process(host).cpu_times().user < before + 0.5:  # it simulates
            time.sleep(0.02)
        os.kill(server.process.pid, signal.SIGTERM)
        time.sleep(0.5)
        assert client.is_alive()  # it is in the middle of it
        with pytest.raises((ConnectionError, TimeoutError)):
            server.request("GET", "/version", timeout=2)
        client.join()
        assert server.process.wait(300) == 0
    status, reply, _ = answered[0]
    assert (status, reply["payload"]["steps"]) == (200, 20000)
    with Server(ROOT / "Resources", state) as server:
        assert server.request("GET", "/sessions")[1]["payload"][0]["time"] == 20000 * 300
        assert server.request("POST", "/advance", {})[0] == 200


def test_a_server_with_nothing_in_hand_ends_at_once(small_resources, tmp_path):
    with Server(small_resources, tmp_path) as server:
        connection = server.connect()  # kept alive, with nothing to ask
        connection.request("GET", "/version")
        connection.getresponse().read()
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(300) == 0
        connection.close()
