"""The default test case, our own plant, as a user finds it: over HTTP, from its files."""

from __future__ import annotations

import csv
import math

import pytest

from tests.server import ROOT, Server


@pytest.fixture(scope="module")
def server(resources, state_dir):
    with Server(resources, state_dir) as server:
        yield server


@pytest.fixture(scope="module")
def first(resources):
    with (resources / "Initialization_observation0.csv").open() as file:
        return {name: float(value) for name, value in next(csv.DictReader(file)).items() if name != "time"}


def test_identity(server):
    assert server.request("GET", "/name")[1]["payload"] == {"name": "AlphaDataCenterCooling_Gym"}
    assert server.request("GET", "/version")[1]["payload"] == {"version": "0.1.0"}
    assert server.request("GET", "/step")[1]["payload"] == 300
    assert server.start_seconds < 60


def test_inputs_and_measurements_are_those_of_the_card(server, first):
    inputs = server.request("GET", "/inputs")[1]["payload"]
    measurements = server.request("GET", "/measurements")[1]["payload"]
    assert (len(inputs), len(measurements)) == (100, 86)
    assert set(first) == {*inputs, *measurements}
    assert not {"Mchw", "Tchw_r", "Twb_outside", "Head_required"} & set(inputs)
    for name, entry in inputs.items():
        assert entry["Description"], name
        assert entry["Unit"], name
        assert math.isfinite(entry["Minimum"]), name
        assert entry["Minimum"] < entry["Maximum"], name
    for name, entry in measurements.items():
        assert entry["Description"], name
        assert entry["Unit"], name


def test_initialize_at_zero_and_a_day_of_steps(server, first):
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": 0})
    assert reply["message"] == "Simulation initialized successfully to 0s."
    assert reply["payload"] == pytest.approx(first)
    connection = server.connect()
    for k in range(288):
        connection.request("POST", "/advance", b"{}", {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        assert f"from {300.0 * k}s to {300.0 * (k + 1)}s".encode() in body
    connection.close()
    wanted = {"point_names": ["Tchw_supply", "P_Chillers_sum"], "start_time": 0, "final_time": 86400}
    payload = server.request("PUT", "/results", wanted)[1]["payload"]
    assert payload["time"] == [300.0 * k for k in range(289)]
    assert all(275 < t < 300 for t in payload["Tchw_supply"])
    assert all(0 <= p < 6e6 for p in payload["P_Chillers_sum"])


def test_initialize_is_repeatable(server):
    runs = []
    for _ in range(2):
        assert server.request("PUT", "/initialize", {"start_time": 900000})[0] == 200
        runs.append([server.request("POST", "/advance")[1]["payload"] for _ in range(5)])
    assert runs[0] == runs[1]


def test_it_runs_to_the_last_row_and_not_beyond(server):
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": 30099000})
    assert reply["message"] == "Simulation initialized successfully to 30099000.0s with warmup period of 300s."
    _, reply, _ = server.request("POST", "/advance")
    assert reply["message"] == "Advanced simulation successfully from 30099000.0s to 30099300.0s."
    status, reply, _ = server.request("POST", "/advance")
    assert status == 400
    assert "30099300.0s" in reply["message"]
    assert server.request("PUT", "/initialize", {"start_time": 30099300})[0] == 400


def test_extreme_actions_are_answered_and_the_session_lives(server):
    inputs = server.request("GET", "/inputs")[1]["payload"]
    server.request("PUT", "/initialize", {"start_time": 0})
    for bound in ("Minimum", "Maximum"):
        status, reply, _ = server.request("POST", "/advance", {name: entry[bound] for name, entry in inputs.items()})
        assert status == 200, reply["message"]
        assert all(math.isfinite(value) for value in reply["payload"].values())
    for name, entry in inputs.items():
        for beyond, bound in ((entry["Minimum"] - 1, "minimum"), (entry["Maximum"] + 1, "maximum")):
            for clamp, expected in ((False, 400), (True, 200)):
                status, reply, _ = server.request("POST", "/advance", {name: beyond, "clamp": clamp})
                assert status == expected
                assert name in reply["message"]
                assert f"{bound} " in reply["message"]


def test_health_says_that_restores_are_exact(server):
    status, reply, _ = server.request("GET", "/health")
    assert (status, reply["payload"]["restore"]) == (200, "exact")


def test_the_recorded_year_keeps_the_bounds(server):
    path = ROOT / "testing" / "RealWorld_Actions_Observations.csv"
    inputs = server.request("GET", "/inputs")[1]["payload"]
    with path.open() as file:
        rows = csv.DictReader(file)
        assert set(inputs) < set(rows.fieldnames or ())
        for row in rows:
            for name, entry in inputs.items():
                assert entry["Minimum"] <= float(row[name]) <= entry["Maximum"], (name, row["time"])
