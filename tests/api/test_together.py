"""Clients at the same time: requests take turns, nothing is lost or doubled."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.small_plant import FAILING, temperature


def test_two_clients_share_one_clock(server):
    def client(_):
        connection = server.connect()
        steps = []
        for _ in range(40):
            connection.request("POST", "/advance", b"{}", {"Content-Type": "application/json"})
            response = connection.getresponse()
            reply = json.loads(response.read())
            assert response.status == 200
            steps.append(tuple(map(float, re.findall(r"(\d+\.\d)s", reply["message"]))))
            # the reply belongs to the step that it speaks of
            assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(steps[-1][1]), abs=1e-5)
        connection.close()
        return steps

    with ThreadPoolExecutor(8) as pool:
        steps = sorted(step for steps in pool.map(client, range(8)) for step in steps)
    assert steps == [(300.0 * k, 300.0 * (k + 1)) for k in range(320)]
    wanted = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1e9}
    payload = server.request("PUT", "/results", wanted)[1]["payload"]
    assert payload["time"] == [300.0 * k for k in range(321)]


def test_failures_of_one_client_do_not_touch_another(server):
    done = threading.Event()

    def bad():
        failures = 0
        while not done.is_set():
            failures += server.request("POST", "/advance", {FAILING: 1})[0] == 500
            assert server.request("POST", "/advance", {"CHI01": "x"})[0] == 400
        return failures

    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(bad)
        for k in range(1, 101):
            status, reply, _ = server.request("POST", "/advance", {})
            assert status == 200
            assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(300 * k), abs=1e-5)
        done.set()
        assert other.result() > 0


def test_results_and_queries_while_stepping(server):
    done = threading.Event()
    wanted = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1e9}

    def reader():
        while not done.is_set():
            payload = server.request("PUT", "/results", wanted)[1]["payload"]
            assert payload["time"] == [300.0 * k for k in range(len(payload["time"]))]
            assert len(payload["Tchw_supply"]) == len(payload["time"])
            assert server.request("GET", "/health")[0] == 200

    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(reader)
        for k in range(60):
            assert server.request("POST", "/advance", {})[0] == 200
            if k % 20 == 19:
                assert server.request("PUT", "/initialize", {"start_time": 0})[0] == 200
        done.set()
        other.result()
