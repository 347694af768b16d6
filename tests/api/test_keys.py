"""Idempotency-Key on every route that makes or changes something."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask, g
from werkzeug.datastructures import Headers

from trivium.server.requests import Once


def keyed(server, method, path, body, key):
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    status, reply, _ = server.request(method, path, body, headers=headers)
    return status, reply


def stop(server, testid):
    """End a session, if that is one."""
    if testid is not None:
        connection = server.connect()
        connection.request("PUT", f"/stop/{testid}")
        assert connection.getresponse().status == 200
        connection.close()


def test_what_is_made_is_made_once(server):
    testcase = server.request("GET", "/testcases")[1][0]["testcaseid"]
    for path in (f"/testcases/{testcase}/select", f"/testcases/{testcase}/select-async", "/fork", "/snapshot"):
        first, second, other = made = [keyed(server, "POST", path, {}, key + path) for key in ("a", "a", "b")]
        assert first == second
        assert first[0] == other[0] == 200
        assert first[1] != other[1]
        for _, reply in made[1:]:
            stop(server, reply.get("testid") or reply["payload"].get("testid"))
    status, reply = keyed(server, "POST", "/snapshot", {}, "a/fork")
    assert (status, reply["message"]) == (409, "This Idempotency-Key was used for another request.")
    specification = {"end_time": 300}
    jobs = [keyed(server, "POST", "/api/run/step", specification, "a job") for _ in range(2)]
    assert jobs[0] == jobs[1]
    assert jobs[0][0] == 202
    assert keyed(server, "POST", "/api/run/step", {"end_time": 600}, "a job")[0] == 409


def test_a_restore_is_done_once(server):
    snapshot = server.request("POST", "/snapshot")[1]["payload"]["snapshot"]
    assert keyed(server, "PUT", "/restore", {"snapshot": snapshot}, "back")[0] == 200
    assert server.request("POST", "/advance", {})[0] == 200
    assert keyed(server, "PUT", "/restore", {"snapshot": snapshot}, "back")[0] == 200
    assert server.request("POST", "/advance", {})[1]["message"].endswith("from 300.0s to 600.0s.")
    headers = {"Content-Type": "application/json", "If-Match": "0"}
    assert server.request("PUT", "/restore", {"snapshot": snapshot}, headers=headers)[0] == 409


def test_each_token_has_keys_of_its_own():
    def key_of(caller, sent="once"):
        with Flask("keys").app_context():
            if caller is not None:
                g.caller = SimpleNamespace(name=caller)
            return Once.from_headers(Headers({"Idempotency-Key": sent})).key

    assert key_of(None) == "once"
    assert len({key_of("anna"), key_of("ben"), key_of(None), key_of("anna", "twice")}) == 4
    assert key_of("anna") == key_of("anna")


@pytest.mark.parametrize("key", ["x" * 201])
def test_a_key_that_is_too_long_is_refused(server, key):
    assert keyed(server, "POST", "/snapshot", {}, key)[0] == 400
