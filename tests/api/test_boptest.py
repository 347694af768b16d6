"""BOPTEST's routes against a real server, called as BOPTEST's own clients call them: requests, a URL, a test id."""

from __future__ import annotations

import numpy as np
import pytest
import requests

from tests.small_plant import CONTROL_NAMES, FAILING, OUTPUT_NAMES, START, disturbance, temperature

CASE = "AlphaDataCenterCooling_Gym"


class Client:
    """What a controller written for BOPTEST does, with nothing changed but the address."""

    def __init__(self, url):
        self.url = url
        self.testid = requests.post(f"{url}/testcases/{CASE}/select", timeout=300).json()["testid"]

    def put(self, route, **given):
        return requests.put(f"{self.url}/{route}/{self.testid}", json=given, timeout=300)

    def get(self, route):
        return requests.get(f"{self.url}/{route}/{self.testid}", timeout=300)

    def post(self, route, given=None, **options):
        return requests.post(f"{self.url}/{route}/{self.testid}", json=given, timeout=300, **options)

    def payload(self, response):
        assert response.status_code == 200, response.text
        assert set(response.json()) == {"status", "message", "payload"}
        assert response.json()["status"] == 200
        return response.json()["payload"]

    def stop(self):
        return requests.put(f"{self.url}/stop/{self.testid}", timeout=300)


@pytest.fixture
def client(small_server):
    client = Client(small_server.url)
    yield client
    client.stop()


