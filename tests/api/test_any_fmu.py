"""A server of FMUs alone, against fmpy.simulate_fmu of the same FMU and known solutions."""

from __future__ import annotations

import math
import signal
import sys

import fmpy
import numpy as np
import pytest
import requests

from tests.own_fmus import state
from tests.processes import kill
from tests.server import Server

CHOSEN = {"x": 3.5, "tau": 4, "gain": 5, "inverted": True, "label": "heating"}
NUMBERS = {name: value for name, value in CHOSEN.items() if name != "label"}


@pytest.fixture(scope="module", params=["2.0", *(pytest.param(v, marks=pytest.mark.slow) for v in ("3.0", "1.0"))])
def linear(request, own_fmu, tmp_path_factory):
    """Server and FMU; that of FMI 1.0 cannot serialize its state."""
    fmu = own_fmu("linear", request.param)
    with Server(fmu, tmp_path_factory.mktemp("state")) as server:
        yield server, fmu


@pytest.fixture(scope="module")
def overwritten(own_fmu, tmp_path_factory):
    with Server(own_fmu("overwrite", "2.0"), tmp_path_factory.mktemp("state")) as server:
        yield server


def simulated(fmu, stop, step, start=0.0, inputs=None, start_values=None, output=("x", "y")):
    return fmpy.simulate_fmu(
        str(fmu), fmi_type="CoSimulation", start_time=start, stop_time=stop, output_interval=step, input=inputs,
        start_values=start_values or {}, output=output, relative_tolerance=1e-9, set_stop_time=False,
    )  # fmt: skip


def ask(server, method, path, body=None, status=200):
    found, reply, _ = server.request(method, path, body)
    assert found == status, reply
    return reply


def payload(server, method, path, body=None):
    return ask(server, method, path, body)["payload"]


def test_an_fmu_alone_tells_what_it_has(linear):
    server, fmu = linear
    assert payload(server, "GET", "/name") == {"name": fmu.stem}
    assert list(payload(server, "GET", "/inputs")) == ["u"]
    assert list(payload(server, "GET", "/measurements")) == ["x", "y", "tenfold", "high"]
    parameters = payload(server, "GET", "/parameters")
    assert {name: (entry["Start"], entry["Type"]) for name, entry in parameters.items()} == {
        "x": (1.0, "real"), "tau": (10.0, "real"), "gain": (2.0, "integer"), "inverted": (0.0, "boolean"),
        "label": ("cooling", "text"),
    }  # fmt: skip


def test_a_simulation_with_start_values_is_that_of_fmpy(linear):
    server, fmu = linear
    reply = ask(server, "PUT", "/initialize", {"start_time": 2.5, "start_values": CHOSEN})
    assert reply["message"] == "Simulation initialized successfully to 2.5s."
    assert (reply["payload"]["y"], reply["payload"]["echo"]) == (-17.5, "heating")
    ask(server, "PUT", "/step", {"step": 0.1})
    inputs = np.array([(2.5, 1.0)], dtype=[("time", float), ("u", float)])
    reference = simulated(fmu, 5.0, 0.1, 2.5, inputs, NUMBERS)
    replies = [ask(server, "POST", "/advance", {"u": 1}) for _ in range(5)]
    assert [reply["payload"]["y"] for reply in replies] == pytest.approx(reference["y"][1:6], rel=1e-12)
    assert replies[2]["message"] == "Advanced simulation successfully from 2.7s to 2.8s."
    assert {reply["payload"]["echo"] for reply in replies} == {"heating"}
    columns = payload(server, "POST", "/steps", {"steps": 20, "point_names": ["x", "y"]})["columns"]
    assert columns["y"] == pytest.approx(reference["y"][6:], rel=1e-12)
    assert columns["time"] == [(25 + k) / 10 for k in range(6, 26)]
    results = payload(
        server, "PUT", "/results", {"point_names": ["x", "u"], "start_time": 2.5 + 3 * 0.1, "final_time": 5}
    )
    assert results["time"] == [(25 + k) / 10 for k in range(3, 26)]
    assert results["x"] == pytest.approx(reference["x"][3:], rel=1e-12)


