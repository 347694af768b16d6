"""How forgiving the server is: clamped inputs, JSON booleans, windows without end, compressed bodies and replies."""

from __future__ import annotations

import gzip
import http.client
import json

import pytest
import requests

from tests.server import Server
from trivium.server.compression import LEAST


@pytest.fixture(scope="module")
def url(small_server):
    return small_server.url


@pytest.fixture
def testid(url):
    case = requests.get(f"{url}/testcases", timeout=60).json()[0]["testcaseid"]
    testid = requests.post(f"{url}/testcases/{case}/select", timeout=60).json()["testid"]
    yield testid
    requests.put(f"{url}/stop/{testid}", timeout=60)


def put(url, route, body, **options):
    data = json.dumps(body) if not isinstance(body, str | bytes) else body
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    return requests.put(f"{url}/{route}", data=data, headers=headers, timeout=60, **options)


def test_an_input_out_of_its_bounds_is_clamped_without_a_test_id(url):
    put(url, "initialize", {"start_time": 0})
    reply = requests.post(f"{url}/advance", json={"CHI01": 2, "CDWP01_rpm": -3}, timeout=60)
    assert (reply.status_code, reply.json()["payload"]["CHI01"], reply.json()["payload"]["CDWP01_rpm"]) == (
        200,
        1.0,
        0.0,
    )
    assert reply.json()["message"] == (
        "Advanced simulation successfully from 0.0s to 300.0s. "
        "WARNING: value of -3.0 for CDWP01_rpm is below minimum of 0.0.  Using 0.0. ;"
        "WARNING: value of 2.0 for CHI01 is above maximum of 1.0.  Using 1.0. ;"
    )
    ahead = requests.post(f"{url}/advance", json={"CHI01": 2, "dry_run": True}, timeout=60)
    assert "WARNING: value of 2.0 for CHI01" in ahead.json()["message"]
    for body in ({"CHI01": 2, "clamp": False}, {"CHI01": float("nan")}, {"CHI01": "Infinity"}, {"nonsense": 1}):
        refused = requests.post(f"{url}/advance", data=json.dumps(body), headers={"Content-Type": "application/json"}, timeout=60)  # fmt: skip
        assert (refused.status_code, "CHI01" in refused.text or "nonsense" in refused.text) == (400, True)


def test_a_step_past_the_end_is_refused_without_a_test_id(url):
    put(url, "initialize", {"start_time": 0, "end_time": 300})
    assert requests.post(f"{url}/advance", json={"CHI01": 2}, timeout=60).status_code == 200
    refused = requests.post(f"{url}/advance", json={"CHI01": 2}, timeout=60)
    assert (refused.status_code, "the simulation ends at 300.0s" in refused.json()["message"]) == (400, True)
    cut = requests.post(f"{url}/advance", json={"CHI01": 2, "clamp": True}, timeout=60)
    assert cut.json() == {"status": 200, "message": "End of test case scenario time period reached.", "payload": {}}


@pytest.mark.parametrize("value", [True, False])
def test_json_booleans_switch_on_every_route(url, testid, value):
    put(url, "initialize", {"start_time": 0})
    put(url, f"initialize/{testid}", {"start_time": 0, "warmup_period": 0})
    for route in ("advance", f"advance/{testid}"):
        reply = requests.post(f"{url}/{route}", json={"CHI01": value}, timeout=60)
        assert (reply.status_code, reply.json()["payload"]["CHI01"]) == (200, float(value)), reply.text
    for body in ({"action": {"CHI01": value}}, {"trajectory": [{"CHI01": value}]}):
        reply = requests.post(f"{url}/steps", json={**body, "point_names": ["CHI01"]}, timeout=60)
        assert (reply.status_code, reply.json()["payload"]["columns"]["CHI01"]) == (200, [float(value)]), reply.text
    assert requests.post(f"{url}/advance/{testid}", json={"CDWP01_rpm": value}, timeout=60).status_code == 400


@pytest.mark.parametrize(
    "window",
    [
        '"start_time": -Infinity, "final_time": Infinity',
        '"start_time": "-Infinity", "final_time": "Infinity"',
        '"start_time": "-inf", "final_time": "inf"',
        '"start_time": 0, "final_time": "inf"',
        '"start_time": -1e30, "final_time": 1e30',
    ],
)
def test_results_of_a_window_without_end(url, testid, window):
    put(url, "initialize", {"start_time": 0})
    put(url, f"initialize/{testid}", {"start_time": 0, "warmup_period": 0})
    for route, step in (("results", "advance"), (f"results/{testid}", f"advance/{testid}")):
        requests.post(f"{url}/{step}", json={}, timeout=60)
        reply = put(url, route, f'{{"point_names": ["Tchw_supply"], {window}}}')
        assert reply.json()["payload"]["time"] == [0.0, 300.0], reply.text
        assert put(url, route, '{"point_names": [], "start_time": NaN, "final_time": 1}').status_code == 400


def test_windows_without_end_in_forms_and_queries(url, testid):
    put(url, f"initialize/{testid}", {"start_time": 0, "warmup_period": 0})
    form = {"point_names": ["Tchw_supply"], "start_time": "-inf", "final_time": float("inf")}
    reply = requests.put(f"{url}/results/{testid}", data=form, timeout=60)
    assert reply.json()["payload"]["time"] == [0.0]
    for route in ("kpi", f"kpi/{testid}"):
        query = {"start_time": "-inf", "final_time": "Infinity"}
        assert requests.get(f"{url}/{route}", params=query, timeout=60).status_code == 200
        assert requests.get(f"{url}/{route}", params={"start_time": "nan"}, timeout=60).status_code == 400


@pytest.mark.parametrize("route", ["advance", "results", "initialize"])
def test_a_compressed_body_is_refused_by_its_name(url, testid, route):
    method = "POST" if route == "advance" else "PUT"
    for address in (route, f"{route}/{testid}"):
        reply = requests.request(
            method, f"{url}/{address}", data=gzip.compress(b"{}"), timeout=60,
            headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        )  # fmt: skip
        assert reply.status_code == 415
        assert "Content-Encoding: gzip" in reply.json()["message"]


def test_long_replies_are_compressed_where_the_client_accepts_it(small_server: Server):
    url = small_server.url
    put(url, "initialize", {"start_time": 0})
    requests.post(f"{url}/steps", json={"steps": 100}, timeout=60)
    names = list(requests.get(f"{url}/measurements", timeout=60).json()["payload"])
    body = json.dumps({"point_names": names, "start_time": "-inf", "final_time": "inf"})

    def ask(accepted, method="PUT", path="/results", sent=body):
        connection = http.client.HTTPConnection("127.0.0.1", small_server.port, timeout=60)
        headers = {"Content-Type": "application/json"} | ({} if accepted is None else {"Accept-Encoding": accepted})
        connection.request(method, path, sent, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response, data

    plain, expected = ask(None)
    assert plain.headers["Content-Encoding"] is None
    assert len(expected) > LEAST
    for accepted in ("gzip", "gzip, deflate, br", "*", "deflate;q=0.5, gzip;q=0.1"):
        response, data = ask(accepted)
        assert (response.headers["Content-Encoding"], "Accept-Encoding" in response.headers["Vary"]) == ("gzip", True)
        assert len(data) < len(expected) / 2
        assert gzip.decompress(data) == expected
    for refused in ("identity", "gzip;q=0", "deflate"):
        assert ask(refused)[0].headers["Content-Encoding"] is None
    step, _ = ask("gzip", "POST", "/advance", "{}")
    assert (step.status, step.headers["Content-Encoding"]) == (200, None)