def test_a_whole_run_as_the_clients_of_boptest_do_it(small_server):
    url = small_server.url
    assert requests.get(f"{url}/testcases", timeout=300).json() == [{"testcaseid": CASE}]
    client = Client(url)
    assert client.get("status").json() == "Running"
    assert client.payload(client.get("name")) == {"name": CASE}
    assert client.payload(client.get("version")) == {"version": "0.1.0-test"}
    inputs, measurements = client.payload(client.get("inputs")), client.payload(client.get("measurements"))
    assert (list(inputs), list(measurements)) == (CONTROL_NAMES, OUTPUT_NAMES)
    assert all(set(entry) == {"Unit", "Description", "Minimum", "Maximum"} for entry in inputs.values())
    response = client.put("initialize", start_time=900, warmup_period=900)
    assert (
        response.json()["message"] == "Test simulation initialized successfully to 900.0s with warmup period of 900.0s."
    )
    state = client.payload(response)
    assert (state["time"], state["Tchw_supply"]) == (900.0, pytest.approx(temperature(900), abs=1e-5))
    assert client.payload(client.put("step", step=600)) == {"step": 600}
    assert client.payload(client.get("step")) == 600
    assert set(client.payload(client.get("scenario")).values()) == {None}
    for k in range(1, 4):
        response = client.post("advance", {"Tchws_set_HEX": 286.0})
        assert (
            response.json()["message"]
            == f"Advanced simulation successfully from {300.0 + 600 * k}s to {900.0 + 600 * k}s."
        )
        state = client.payload(response)
        assert state["time"] == 900.0 + 600 * k
        ahead = client.payload(client.put("forecast", point_names=["Mchw"], horizon=600, interval=300))
        assert ahead["time"] == [state["time"] + s for s in (0, 300, 600)]
        assert ahead["Mchw"][0] == pytest.approx(disturbance(int(state["time"]) // 300)["Mchw"])
    kpis = client.payload(client.get("kpi"))
    assert {"ener_tot", "cost_tot", "time_rat"} < set(kpis)
    points = [*measurements, *inputs]
    results = client.payload(client.put("results", point_names=points, start_time=900, final_time=10e9))
    assert results["time"] == [900.0 + 300 * k for k in range(7)]
    assert set(results) == {*points, "time"}
    assert all(len(values) == 7 for values in results.values())
    assert results["Tchw_supply"] == pytest.approx([temperature(900 + 300 * k) for k in range(7)], abs=1e-5)
    stopped = client.stop()
    assert (stopped.status_code, stopped.text) == (200, "OK")
    assert client.get("status").status_code == 400


def test_any_start_warm_up_and_step_in_seconds(client):
    response = client.put("initialize", start_time=38099, warmup_period=100)
    state = client.payload(response)
    assert (state["time"], state["Tchw_supply"]) == (38099.0, pytest.approx(temperature(300), abs=1e-5))
    assert client.payload(client.put("step", step=200)) == {"step": 200}
    for k in range(1, 4):
        state = client.payload(client.post("advance", {"Tchws_set_HEX": 286.0}))
        assert state["time"] == 38099.0 + 200 * k
        assert state["Tchw_supply"] == pytest.approx(temperature(300 + 200 * k), abs=1e-5)
    ahead = client.payload(client.put("forecast", point_names=["Mchw"], horizon=400, interval=200))
    assert ahead["time"] == [38699.0, 38899.0, 39099.0]
    assert ahead["Mchw"] == pytest.approx([disturbance(row)["Mchw"] for row in (128, 129, 130)])
    results = client.payload(client.put("results", point_names=["Tcw_supply"], start_time=38099, final_time=1e9))
    assert results["time"] == [38099.0, 38100.0, 38299.0, 38400.0, 38499.0, 38699.0]
    rows = (126, 126, 127, 127, 128, 128)
    assert results["Tcw_supply"] == pytest.approx([disturbance(row)["Twb_outside"] for row in rows])
    kpis = client.payload(client.get("kpi"))
    assert kpis["time_rat"] is not None
    for refused in ({"start_time": -1, "warmup_period": 0}, {"start_time": 0, "warmup_period": -1}):
        assert client.put("initialize", **refused).status_code == 400


def test_the_scenario_runs_out(client):
    client.put("initialize", start_time=0, warmup_period=0, final_time=900)
    client.put("step", step=600)
    times = []
    while state := client.payload(client.post("advance", {})):
        times.append(state["time"])
    assert times == [600.0, 900.0]
    response = client.post("advance", {"CHI01": 1})
    assert response.json() == {
        "status": 200,
        "message": "End of test case scenario time period reached.",
        "payload": {},
    }


def test_form_data_is_taken_as_json_is(client):
    url, testid = client.url, client.testid
    reply = requests.put(f"{url}/initialize/{testid}", data={"start_time": 900, "warmup_period": 300}, timeout=300)
    assert client.payload(reply)["time"] == 900.0
    reply = requests.post(f"{url}/advance/{testid}", data={"CHI01": 1, "Tchws_set_HEX": "286.5"}, timeout=300)
    assert client.payload(reply)["Tchws_set_HEX"] == 286.5
    wanted = {"point_names": ["Tchw_supply", "CHI01"], "start_time": 0, "final_time": 1e9}
    reply = requests.put(f"{url}/results/{testid}", data=wanted, timeout=300)
    assert set(client.payload(reply)) == {"Tchw_supply", "CHI01", "time"}
    reply = requests.put(f"{url}/results/{testid}", data={**wanted, "point_names": "CHI01"}, timeout=300)
    assert client.payload(reply)["CHI01"][-1] == 1.0


def test_out_of_bounds_is_clamped_and_said(client):
    response = client.post("advance", {"CHI01": 5, "CHI02": None})
    assert response.json()["message"] == "WARNING: value of 5.0 for CHI01 is above maximum of 1.0.  Using 1.0. ;"
    assert client.payload(response)["CHI01"] == 1.0


@pytest.mark.parametrize(
    ("method", "route", "given", "message", "payload"),
    [
        ("post", "advance", {"nonsense": 1}, "Unexpected input variable: nonsense.", None),
        ("post", "advance", {"CHI01": "x"}, "Invalid value x for input CHI01. Value must be a float, integer, or string able "
         "to be converted to a float, but is <class 'str'>.", None),
        ("post", "advance", {"CHI01": 0.5, "dry_run": "yes"}, "Invalid value yes for parameter dry_run. Value must be true or "
         "false, but is <class 'str'>.", None),
        ("put", "results", {"point_names": ["x"], "start_time": 0, "final_time": 1}, "Invalid point name x in parameter "
         "point_names.  Check lists of available inputs and measurements.", None),
        ("put", "results", {"point_names": ["CHI01"], "start_time": 0}, "Bad Request", "final_time"),
        ("put", "step", {}, "Bad Request", "step"),
        ("put", "step", {"step": 0}, "Invalid value 0.0 for parameter step. Value must be greater than 0.", None),
        ("put", "forecast", {"point_names": ["Mchw"], "horizon": 1}, "Bad Request", "interval"),
        ("put", "forecast", {"point_names": ["Mchw"], "horizon": -1, "interval": 1}, "Invalid value -1.0 for parameter "
         "horizon. Value must not be negative.", None),
        ("put", "initialize", {"start_time": 0}, "Bad Request", "warmup_period"),
        ("put", "initialize", {"start_time": -300, "warmup_period": 0}, "Invalid value -300.0 for parameter start_time. Value "
         "must not be negative.", None),
        ("put", "initialize", {"start_time": 0, "warmup_period": -1}, "Invalid value -1.0 for parameter warmup_period. Value "
         "must not be negative.", None),
        ("put", "scenario", {"time_period": "peak"}, "Scenario parameter time_period is peak, but should be one of the "
         "following: [].", None),
    ],
)  # fmt: skip
def test_refusals(client, method, route, given, message, payload):
    client.put("initialize", start_time=900, warmup_period=300)
    response = requests.request(method, f"{client.url}/{route}/{client.testid}", json=given, timeout=300)
    assert response.status_code == 400
    assert response.json() == {"status": 400, "message": message, "payload": payload}
    response = client.post("advance", {})
    assert response.json()["message"] == "Advanced simulation successfully from 900.0s to 1200.0s."


@pytest.mark.parametrize(
    ("method", "route"),
    [
        *(("GET", route) for route in ("status", "version", "name", "inputs", "measurements", "step", "forecast_points", "kpi", "scenario")),
        *(("PUT", route) for route in ("stop", "scenario")),
        *(("POST", route) for route in ("advance", "steps", "snapshot", "fork")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("testid", ["unknown", "..%2f..", "0" * 32])
def test_an_unknown_test_id(small_server, method, route, testid):
    response = requests.request(method, f"{small_server.url}/{route}/{testid}", timeout=300)
    if "%2f" in testid:
        assert response.status_code in {400, 404, 405}
        return
    wrong = {"value": testid, "msg": f"Invalid testid: {testid}", "param": "testid", "location": "params"}
    assert (response.status_code, response.json()) == (400, {"errors": [wrong]})


def test_an_unknown_test_case_is_404(small_server):
    assert requests.post(f"{small_server.url}/testcases/nonsense/select", timeout=300).status_code == 404


def test_sessions_are_apart_from_each_other_and_from_the_default_one(server):
    one, two = Client(server.url), Client(server.url)
    one.post("advance", {"Tchws_set_HEX": 290.0})
    two.put("initialize", start_time=900, warmup_period=300)
    assert one.post("advance", {}).json()["message"] == "Advanced simulation successfully from 300.0s to 600.0s."
    assert server.request("POST", "/advance")[1]["message"] == "Advanced simulation successfully from 0.0s to 300.0s."
    listed = {entry["testid"]: entry for entry in server.request("GET", "/sessions")[1]["payload"]}
    assert {one.testid, two.testid} <= set(listed)
    assert (listed[one.testid]["time"], listed[two.testid]["time"]) == (600.0, 900.0)
    for client in (one, two):
        assert client.stop().status_code == 200
    assert not {one.testid, two.testid} & {
        entry["testid"] for entry in server.request("GET", "/sessions")[1]["payload"]
    }


def test_snapshot_restore_fork(client):
    client.put("initialize", start_time=900, warmup_period=300)
    client.post("advance", {"Tchws_set_HEX": 290.0})
    snapshot = client.payload(client.post("snapshot"))["snapshot"]
    actions = [{"Tchws_set_HEX": value} for value in (284.0, 288.0)]
    first = [client.payload(client.post("advance", u)) for u in actions]
    forked = Client.__new__(Client)
    forked.url, forked.testid = client.url, client.payload(client.post("fork", {"snapshot": snapshot}))["testid"]
    assert forked.testid != client.testid
    assert [forked.payload(forked.post("advance", u)) for u in actions] == first
    wanted = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1e9}
    assert forked.payload(forked.put("results", **wanted)) == client.payload(client.put("results", **wanted))
    here = client.payload(client.post("fork"))["testid"]
    assert requests.get(f"{client.url}/status/{here}", timeout=300).json() == "Running"
    client.put("initialize", start_time=1800, warmup_period=300)
    assert client.put("restore", snapshot=snapshot).status_code == 200
    assert [client.payload(client.post("advance", u)) for u in actions] == first
    assert client.payload(client.put("results", **wanted)) == forked.payload(forked.put("results", **wanted))
    for testid in (forked.testid, here):
        requests.put(f"{client.url}/stop/{testid}", timeout=300)


@pytest.mark.parametrize(
    "given", [{}, {"snapshot": "nonsense"}, {"snapshot": "../about"}, {"snapshot": 5}, {"snapshot": ""}]
)
def test_a_snapshot_that_is_not_there(client, given):
    response = client.put("restore", **given)
    assert response.status_code == 400
    assert "snapshot" in response.json()["message"]


def test_looking_ahead(server, client):
    actions = {"Tchws_set_HEX": 284.0}
    for path in (f"/advance/{client.testid}", "/advance"):
        status, seen, _ = server.request("POST", path, {**actions, "dry_run": True})
        assert status == 200
        assert server.request("POST", path, {**actions, "dry_run": False})[1] == seen
    seen = client.payload(client.post("steps", {"steps": 3, "dry_run": True}))
    assert client.payload(client.post("steps", {"steps": 3})) == seen


def test_many_steps_in_json_and_in_columns(client):
    asked = {"trajectory": {"Tchws_set_HEX": [284.0, 288.0, 290.0]}, "point_names": ["Tchw_supply", "Tchws_set_HEX"]}
    told = client.post("steps", asked | {"dry_run": True})
    payload = client.payload(told)
    assert told.headers["Content-Type"] == "application/json"
    assert (payload["steps"], payload["error"]) == (3, None)
    assert payload["columns"]["Tchws_set_HEX"] == [284.0, 288.0, 290.0]
    response = client.post("steps", asked, headers={"Accept": "application/x-npz"})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-npz")
    arrays = load(response)
    assert arrays["names"].tolist() == [b"Tchw_supply", b"Tchws_set_HEX"]
    assert arrays["time"].tolist() == payload["columns"]["time"] == [300.0, 600.0, 900.0]
    assert arrays["values"].tolist() == [payload["columns"]["Tchw_supply"], payload["columns"]["Tchws_set_HEX"]]
    import json

    reply = json.loads(arrays["reply"].tobytes())
    assert reply == {"status": 200, "message": "Advanced simulation successfully from 0.0s to 900.0s in 3 steps.",
                     "payload": {"steps": 3, "error": None}}  # fmt: skip
    wanted = {"point_names": ["Tchw_supply", "Head_required"], "start_time": 0, "final_time": 900}
    response = requests.put(
        f"{client.url}/results/{client.testid}",
        json=wanted,
        headers={"Accept": "application/x-npz, */*;q=0.1"},
        timeout=300,
    )
    arrays = load(response)
    assert arrays["values"].shape == (2, 4)
    assert np.isnan(arrays["values"][1, 0])
    assert arrays["values"][0, 0] == START


def load(response):
    import io

    with np.load(io.BytesIO(response.content), allow_pickle=False) as archive:
        return dict(archive)


def test_many_steps_up_to_the_first_failure(client):
    asked = {"trajectory": [{}, {}, {FAILING: 1}, {}], "point_names": ["Tchw_supply"]}
    response = client.post("steps", asked)
    assert (response.status_code, response.json()["payload"]) == (500, None)
    payload = client.payload(client.post("steps", asked | {"atomic": False}))
    assert (payload["steps"], payload["error"]["step"], payload["error"]["status"]) == (2, 3, 500)
    assert payload["columns"]["Tchw_supply"] == pytest.approx([temperature(300), temperature(600)], abs=1e-5)
    assert client.post("advance", {}).json()["message"] == "Advanced simulation successfully from 600.0s to 900.0s."


def test_many_steps_are_refused_as_one(client):
    response = client.post("steps", {"steps": "x"})
    assert response.status_code == 400
    assert "parameter steps" in response.json()["message"]


def test_the_clock_that_a_client_believes_in(client):
    assert client.post("advance", {}, headers={"If-Match": '"0.0"'}).status_code == 200
    response = client.post("advance", {}, headers={"If-Match": "0"})
    assert (response.status_code, response.json()["status"]) == (409, 409)
    assert "300.0s" in response.json()["message"]
    assert client.post("advance", {}, headers={"If-Match": "x"}).status_code == 400
    assert client.post("steps", {}, headers={"If-Match": "300"}).status_code == 200
    assert client.post("advance", {}).json()["message"] == "Advanced simulation successfully from 600.0s to 900.0s."


def test_a_request_that_comes_twice_is_done_once(client):
    headers = {"Idempotency-Key": "a"}
    first = client.post("advance", {"CHI01": 1}, headers=headers).json()
    assert client.post("advance", {"CHI01": 1}, headers=headers).json() == first
    assert client.post("advance", {"CHI01": 0}, headers=headers).status_code == 409
    assert client.post("advance", {}).json()["message"] == "Advanced simulation successfully from 300.0s to 600.0s."


def test_requests_have_ids(server):
    assert server.request("GET", "/step", headers={"X-Request-Id": "abc-1"})[2]["X-Request-Id"] == "abc-1"
    made = [
        server.request("GET", "/step", headers={"X-Request-Id": given})[2]["X-Request-Id"]
        for given in ("", "a b", "x" * 200)
    ]
    assert len({*made}) == 3
    assert all(given.isalnum() for given in made)
    assert server.request("GET", "/nonsense")[2]["X-Request-Id"]


def test_stop_all(server):
    clients = [Client(server.url) for _ in range(2)]
    server.request("POST", "/advance")
    status, reply, _ = server.request("PUT", "/stop")
    assert status == 200
    assert reply["payload"]["stopped"] >= 2
    assert all(client.get("status").status_code == 400 for client in clients)
    assert server.request("POST", "/advance")[1]["message"] == "Advanced simulation successfully from 0.0s to 300.0s."