def test_start_values_that_are_refused_change_nothing(linear):
    server, _ = linear
    ask(server, "PUT", "/step", {"step": 0.5})
    ask(server, "PUT", "/initialize", {"start_time": 0, "start_values": {"gain": 7}})
    for values, said in (
        ({"nonsense": 1}, "Unexpected name nonsense in parameter start_values"),
        ({"tau": 0}, "parameter tau"),
        ({"gain": 1.5}, "parameter gain"),
        ({"inverted": "yes"}, "parameter inverted"),
        ({"label": 1}, "parameter label. Value must be a string"),
        ("x", "parameter start_values. It must be an object"),
    ):
        reply = ask(server, "PUT", "/initialize", {"start_time": 1, "start_values": values}, 400)
        assert said in reply["message"]
    reply = ask(server, "POST", "/advance", {})
    assert reply["message"] == "Advanced simulation successfully from 0.0s to 0.5s."
    assert reply["payload"]["y"] == pytest.approx(7 * state(0.5))


@pytest.mark.slow
def test_start_values_survive_kill_9_of_everything(own_fmu, tmp_path):
    for version in ("2.0", "3.0", "1.0"):
        fmu = own_fmu("linear", version)
        reference = simulated(
            fmu, 8.0, 0.5, inputs=np.array([(0.0, 2.0)], dtype=[("time", float), ("u", float)]), start_values=NUMBERS
        )
        with Server(fmu, tmp_path / version) as server:
            ask(server, "PUT", "/step", {"step": 0.5})
            ask(server, "PUT", "/initialize", {"start_time": 0, "start_values": CHOSEN})
            for _ in range(6):
                ask(server, "POST", "/advance", {"u": 2})
            kill(*server.hosts())
            _, reply, headers = server.request("POST", "/advance", {})
            assert reply["payload"]["y"] == pytest.approx(reference["y"][7], rel=1e-12)
            assert headers["Session-Restored"] == ("replayed" if version == "1.0" else None)
            wanted = {"point_names": ["y"], "start_time": 0, "final_time": 8}
            _, _, headers = server.request("PUT", "/results", wanted)
            assert headers["Session-Restored"] == ("replayed" if version == "1.0" else None)
            archive = requests.put(
                f"{server.url}/results", json=wanted, headers={"Accept": "application/x-npz"}, timeout=300
            )
            assert archive.headers["Content-Type"] == "application/x-npz"
            assert archive.headers.get("Session-Restored") == ("replayed" if version == "1.0" else None)
            server.stop(signal.SIGKILL)
        with Server(fmu, tmp_path / version) as server:
            for _ in range(9):
                reply = ask(server, "POST", "/advance", {})
            assert reply["message"] == "Advanced simulation successfully from 7.5s to 8.0s."
            assert reply["payload"]["echo"] == "heating"
            results = payload(server, "PUT", "/results", wanted)
            assert results["y"] == pytest.approx(reference["y"], rel=1e-12)


def test_snapshots_and_forks_keep_start_values(linear):
    server, _ = linear
    ask(server, "PUT", "/initialize", {"start_time": 0, "start_values": CHOSEN})
    ask(server, "POST", "/advance", {"u": 2})
    snapshot = payload(server, "POST", "/snapshot")["snapshot"]
    expected = payload(server, "POST", "/advance", {})
    ask(server, "PUT", "/initialize", {"start_time": 0})
    ask(server, "PUT", "/restore", {"snapshot": snapshot})
    assert payload(server, "POST", "/advance", {"dry_run": True}) == expected
    testid = payload(server, "POST", "/fork")["testid"]
    answer = payload(server, "POST", f"/advance/{testid}", {})
    assert (answer["y"], answer["echo"]) == (expected["y"], "heating")
    requests.put(f"{server.url}/stop/{testid}", timeout=300)


