"""Inputs set by hand and labels of sessions at a real server: over HTTP, from Python, in forks, after a kill."""

from __future__ import annotations

import time

import pytest

from tests.processes import kill
from tests.server import Server
from trivium.client import Client
from trivium.errors import InvalidValueError
from trivium.server.tokens import create
from trivium.session.folder import Folder

SET = "Tchws_set_HEX"


def host(server, testid):
    session = next(one for one in server.request("GET", "/sessions")[1]["payload"] if one["testid"] == testid)
    assert session["state"] != "hibernated"
    return Folder(server.state_dir, testid).serving().pid


@pytest.fixture
def session(server):
    with Client(server.url, timeout=300.0, patience=60.0) as client, client.select() as session:
        yield session


def test_the_default_session_over_http(server):
    status, reply, _ = server.request("PUT", "/overrides", {"inputs": {SET: 280, "CHI01": 0}})
    assert status == 200
    assert reply["message"] == f"Set the inputs successfully; by hand: {SET}, CHI01."
    assert reply["payload"][SET] | {"when": 0} == {"value": 280.0, "until": None, "since": 0.0, "who": None, "when": 0}
    assert abs(reply["payload"][SET]["when"] - time.time()) < 300
    assert server.request("POST", "/advance", {SET: 285.0, "CHI01": 1})[1]["payload"][SET] == 280.0
    window = {"point_names": [SET, "CHI01"], "start_time": 300, "final_time": 300}
    assert server.request("PUT", "/results", window)[1]["payload"] == {"time": [300.0], SET: [280.0], "CHI01": [0.0]}
    refused = server.request("PUT", "/overrides", {"inputs": {"CHI02": 0, SET: 999}})
    assert refused[0] == 400
    assert SET in refused[1]["message"]
    assert "Value must be within [" in refused[1]["message"]
    assert [*server.request("GET", "/overrides")[1]["payload"]] == [SET, "CHI01"]
    assert [*server.request("DELETE", "/overrides?input=CHI01")[1]["payload"]] == [SET]
    assert server.request("DELETE", "/overrides")[1]["payload"] == {}
    assert server.request("POST", "/advance", {})[1]["payload"][SET] == 285.0


def test_the_client_and_http_see_the_same(server, session):
    set_by_hand = session.override({SET: 280.0}, until=900.0)
    listed = server.request("GET", f"/overrides/{session.testid}")[1]["payload"]
    assert {name: entry._asdict() for name, entry in set_by_hand.items()} == listed
    assert session.overrides == set_by_hand
    assert session.advance({SET: 285.0})[SET] == 280.0
    with pytest.raises(InvalidValueError, match="Value must be within"):
        session.override({SET: 1.0})
    assert session.summary["overrides"] == listed
    session.advance_many(2)
    assert session.overrides == session.summary["overrides"] == {}
    assert session.advance()[SET] == 285.0


def test_a_fork_and_a_restored_snapshot_have_it_and_a_kill_loses_nothing(server, session):
    session.override({SET: 280.0})
    session.advance({SET: 285.0})
    snapshot, fork = session.snapshot(), session.fork()
    try:
        about = fork.summary
        assert (about["parent"], about["forked_at"]) == (session.testid, 300.0)
        assert fork.overrides == session.overrides == {SET: (280.0, None, 0.0, None, session.overrides[SET].when)}
        before = session.overrides
        kill(host(server, session.testid))
        assert session.overrides == before
        session.release()
        kill(host(server, session.testid))
        assert session.overrides == {}
        assert fork.advance()[SET] == 280.0
        assert session.advance()[SET] == 285.0
        assert server.request("GET", f"/snapshots/{session.testid}")[1]["payload"][0]["time"] == 300.0
        session.restore(snapshot)
        assert session.overrides == before
    finally:
        fork.close()


def test_who_set_it_is_the_token_and_not_what_a_client_says(small_resources, tmp_path):
    file = tmp_path / "tokens.json"
    ann, bob = (create(file).add(name, ["control"]) for name in ("ann", "bob"))
    with Server(small_resources, tmp_path / "state", TRIVIUM_TOKENS=str(file)) as server:
        headers = {"Authorization": f"Bearer {ann}", "Content-Type": "application/json"}
        assert server.request("PUT", "/overrides", {"inputs": {SET: 280}, "who": "eve"}, headers=headers)[0] == 400
        server.request("PUT", "/overrides", {"inputs": {SET: 280}}, headers=headers)
        seen = server.request("GET", "/overrides", headers={"Authorization": f"Bearer {bob}"})[1]["payload"]
        assert seen[SET]["who"] == "ann"


def test_labels(server, session):
    about = session.label(name=" warm supply ", tags=["16 °C", "July"], notes="First try.\nWarmer.")
    assert (about["name"], about["tags"], about["notes"]) == ("warm supply", ["16 °C", "July"], "First try.\nWarmer.")
    assert session.label(tags=[])["name"] == "warm supply"
    assert session.label(controller="my own")["controller"] == "my own"
    session.advance()
    assert session.summary["controller"] == "my own"
    session.initialize(600)
    assert (session.summary["controller"], session.summary["name"]) == ("", "warm supply")
    status, reply, _ = server.request("PATCH", f"/sessions/{session.testid}", {"name": "two\nlines"})
    assert (status, "name" in reply["message"]) == (400, True)
    assert server.request("PATCH", f"/sessions/{session.testid}", {"nmae": "x"})[0] == 400
    assert server.request("PATCH", "/sessions/unknown", {"name": "x"})[0] == 400
    listed = next(one for one in server.request("GET", "/sessions")[1]["payload"] if one["testid"] == session.testid)
    assert listed["name"] == "warm supply"
    assert listed["scenario"] == {name: part for name, part in session.scenario.items() if part is not None}
