"""Indicators, scenarios and forecasts of the default test case, over HTTP and across the death of its process."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.processes import kill
from tests.server import Server

POWERS = ["P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum"]


@pytest.fixture(scope="module")
def server(resources, state_dir):
    with Server(resources, state_dir) as server:
        yield server


@pytest.fixture(params=["", "selected"])
def suffix(server, request):
    """The default session, or one with a test id."""
    if not request.param:
        server.request("PUT", "/initialize", {"start_time": 0})
        yield ""
        return
    testid = server.request("POST", "/testcases/AlphaDataCenterCooling_Gym/select")[1]["testid"]
    yield f"/{testid}"
    assert http_status(server, "PUT", f"/stop/{testid}") == 200


def http_status(server, method, path):
    """Of a reply that is no JSON."""
    connection = server.connect()
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


def payload(server, method, path, body=None):
    status, reply, _ = server.request(method, path, body)
    assert status == 200, reply
    return reply["payload"]


def energy(server, suffix, start, end):
    window = {"point_names": POWERS, "start_time": start, "final_time": end}
    frame = pd.DataFrame(payload(server, "PUT", f"/results{suffix}", window)).set_index("time")
    return frame.iloc[1:].sum(axis=1).sum() / 12e3


def test_indicators_over_http(server, suffix):
    for _ in range(6):
        payload(server, "POST", f"/advance{suffix}", {})
    kpis = payload(server, "GET", f"/kpi{suffix}")
    assert kpis["ener_tot"] == pytest.approx(energy(server, suffix, 0, 1800))
    assert kpis["time_rat"] > 0
    assert set(payload(server, "GET", f"/kpi{suffix}?names=pue,ener_tot")) == {"pue", "ener_tot"}
    window = payload(server, "GET", f"/kpi{suffix}?names=ener_tot&start_time=600&final_time=1200")
    assert window["ener_tot"] == pytest.approx(energy(server, suffix, 600, 1200))
    assert payload(server, "GET", f"/kpi_points{suffix}")["wue"]["Unit"] == "l/kWh"
    many = payload(server, "POST", f"/steps{suffix}", {"steps": 3, "point_names": []})
    assert many["steps"] == 3
    after = payload(server, "GET", f"/kpi{suffix}?names=ener_tot")["ener_tot"]
    assert after == pytest.approx(energy(server, suffix, 0, 2700))


def test_they_survive_the_death_of_the_process(server, suffix):
    payload(server, "PUT", f"/scenario{suffix}", {"electricity_price": "dynamic", "temperature_uncertainty": "low"})
    for _ in range(4):
        payload(server, "POST", f"/advance{suffix}", {})
    asked = f"/kpi{suffix}?names=ener_tot,cost_tot,pele_tot"
    before = payload(server, "GET", asked), payload(server, "GET", f"/scenario{suffix}")
    assert before[0]["cost_tot"] > 0
    kill(*server.hosts())
    assert (payload(server, "GET", asked), payload(server, "GET", f"/scenario{suffix}")) == before


def test_faults_over_http_survive_the_death_of_the_process(server, suffix):
    payload(server, "POST", f"/advance{suffix}", {})
    window = {"point_names": ["Twb_outside"], "start_time": 0, "final_time": "Infinity"}
    start = payload(server, "PUT", f"/results{suffix}", window)["time"][-1]
    fault = {"kind": "condition", "signal": "Twb_outside", "start": start + 450, "end": start + 750, "size": 280.25}
    assert payload(server, "PUT", f"/scenario{suffix}", {"faults": [fault]})["faults"] == [fault]
    payload(server, "POST", f"/advance{suffix}", {})
    kill(*server.hosts())
    assert payload(server, "GET", f"/scenario{suffix}")["faults"] == [fault]
    for _ in range(3):
        payload(server, "POST", f"/advance{suffix}", {})
    recorded = payload(server, "PUT", f"/results{suffix}", window)
    acted = [time for time, value in zip(recorded["time"], recorded["Twb_outside"], strict=True) if value == 280.25]
    assert acted == [start + 600, start + 750]  # a row ends where a part of a step does
    payload(server, "PUT", f"/scenario{suffix}", {"faults": []})
    assert "faults" not in payload(server, "GET", f"/scenario{suffix}")


def test_a_fork_and_a_restore_have_their_own(server, suffix):
    payload(server, "POST", f"/advance{suffix}", {})
    snapshot = payload(server, "POST", f"/snapshot{suffix}")["snapshot"]
    kept = payload(server, "GET", f"/kpi{suffix}?names=ener_tot")
    forked = payload(server, "POST", f"/fork{suffix}")["testid"]
    payload(server, "POST", f"/advance{suffix}", {})
    assert payload(server, "GET", f"/kpi/{forked}?names=ener_tot") == kept
    assert payload(server, "GET", f"/kpi{suffix}?names=ener_tot") != kept
    payload(server, "PUT", f"/restore{suffix}", {"snapshot": snapshot})
    assert payload(server, "GET", f"/kpi{suffix}?names=ener_tot") == kept
    assert http_status(server, "PUT", f"/stop/{forked}") == 200


def test_a_time_period(server, suffix):
    said = payload(server, "PUT", f"/scenario{suffix}", {"time_period": "winter", "electricity_price": "constant"})
    assert said["time_period"]["time"] == 23932800
    reply = server.request("POST", f"/advance{suffix}", {})[1]
    assert reply["message"] == "Advanced simulation successfully from 23932800.0s to 23933100.0s."
    assert payload(server, "GET", f"/scenario{suffix}")["time_period"] == "winter"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/kpi{}?names=pue,nonsense", None, "Invalid value nonsense for parameter names"),
        ("GET", "/kpi{}?start_time=soon", None, "Invalid value soon for parameter start_time"),
        ("GET", "/kpi{}?start_time=600&final_time=300", None, "must not be less than start_time"),
        ("PUT", "/scenario{}", {"time_period": "summer"}, "should be one of the following: ['winter', 'mild'"),
        ("PUT", "/scenario{}", {"electricity_price": 3}, "Scenario parameter electricity_price is 3"),
        ("PUT", "/scenario{}", {"season": "winter"}, "Bad input for parameter season"),
        ("PUT", "/scenario{}", {"faults": "all"}, "Scenario parameter faults is all, but should be a list"),
        (
            "PUT",
            "/scenario{}",
            {"faults": [{"kind": "rust", "signal": "Twb_outside", "start": 0, "end": 1, "size": 280}]},
            "faults[0].kind is rust, but should be one of the following: ['condition', 'wear']",
        ),
        ("PUT", "/forecast{}", {"point_names": ["Mchw"], "horizon": -1, "interval": 300}, "parameter horizon"),
        ("PUT", "/forecast{}", {"point_names": [["Mchw"]], "horizon": 0, "interval": 300}, "point_names"),
    ],
)
def test_what_is_wrong_is_named(server, suffix, method, path, body, said):
    status, reply, _ = server.request(method, path.format(suffix), body)
    assert status == 400
    assert said in reply["message"]


def test_an_unknown_parameter_of_the_address(server, suffix):
    status, reply, _ = server.request("GET", f"/kpi{suffix}?name=pue")
    assert status == (200 if suffix else 400), reply