def test_pairs_of_boptest_overwrite_what_the_fmu_does(overwritten):
    """power_u counts while power_activate is on; out of bounds is clamped, and all is as on BOPTEST's own routes."""
    url = overwritten.url
    (case,) = (entry["testcaseid"] for entry in requests.get(f"{url}/testcases", timeout=300).json())
    testid = requests.post(f"{url}/testcases/{case}/select", timeout=300).json()["testid"]

    def call(method, route, given=None):
        response = requests.request(method, f"{url}/{route}/{testid}", json=given, timeout=300)
        return response.status_code, response.json()

    inputs = call("GET", "inputs")[1]["payload"]
    assert inputs["power_u"] == {"Unit": "K", "Description": "Overwrites power", "Minimum": 0.0, "Maximum": 100.0}
    assert inputs["power_activate"] == {"Unit": None, "Description": "", "Minimum": None, "Maximum": None}
    call("PUT", "step", {"step": 10})
    status, reply = call("PUT", "initialize", {"start_time": 0, "warmup_period": 0})
    assert (status, reply["payload"]["T"], reply["payload"]["time"]) == (200, 10.0, 0.0)
    decay, temperature = math.exp(-10 / 50), 10.0
    for given, power, said in (
        ({}, 20.0, "Advanced simulation successfully from 0.0s to 10.0s."),
        ({"power_u": 60}, 20.0, "Advanced simulation successfully from 10.0s to 20.0s."),  # not activated
        ({"power_activate": 1}, 60.0, "Advanced simulation successfully from 20.0s to 30.0s."),
        ({"power_activate": True, "power_u": "30"}, 30.0, "Advanced simulation successfully from 30.0s to 40.0s."),
        ({"power_u": 500}, 100.0, "WARNING: value of 500.0 for power_u is above maximum of 100.0.  Using 100.0. ;"),
        ({"power_activate": "False"}, 20.0, "Advanced simulation successfully from 50.0s to 60.0s."),
        ({"power_activate": "true", "power_u": None}, 100.0, "Advanced simulation successfully from 60.0s to 70.0s."),
    ):
        status, reply = call("POST", "advance", given)
        assert (status, reply["message"]) == (200, said)
        temperature = power + (temperature - power) * decay
        assert reply["payload"]["power"] == power
        assert reply["payload"]["T"] == pytest.approx(temperature, rel=1e-12)
    for given, said in (
        ({"power_activate": "maybe"}, "Invalid value maybe and/or type <class 'str'> for input power_activate."),
        ({"power_activate": 0.5}, "Invalid value 0.5 and/or type <class 'float'> for input power_activate."),
        ({"n": 1.5}, "Invalid value 1.5 for parameter n."),
        ({"n": True}, "Invalid value True for input n."),
    ):
        status, reply = call("POST", "advance", given)
        assert (status, reply["message"][: len(said)]) == (400, said)
    assert call("POST", "advance", {"n": 2})[1]["message"] == "Advanced simulation successfully from 70.0s to 80.0s."
    requests.put(f"{url}/stop/{testid}", timeout=300)


def test_switches_and_counts_on_the_routes_without_test_id(overwritten):
    ask(overwritten, "PUT", "/initialize", {"start_time": 0})
    assert payload(overwritten, "POST", "/advance", {"power_activate": True, "power_u": 50, "n": 3})["power"] == 50.0
    assert payload(overwritten, "POST", "/advance", {"power_activate": "false"})["power"] == 20.0
    reply = ask(overwritten, "POST", "/advance", {"n": "1.5", "power_u": 101})
    assert reply["payload"]["n"] == 1
    assert reply["message"].endswith(
        " WARNING: value of 101.0 for power_u is above maximum of 100.0.  Using 100.0. ;"
        "WARNING: value of 1.5 for n is between two positions.  Using 1.0. ;"
    )
    for given in (
        {"power_activate": 2},
        {"power_activate": 0.5},
        {"n": 4, "clamp": False},
        {"n": "1.5", "clamp": False},
        {"n": True},
        {"power_u": 101, "clamp": False},
    ):
        reply = ask(overwritten, "POST", "/advance", given, 400)
        assert next(iter(given)) in reply["message"]


