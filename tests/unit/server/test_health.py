"""Alive and ready are two things."""

from __future__ import annotations

import pytest
from flask import Flask

from trivium.errors import ModelError
from trivium.server import health


class Sessions:
    """Counts the steps that it is asked for, and refuses when told to."""

    def __init__(self) -> None:
        self.asked, self.error = 0, None

    def session(self, testid):
        assert testid is None
        return self

    def health(self):
        self.asked += 1
        if self.error:
            raise self.error


@pytest.fixture
def sessions():
    return Sessions()


@pytest.fixture
def client(sessions):
    app = Flask("test")
    app.register_blueprint(health.blueprint(sessions))
    return app.test_client()


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
