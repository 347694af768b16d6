"""The routes of the REST contract, word for word, against a real server."""

from __future__ import annotations

import pytest

from tests.small_plant import CONTROL_NAMES, FAILING, OUTPUT_NAMES, START, temperature


@pytest.mark.parametrize(
    ("path", "message", "payload"),
    [
        ("/version", "Queried the version number successfully.", {"version": "0.1.0-test"}),
        ("/name", "Queried the name of the test case successfully.", {"name": "AlphaDataCenterCooling_Gym"}),
        ("/step", "Queried the control step successfully.", 300),
    ],
)
def test_simple_queries(server, path, message, payload):
    status, reply, headers = server.request("GET", path)
    assert status == 200
    assert reply == {"status": 200, "message": message, "payload": payload}
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "message", "names"),
    [
        ("/inputs", "Queried the inputs successfully.", CONTROL_NAMES),
        ("/measurements", "Queried the measurements successfully.", OUTPUT_NAMES),
    ],
)
def test_metadata(server, path, message, names):
    status, reply, _ = server.request("GET", path)
    assert (status, reply["status"], reply["message"]) == (200, 200, message)
    assert list(reply["payload"]) == names
    assert all(set(entry) >= {"Unit", "Description", "Minimum", "Maximum"} for entry in reply["payload"].values())


def test_a_session_from_start_to_results(server):
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": 0, "end_time": "1500"})
    assert reply["message"] == "Simulation initialized successfully to 0s."
    assert reply["payload"]["Tchw_supply"] == START
    _, reply, _ = server.request("POST", "/advance", {"CHI01": "1", "CHI02": 0, "CHI03": None})
    assert reply["message"] == "Advanced simulation successfully from 0.0s to 300.0s."
    assert list(reply["payload"]) == OUTPUT_NAMES + CONTROL_NAMES
    assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    _, reply, _ = server.request("PUT", "/step", {"step": 600})
    assert reply == {"status": 200, "message": "Control step set successfully.", "payload": {"step": 600}}
    assert server.request("POST", "/advance")[1]["message"] == "Advanced simulation successfully from 300.0s to 900.0s."
    assert server.request("POST", "/advance", {})[0] == 200
    status, reply, _ = server.request("POST", "/advance", {})
    assert (status, reply["status"], reply["payload"]) == (400, 400, None)
    assert "the simulation ends at 1500.0s" in reply["message"]
    wanted = {"point_names": ["Tchw_supply", "Tchw_supply"], "start_time": 300, "final_time": 1500}
    _, reply, _ = server.request("PUT", "/results", wanted)
    assert reply["message"] == "Queried results data successfully for point names ['Tchw_supply', 'Tchw_supply']."
    assert reply["payload"] == {
        "Tchw_supply": pytest.approx([temperature(t) for t in range(300, 1501, 300)], abs=1e-5),
        "time": [300.0, 600.0, 900.0, 1200.0, 1500.0],
    }


def test_initialize_later(server):
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": 59700})
    assert reply["message"] == "Simulation initialized successfully to 59700.0s with warmup period of 300s."
    _, reply, _ = server.request("POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 59700.0s to 60000.0s."
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": 0})
    _, reply, _ = server.request("POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 0.0s to 300.0s."


def test_head_required_of_the_first_point_is_null(server):
    wanted = {"point_names": ["Head_required"], "start_time": 0, "final_time": 0}
    assert server.request("PUT", "/results", wanted)[1]["payload"] == {"Head_required": [None], "time": [0.0]}


def test_a_failed_step_is_an_error_with_the_message_of_the_fmu_and_the_next_goes_on(server):
    server.request("POST", "/advance", {})
    status, reply, _ = server.request("POST", "/advance", {FAILING: 1})
    assert (status, reply["status"], reply["payload"]) == (500, 500, None)
    assert "the FMU failed to step" in reply["message"]
    assert "The FMU says: " in reply["message"]
    status, reply, _ = server.request("POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 300.0s to 600.0s."
    assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)
    assert reply["payload"][FAILING] == 0.0


def test_the_first_page_lists_every_route(server):
    status, reply, _ = server.request("GET", "/")
    assert status == 200
    routes = reply["payload"]["routes"]
    assert {"GET /version", "GET /name", "GET /inputs", "GET /measurements", "GET /step", "PUT /step"} < set(routes)
    assert {"PUT /initialize", "POST /advance", "PUT /results", "GET /health"} < set(routes)
    assert all(routes.values())


def test_health_steps_a_copy_and_leaves_the_session_alone(server):
    server.request("POST", "/advance", {})
    status, reply, _ = server.request("GET", "/health")
    assert (status, reply["payload"]["restore"]) == (200, "exact")
    assert reply["payload"]["steps"] > 0
    _, reply, _ = server.request("POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 300.0s to 600.0s."
    assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)


def test_alive_and_ready(server):
    status, reply, _ = server.request("GET", "/health/live")
    assert (status, reply["message"]) == (200, "Alive.")
    status, reply, _ = server.request("GET", "/health/ready")
    assert (status, reply["message"]) == (200, "Ready: the plant has been stepped.")
