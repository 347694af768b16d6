"""What the web tier answers at its limits."""

from __future__ import annotations

import pytest

from trivium.application import create_app
from trivium.settings import Settings


@pytest.fixture(scope="module")
def application(small_resources, tmp_path_factory):
    environ = {
        "TRIVIUM_RESOURCES": str(small_resources),
        "TRIVIUM_STATE_DIR": str(tmp_path_factory.mktemp("limits")),
        "TRIVIUM_MAX_SESSIONS": "1",
        "TRIVIUM_RECLAIM_AFTER": "1000",
        "TRIVIUM_MAX_STEPS": "5",
    }
    app = create_app(Settings(environ=environ))
    yield app
    app.extensions["trivium-sessions"].close()


@pytest.fixture
def app(application):
    yield application
    application.extensions["trivium-sessions"].stop_all()


def test_without_room_a_session_is_refused_at_once_with_a_place_in_the_queue(app):
    client = app.test_client()
    select = "/testcases/AlphaDataCenterCooling_Gym/select"
    testid = client.post(select).json["testid"]
    for k in (1, 2):
        for path in (select, f"/fork/{testid}")[:k]:
            response = client.post(path)
            assert (response.status_code, response.json["status"]) == (503, 503)
            assert int(response.headers["Retry-After"]) > 0
            assert response.json["payload"]["queue_position"] >= 1
    assert client.put(f"/stop/{testid}").text == "OK"
    assert client.post(select).status_code == 200


def test_who_selects_asynchronously_waits_its_turn_and_is_told_where_it_stands(app):
    client = app.test_client()
    select = "/testcases/AlphaDataCenterCooling_Gym/select"
    running = client.post(select).json["testid"]
    first, second = (client.post(f"{select}-async").json["testid"] for _ in range(2))
    for testid, told in ((running, "Running"), (first, "Queued"), (second, "Queued")):
        assert client.get(f"/status/{testid}").json == told
    for place, testid in ((1, first), (2, second)):
        response = client.post(f"/advance/{testid}", json={})
        assert (response.status_code, response.json["payload"]) == (503, {"queue_position": place})
        assert int(response.headers["Retry-After"]) > 0
    assert client.post(select).json["payload"] == {"queue_position": 3}
    client.put(f"/stop/{running}")
    assert client.get(f"/status/{second}").json == "Queued"  # it does not overtake
    assert client.post(select).status_code == 503
    assert client.post(f"/advance/{first}", json={}).status_code == 200
    assert client.get(f"/status/{first}").json == "Running"
    client.put(f"/stop/{first}")
    assert client.get(f"/status/{second}").json == "Running"


@pytest.mark.parametrize(
    "asked", [{"steps": 6}, {"trajectory": [{}] * 6}, {"trajectory": {"CHI01": [1] * 6}}, {"steps": "1e300"}]
)
def test_too_many_steps_in_one_request_are_refused(app, asked):
    client = app.test_client()
    response = client.post("/steps", json=asked)
    assert response.status_code == 400
    assert "parameter steps. Value must be at most 5 in one request." in response.json["message"]
    assert client.post("/steps", json={"steps": 5}).json["payload"]["steps"] == 5


def test_too_many_steps_of_one_action_are_refused_and_so_are_those_that_look_ahead(app):
    client = app.test_client()
    for query, body, rule in (
        ("steps=6", {}, "Value must be at most 5 in one request."),
        ("steps=0", {}, "Value must be a whole number of at least 1."),
        ("steps=2", {"dry_run": True}, "With dry_run it must be 1; POST /steps looks further ahead."),
        ("step=2", {}, "Unknown parameter. Did you mean steps?"),
    ):
        response = client.post(f"/advance?{query}", json=body)
        assert (response.status_code, response.json["message"].endswith(rule)) == (400, True), response.json
    assert client.post("/advance?steps=1", json={"dry_run": True}).status_code == 200
    message = client.post("/advance?steps=5", json={}).json["message"]
    assert message == "Advanced simulation successfully from 0.0s to 1500.0s."