@pytest.mark.slow
def test_the_cooling_plant_alone(resources, tmp_path):
    """All 104 inputs are the client's; the numbers are those of FMPy's own loop."""
    fmu = resources / "AlphaDataCenterCooling_FMU.fmu"
    description = fmpy.read_model_description(str(fmu))
    inputs = [v for v in description.modelVariables if v.causality == "input"]
    with Server(fmu, tmp_path) as server:
        assert len(payload(server, "GET", "/inputs")) == len(inputs) == 104
        action = {v.name: float(v.start or 0.0) for v in inputs} | {
            "Twb_outside": 285.0, "Mchw": 150.0, "Tchw_r": 292.0, "Head_required": 20.0, "CHI01": 1.0, "CHI01_CW1": 1.0,
            "CDWP01_ONOFF": 1.0, "CDWP01_rpm": 1200.0,
        }  # fmt: skip
        ask(server, "PUT", "/step", {"step": 300})
        ask(server, "PUT", "/initialize", {"start_time": 0})
        seen = payload(server, "POST", "/steps", {"steps": 12, "action": action})["columns"]
    names = ["Tchw_supply", "Tcw_supply", "P_CDWPs_sum"]
    signal_ = np.array([(0.0, *action.values())], dtype=[("time", float), *((name, float) for name in action)])
    reference = simulated(fmu, 3600.0, 300.0, inputs=signal_, output=names)
    for name in names:
        # FMPy sets the inputs before the initialization already, the client with the first step
        assert seen[name][-1] == pytest.approx(reference[name][-1], rel=1e-3), name


@pytest.mark.slow
def test_a_test_case_of_the_servers_folder(own_fmu, tmp_path):
    folder = tmp_path / "testcases"
    folder.mkdir()
    for name in ("copy.fmu", "other.fmu"):
        (folder / name).write_bytes(own_fmu("overwrite", "3.0").read_bytes())
    (folder / "outside.fmu").symlink_to(own_fmu("overwrite", "3.0"))
    (folder / "broken.fmu").write_text("no archive")
    fmu = own_fmu("linear", "2.0")
    with Server(fmu, tmp_path / "state", TRIVIUM_TESTCASES=str(folder)) as server:
        reply = ask(server, "POST", "/testcases", {"file": "copy.fmu", "testcaseid": "room"})
        assert reply == {
            "status": 200, "message": "Registered the test case successfully.", "payload": {"testcaseid": "room"}
        }  # fmt: skip
        for given, status in (
            ({"file": "broken.fmu"}, 400),
            ({"file": "nowhere.fmu"}, 400),
            ({"file": "../state"}, 400),
            ({"file": "outside.fmu"}, 400),
            ({"file": "other.fmu", "testcaseid": "room"}, 400),
            ({"file": 5}, 400),
            ({}, 400),
        ):
            assert ask(server, "POST", "/testcases", given, status)["message"]
    with Server(fmu, tmp_path / "state", TRIVIUM_TESTCASES=str(folder)) as server:
        listed = requests.get(f"{server.url}/testcases", timeout=300).json()
        assert listed == [{"testcaseid": fmu.stem}, {"testcaseid": "room"}]
        testid = requests.post(f"{server.url}/testcases/room/select", timeout=300).json()["testid"]
        assert list(payload(server, "GET", f"/inputs/{testid}")) == ["power_u", "power_activate", "n"]
        assert payload(server, "POST", f"/advance/{testid}", {})["power"] == 20.0


def test_trivium_serve_takes_an_fmu(own_fmu, resources, tmp_path):
    fmu = own_fmu("linear", "2.0")
    command = (sys.executable, "-m", "trivium.cli", "serve", "--fmu", str(fmu))
    with Server(resources, tmp_path, command) as server:  # the option stands above the environment
        assert payload(server, "GET", "/name") == {"name": fmu.stem}
        assert payload(server, "POST", "/advance", {"u": 3})["x"] == pytest.approx(state(0.5, 3.0))
