"""The application without a server: what settings change, and errors that nobody expected."""

from __future__ import annotations

import pytest

from tests.processes import kill
from tests.unit.coupling.cases import pair, put
from trivium.application import create_app
from trivium.errors import StorageError
from trivium.settings import Settings


@pytest.fixture
def make(small_resources, tmp_path):
    apps = []

    def made(**variables):
        environ = {"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(tmp_path / "state"), **variables}
        apps.append(create_app(Settings(environ=environ)))
        return apps[-1]

    yield made
    for app in apps:
        app.extensions["trivium-sessions"].close()


def test_two_applications_in_one_process_keep_their_settings(small_resources, tmp_path, monkeypatch):
    for module in ("matplotlib", "pint", "plotly"):
        pytest.importorskip(module)
    monkeypatch.setenv("TRIVIUM_STUDIES", str(tmp_path / "neither"))
    apps = {}
    for name in ("a", "b"):
        put(tmp_path / name / "studies" / f"case_{name}", pair([[0.5]], [1.0], [[0.5]], [0.0]))
        apps[name] = create_app(
            Settings(
                resources=small_resources, studies=tmp_path / name / "studies", state_dir=tmp_path / name / "state",
                max_body=1024 if name == "a" else 2048,
            )
        )  # fmt: skip
    try:
        for name, app in apps.items():
            for case in ("a", "b"):
                reply = app.test_client().post("/api/run/converge", json={"case_name": f"case_{case}"})
                assert reply.status_code == (202 if case == name else 400), reply.json
            listed = app.test_client().get("/api/run").json["payload"]
            assert [job["kind"] for job in listed] == ["converge"]
            assert (tmp_path / name / "state" / "jobs" / "jobs.sqlite3").exists()
            reply = app.test_client().post("/advance", data=b" " * 1500, content_type="application/json")
            assert (reply.status_code == 413) == (name == "a")
            assert app.test_client().post("/advance", json={}).status_code == 200
        assert apps["a"].test_client().post("/advance", json={}).status_code == 200
        times = [app.test_client().get("/sessions").json["payload"][0]["time"] for app in apps.values()]
        assert times == [600.0, 300.0]
    finally:
        for app in apps.values():
            app.extensions["trivium-sessions"].close()


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        ("", "http://a.example", None),
        ("http://a.example", "http://a.example", "http://a.example"),
        ("http://a.example", "http://b.example", None),
        ("*", "http://b.example", "http://b.example"),
    ],
)
def test_origins(make, allowed, origin, answer):
    client = make(TRIVIUM_CORS_ORIGINS=allowed).test_client()
    for method in ("get", "options"):
        response = getattr(client, method)("/step", headers={"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == answer
    assert ("Access-Control-Allow-Methods" in response.headers) == (answer is not None)


def test_the_limit_of_a_body_is_a_setting(make):
    client = make(TRIVIUM_MAX_BODY="1024").test_client()
    response = client.post("/advance", data=b" " * 1025, content_type="application/json")
    assert (response.status_code, response.json["status"]) == (413, 413)
    assert "1024" in response.json["message"]


def test_a_full_disk_is_507(make, monkeypatch):
    app = make()
    sessions = app.extensions["trivium-sessions"]

    def full(*_, **__):
        raise StorageError("the state directory cannot be written: No space left on device")

    monkeypatch.setattr(sessions, "_call", full)
    response = app.test_client().post("/advance")
    assert (response.status_code, response.json["status"]) == (507, 507)
    assert "No space left" in response.json["message"]


def test_a_session_that_did_not_come_back_bit_by_bit_says_so(make, trap_resources):
    app = make(TRIVIUM_RESOURCES=str(trap_resources(restore="none")))
    client = app.test_client()
    assert "Session-Restored" not in client.post("/advance").headers
    kill(app.extensions["trivium-sessions"].session(None).host_state().pid)
    assert client.post("/advance").headers["Session-Restored"] == "replayed"


def test_an_error_that_nobody_expected_is_500_in_the_envelope_and_tells_no_internals(make, monkeypatch, caplog):
    app = make()
    monkeypatch.setattr(app.extensions["trivium-sessions"], "session", lambda *_: 1 / 0)
    response = app.test_client().get("/name")
    assert response.status_code == 500
    assert response.json == {"status": 500, "message": "Internal error; the server's log has more.", "payload": None}
    assert "ZeroDivisionError" in caplog.text
