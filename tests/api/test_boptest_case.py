"""A test case inside an FMU, as BOPTEST packs it, over HTTP: registered, selected and used as BOPTEST's clients do."""

from __future__ import annotations

import numpy as np
import pytest
import requests

from tests import boptest_case
from tests.server import Server


@pytest.fixture(scope="module")
def served(own_fmu, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    boptest_case.write(own_fmu("room", "2.0"), folder / "room.fmu")
    points = '{"AirZoneTemperature[south]": ["rea_T_y"], "ElectricPower": ["rea_P_y"]}'
    boptest_case.write(own_fmu("room", "2.0"), folder / "bare.fmu", **{"kpis.json": points, "prices.csv": None})
    variables = {"TRIVIUM_TESTCASES": str(folder), "TRIVIUM_MAX_SESSIONS": "3", "TRIVIUM_RECLAIM_AFTER": "0"}
    with Server(folder / "room.fmu", tmp_path_factory.mktemp("state"), **variables) as server:
        for file in ("room.fmu", "bare.fmu"):
            added = requests.post(f"{server.url}/testcases", json={"file": file}, timeout=120)
            assert added.status_code == 200, added.text
        yield server


@pytest.fixture
def call(served):
    testid = requests.post(f"{served.url}/testcases/room/select", timeout=60).json()["testid"]

    def call(method, route, body=None):
        reply = requests.request(method, f"{served.url}/{route}/{testid}", json=body, timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.json()["payload"]

    yield call
    requests.put(f"{served.url}/stop/{testid}", timeout=60)


def test_one_reader_for_all_ways(served, call):
    names = [case["testcaseid"] for case in requests.get(f"{served.url}/testcases", timeout=60).json()]
    assert names == ["own_room", "room", "bare"]  # the default one has its own name
    assert requests.get(f"{served.url}/name", timeout=60).json()["payload"] == {"name": "own_room"}
    assert requests.get(f"{served.url}/step", timeout=60).json()["payload"] == 900
    assert call("GET", "name") == {"name": "own_room"}
    assert call("GET", "step") == 900
    assert call("GET", "scenario")["electricity_price"] == "constant"


def test_points_are_worded_as_by_boptest(call):
    assert call("GET", "inputs") == {
        "heat_u": {"Unit": "W", "Description": "Power of the heater", "Minimum": 0.0, "Maximum": 2000.0},
        "heat_activate": {
            "Unit": None, "Description": "Activation for Power of the heater", "Minimum": None, "Maximum": None,
        },
    }  # fmt: skip
    assert set(call("GET", "measurements")) == {"rea_T_y", "rea_CO2_y", "rea_P_y", "rea_gas_y", "rea_dih_y"}
    points = call("GET", "forecast_points")
    assert points["PriceGasPower"]["Unit"] == "($/Euro)/kWh"
    assert all(set(point) == {"Unit", "Description"} for point in points.values())


def test_a_test_of_a_period_runs_to_its_end(call):
    begun = call("PUT", "scenario", {"time_period": "cold_day", "electricity_price": "dynamic"})
    assert begun["time_period"]["time"] == 5 * 86400
    assert call("PUT", "step", {"step": 5 * 86400}) == {"step": 5 * 86400}
    times = []
    while state := call("POST", "advance", {"heat_activate": 1, "heat_u": 700}):
        times.append(state["time"] / 86400)
        assert state["heat_u"] == 700
    assert times == [10, 15, 19]
    kpis = call("GET", "kpi")
    assert set(kpis) == {
        "tdis_tot", "idis_tot", "ener_tot", "cost_tot", "emis_tot", "pele_tot", "pgas_tot", "pdih_tot", "time_rat",
    }  # fmt: skip
    assert kpis["pele_tot"] == pytest.approx(700 / 3 / 40 / 1000)
    results = call(
        "PUT", "results", {"point_names": ["rea_P_y"], "start_time": 6 * 86400, "final_time": 6 * 86400 + 90}
    )
    assert np.diff(results["time"]).tolist() == [30.0] * 3


def test_indicators_without_data_are_null_and_the_reply_says_why(served):
    testid = requests.post(f"{served.url}/testcases/bare/select", timeout=60).json()["testid"]
    reply = requests.get(f"{served.url}/kpi/{testid}", timeout=60).json()
    assert reply["payload"]["cost_tot"] is None
    assert reply["payload"]["ener_tot"] == 0.0
    for part in (
        "Queried KPIs successfully. Null: ",
        "cost_tot, the data of the test case has no column PriceElectricPowerConstant",
        "tdis_tot, the data of the test case has no column LowerSetp[south]",
        "pgas_tot, the test case names no signals for it",
    ):
        assert part in reply["message"]


def test_clients_that_never_stop_keep_nobody_out(served):
    """More than ever run: each next one is answered, and all that came before go on."""
    testids = [requests.post(f"{served.url}/testcases/room/select", timeout=60).json()["testid"] for _ in range(12)]
    sessions = requests.get(f"{served.url}/sessions", timeout=60).json()["payload"]
    about = {session["testid"]: session for session in sessions}
    assert set(testids) <= set(about)
    assert all(about[testid]["owner"] is None and about[testid]["last_used"] > 0 for testid in testids)
    for testid in (testids[0], testids[-1]):
        reply = requests.post(f"{served.url}/advance/{testid}", json={}, timeout=60)
        assert reply.json()["message"] == "Advanced simulation successfully from 7200.0s to 8100.0s."
    for testid in testids:
        requests.put(f"{served.url}/stop/{testid}", timeout=60)


def test_a_test_case_is_removed_with_its_sessions(served):
    testid = requests.post(f"{served.url}/testcases/bare/select", timeout=60).json()["testid"]
    assert requests.delete(f"{served.url}/testcases/nonsense", timeout=60).status_code == 404
    reply = requests.delete(f"{served.url}/testcases/own_room", timeout=60)
    assert (reply.status_code, "is the default one" in reply.json()["message"]) == (400, True)
    reply = requests.delete(f"{served.url}/testcases/bare", timeout=60).json()
    assert reply["payload"]["stopped"] >= 1
    assert requests.get(f"{served.url}/name/{testid}", timeout=60).status_code in (400, 404)
    assert "bare" not in str(requests.get(f"{served.url}/testcases", timeout=60).json())
