"""Requests that must be refused: a 4xx envelope that names the field, and nothing changed."""

from __future__ import annotations

import json
import math
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_plant import CONTROL_NAMES, FAILING, temperature


def standing(server):
    wanted = {"point_names": ["Tchw_supply", "CHI01"], "start_time": 0, "final_time": 1e9}
    return server.request("GET", "/step")[1], server.request("PUT", "/results", wanted)[1]


def refused(server, method, path, expected, named, **request):
    before = standing(server)
    status, reply, _ = server.request(method, path, **request)
    assert status == expected == reply["status"]
    assert set(reply) == {"status", "message", "payload"}
    assert named in reply["message"]
    assert standing(server) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/advance", {"nonsense": 1}, "nonsense"),
        ("POST", "/advance", {"x" * 5000: 1}, "xxx"),
        ("POST", "/advance", {"time": 0}, "time"),
        ("POST", "/advance", {"Mchw": 100}, "Mchw"),
        ("POST", "/advance", {"CHI01": "x"}, "CHI01"),
        ("POST", "/advance", {"CHI01": ""}, "CHI01"),
        ("POST", "/advance", {"CDWP01_rpm": True}, "CDWP01_rpm"),
        ("POST", "/advance", {"CHI01": [1]}, "CHI01"),
        ("POST", "/advance", {"CHI01": {"value": 1}}, "CHI01"),
        ("POST", "/advance", {"CHI01": float("nan")}, "CHI01"),
        ("POST", "/advance", {"CHI01": float("inf")}, "CHI01"),
        ("POST", "/advance", {"CHI01": "-Infinity"}, "CHI01"),
        ("POST", "/advance", {"CHI01": 10**400}, "CHI01"),
        ("POST", "/advance", {"CHI01": 1.0001, "clamp": False}, "maximum 1.0"),
        ("POST", "/advance", {"CDWP01_rpm": -1, "clamp": False}, "minimum 0.0"),
        ("PUT", "/initialize", {}, "start_time"),
        ("PUT", "/initialize", {"start_time": None}, "start_time"),
        ("PUT", "/initialize", {"start_time": -300}, "start_time"),
        ("PUT", "/initialize", {"start_time": 1}, "start_time"),
        ("PUT", "/initialize", {"start_time": True}, "start_time"),
        ("PUT", "/initialize", {"start_time": float("nan")}, "start_time"),
        ("PUT", "/initialize", {"start_time": 100}, "start_time. Value must be  0 or a multiple of 300 ."),
        ("PUT", "/initialize", {"start_time": 0, "end_time": 301}, "end_time. Value must be  0 or a multiple of 300 ."),
        ("PUT", "/initialize", {"start_time": 600, "end_time": 300}, "end_time"),
        ("PUT", "/initialize", {"start_time": 0, "end_time": 0}, "end_time"),
        ("PUT", "/initialize", {"start_time": 0, "end_time": 10**9 * 300}, "end_time"),
        ("PUT", "/initialize", {"start_time": 0, "warmup_period": 300}, "warmup_period"),
        ("PUT", "/step", {}, "step"),
        ("PUT", "/step", {"step": 0}, "step"),
        ("PUT", "/step", {"step": -300}, "step"),
        ("PUT", "/step", {"step": 100}, "step"),
        ("PUT", "/step", {"step": float("inf")}, "step"),
        ("PUT", "/step", {"step": "a"}, "step"),
        ("PUT", "/step", {"step": False}, "step"),
        ("PUT", "/results", {"start_time": 0, "final_time": 1}, "point_names"),
        ("PUT", "/results", {"point_names": ["nonsense"], "start_time": 0, "final_time": 1}, "nonsense"),
        ("PUT", "/results", {"point_names": [["C"]], "start_time": 0, "final_time": 1}, "point_names"),
        ("PUT", "/results", {"point_names": [], "start_time": 2, "final_time": 1}, "final_time"),
        ("PUT", "/results", {"point_names": [], "start_time": "x", "final_time": 1}, "start_time"),
        ("PUT", "/results", {"point_names": [], "start_time": "nan", "final_time": 1}, "start_time"),
        ("PUT", "/results", {"point_names": [], "start_time": "inf", "final_time": 1}, "final_time"),
        ("PUT", "/results", {"point_names": [], "start_time": 0, "final_time": 1, "more": 1}, "more"),
    ],
)
def test_bad_values(server, method, path, body, named):
    refused(server, method, path, 400, named, body=body)


