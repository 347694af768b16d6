"""Alive and ready are two things."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from trivium.errors import ModelError
from trivium.server import health
from trivium.session.manager import UnderWay


class Sessions:
    """Counts the steps that it is asked for, and refuses when told to."""

    def __init__(self) -> None:
        self.asked, self.error, self.why, self.requests = 0, None, "", []
        self.wait = threading.Event()
        self.wait.set()

    def session(self, testid):
        assert testid is None
        return self

    def health(self):
        self.asked += 1
        self.wait.wait()
        if self.error:
            raise self.error

    def hopeless(self):
        return self.why

    def under_way(self, testid):
        return self.requests.pop(0) if self.requests else None


@pytest.fixture
def sessions():
    counted = Sessions()
    yield counted
    counted.wait.set()


@pytest.fixture
def client(sessions):
    app = Flask("test")
    app.register_blueprint(health.blueprint(sessions))
    return app.test_client()


def test_a_server_that_only_a_restart_helps_ends_when_that_lasts(sessions, monkeypatch, caplog):
    clock, ended = [0.0], []
    reasons = ["gone", "", "gone", "gone", "gone", "gone"]

    def sleep(seconds):
        clock[0] += seconds
        sessions.why = reasons.pop(0)

    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(health.time, "sleep", sleep)
    health.end_when_hopeless(sessions, lambda: ended.append(clock[0]), last=10.0, look=5.0)
    assert ended == [25.0]  # gone since 15, back in between
    assert "ends: gone" in caplog.text


def test_alive_asks_nothing_of_the_plant(client, sessions):
    assert client.get("/health/live").status_code == 200
    assert sessions.asked == 0


def test_ready_steps_and_remembers_it_for_a_while(client, sessions, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])
    for _ in range(3):
        assert client.get("/health/ready").status_code == 200
    assert sessions.asked == 1
    clock[0] += health.PROOF
    assert client.get("/health/ready").status_code == 200
    assert sessions.asked == 2


def test_not_ready_says_why_and_is_ready_as_soon_as_it_works(client, sessions):
    sessions.error = ModelError("the FMU failed to step")
    reply = client.get("/health/ready")
    assert (reply.status_code, reply.json["status"]) == (503, 503)
    assert "the FMU failed to step" in reply.json["message"]
    assert client.get("/health/live").status_code == 200
    sessions.error = None
    assert client.get("/health/ready").status_code == 200


def test_what_only_a_restart_can_mend_is_not_alive(client, sessions):
    sessions.why = "its state directory was removed"
    reply = client.get("/health/live")
    assert reply.status_code == 503
    assert "its state directory was removed" in reply.json["message"]


def test_a_probe_does_not_wait_for_a_step_without_end(client, sessions, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.02)
    sessions.wait.clear()
    for _ in range(3):
        reply = client.get("/health/ready")
        assert (reply.status_code, reply.json["message"][:10]) == (503, "Not ready:")
    assert sessions.asked == 1
    sessions.wait.set()
    monkeypatch.setattr(health, "PATIENCE", 60.0)
    assert client.get("/health/ready").status_code == 200


def test_progress_of_a_long_request_is_proof(client, sessions, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    now = health.time.monotonic()
    sessions.wait.clear()
    sessions.requests = [
        UnderWay(b"a", now - 3),
        UnderWay(b"a", now - 3),
        UnderWay(b"b", now - 2),
        UnderWay(b"a", now - 1),
    ]
    reply = client.get("/health/ready")
    assert reply.status_code == 200
    assert reply.json["payload"]["seconds_ago"] >= 1