@pytest.mark.parametrize(
    "raw",
    [b"{", b"nonsense", b"[1, 2]", b'"CHI01"', b"1", b"null", b'{"CHI01": 1,}', b"\xff\xfe{}", b"[" * 100_000, b"{}{}"],
)
def test_malformed_bodies(server, raw):
    refused(server, "POST", "/advance", 400, "JSON", raw=raw)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
def test_a_wrong_content_type(server, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    refused(server, "POST", "/advance", 415, "Content-Type", raw=b'{"CHI01": 1}', headers=headers)


@pytest.mark.parametrize("size", [2**20 + 1, 20 * 2**20])
def test_a_body_that_is_too_large(server, size):
    body = b'{"CHI01": "' + b"1" * size + b'"}'
    refused(server, "POST", "/advance", 413, "1048576", raw=body)


def test_a_large_body_within_the_limit_is_read(server):
    body = {name: 0 for name in CONTROL_NAMES if name.startswith("CHI")} | {"CHI01": "0" * 900_000}
    assert server.request("POST", "/advance", body)[0] == 200


def test_a_chunked_body_that_is_too_large(server):
    before = standing(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=300) as sock:
        sock.sendall(
            b"POST /advance HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(17):
            sock.sendall(chunk)
        sock.sendall(b"0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 413")
    assert standing(server) == before


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("GET", "/nonsense", 404), ("GET", "/advance", 405), ("DELETE", "/step", 405), ("POST", "/initialize", 405)],
)
def test_unknown_routes_and_methods_answer_in_the_envelope(server, method, path, expected):
    status, reply, _ = server.request(method, path)
    assert (status, reply["status"], reply["payload"]) == (expected, expected, None)


def test_browsers_of_other_origins_get_no_leave(server):
    _, _, headers = server.request("GET", "/name", headers={"Origin": "http://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in headers


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(CONTROL_NAMES) | st.text(max_size=8), anything, max_size=4))
def test_whatever_comes_is_answered_in_the_envelope(server, body):
    _, before, _ = server.request("PUT", "/results", {"point_names": [], "start_time": 0, "final_time": 1e9})
    status, reply, _ = server.request("POST", "/advance", raw=json.dumps(body).encode())
    _, after, _ = server.request("PUT", "/results", {"point_names": [], "start_time": 0, "final_time": 1e9})
    assert status == reply["status"]
    if status == 200:
        assert len(after["payload"]["time"]) == len(before["payload"]["time"]) + 1
        _, bounds, _ = server.request("GET", "/inputs")
        for name, value in body.items():
            if value is not None:  # without a test id what is out of bounds is brought within them
                low, high = (bounds["payload"][name][bound] for bound in ("Minimum", "Maximum"))
                within = min(max(float(value), -math.inf if low is None else low), math.inf if high is None else high)
                assert abs(reply["payload"][name] - within) < (1 if high == 1 else 1e-9 * (1 + abs(within)))
    else:
        assert status == 400 or (status == 500 and float(body[FAILING]) > 0)  # told to burst, the plant fails
        assert after == before
    if FAILING in body or len(after["payload"]["time"]) > 300:  # once opened, it would burst later
        server.request("PUT", "/initialize", {"start_time": 0})


def test_after_all_refusals_the_session_goes_on(server):
    for body in ({"CHI01": float("nan")}, {"nonsense": 1}, {"CHI01": 7, "clamp": False}):
        assert server.request("POST", "/advance", body)[0] == 400
    _, reply, _ = server.request("POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 0.0s to 300.0s."
    assert reply["payload"]["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
