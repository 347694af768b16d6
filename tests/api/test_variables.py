"""Variables of FMUs over HTTP and with the client: locals, tunable parameters, texts, enumerations, arrays."""

from __future__ import annotations

import pytest
import requests

from tests.own_fmus import state
from tests.processes import kill
from tests.server import Server
from trivium.client import Client
from trivium.errors import InvalidValueError, RequestError


@pytest.fixture(scope="module")
def testcases(own_fmu, tmp_path_factory):
    """A folder of test cases: an FMU without outputs, one with all that changes during a run, one with arrays."""
    folder = tmp_path_factory.mktemp("testcases")
    for name, version in (("hidden", "2.0"), ("tuned", "3.0")):
        (folder / f"{name}.fmu").write_bytes(own_fmu(name, version).read_bytes())
    sized = folder / "sized"
    sized.mkdir()
    (sized / "sized.fmu").write_bytes(own_fmu("sized", "3.0").read_bytes())
    (sized / "testcase.toml").write_text("[fmu.structural]\nn = 4\n")
    return folder


@pytest.fixture(scope="module")
def server(testcases, tmp_path_factory):
    with Server(testcases / "hidden.fmu", tmp_path_factory.mktemp("state"), TRIVIUM_TESTCASES=str(testcases)) as server:
        for name in ("tuned.fmu", "sized"):
            status, reply, _ = server.request("POST", "/testcases", {"file": name})
            assert status == 200, reply
        yield server


@pytest.fixture
def tuned(server):
    with Client(server.url) as client, client.select("tuned") as session:
        yield session


def refused(server, method, path, body):
    status, reply, _ = server.request(method, path, body)
    assert status == 400, reply
    return reply["message"]


def test_an_fmu_without_outputs(server):
    _, reply, _ = server.request("GET", "/measurements")
    assert reply["message"].endswith("The FMU has no outputs; these are its local variables.")
    assert list(reply["payload"]) == ["x", "der(x)", "twice", "late"]
    _, reply, _ = server.request("PUT", "/initialize", {"start_time": -1, "start_values": {"u": 3}})
    assert reply["payload"]["late"] is None
    assert reply["payload"]["u"] == 3.0
    server.request("PUT", "/step", {"step": 0.5})
    _, reply, _ = server.request("POST", "/advance", {})
    assert reply["payload"]["twice"] == pytest.approx(2 * state(0.5, 3))
    window = {"point_names": ["x", "tau", "late"], "start_time": -1, "final_time": 0}
    _, reply, _ = server.request("PUT", "/results", window)
    assert reply["payload"]["x"] == pytest.approx([1.0, state(0.5, 3)])
    assert reply["payload"]["tau"] == [10.0, 10.0]
    assert reply["payload"]["late"] == [None, None]
    _, reply, _ = server.request("GET", "/variables")
    assert {name: point["Causality"] for name, point in reply["payload"].items()} == {
        "x": "local", "der(x)": "local", "twice": "local", "late": "local", "u": "input", "rate": "calculatedParameter",
        "tau": "parameter",
    }  # fmt: skip
    assert "tau. It is fixed during a run" in refused(server, "POST", "/advance", {"tau": 3})


def test_changes_during_a_run_come_back_after_kill_9(server, tuned):
    tuned.set_step(0.5)
    tuned.initialize(0, start_values={"gain": 3})
    before = set(server.hosts())
    tuned.advance({"gain": 10, "note": "cold", "level": "high", "blob": "AQID"})
    kill(*before)
    observed = tuned.advance()
    assert observed["y"] == pytest.approx(10 * state(1.0))
    assert (observed["echo"], observed["chosen"], observed["bytes"]) == ("cold", 2.0, "AQID")
    assert tuned.results(["gain", "half"])["gain"].tolist() == [3.0, 10.0, 10.0]


def test_snapshots_and_forks_keep_changes(tuned):
    tuned.set_step(0.5)
    tuned.advance({"gain": 5, "note": "warm"})
    stored = tuned.snapshot()
    tuned.advance({"gain": 1, "note": "cold"})
    with tuned.fork(stored) as fork:
        observed = fork.advance()
    tuned.restore(stored)
    assert tuned.advance() == observed
    assert (observed["y"], observed["echo"]) == (pytest.approx(5 * state(1.0)), "warm")


def test_what_the_client_lists(tuned):
    assert tuned.inputs["level"].items == {"low": 1.0, "high": 2.0}
    assert [name for name, each in tuned.parameters.items() if each.tunable] == ["note", "gain", "blob"]
    assert tuned.variables["half"].causality == "local"
    with pytest.raises(InvalidValueError, match=r"level. .* 1 \(low\), 2 \(high\)"):
        tuned.advance({"level": 7})


def test_a_test_case_with_resized_arrays(server):
    with Client(server.url) as client, client.select("sized") as session:
        assert list(session.inputs) == ["u[1]", "u[2]", "u[3]", "u[4]"]
        assert session.advance({"u[4]": 3})["y[4]"] == 6.0
        with pytest.raises(RequestError, match=r"\[fmu.structural\]"):
            session.initialize(start_values={"n": 2})


def test_what_the_fmu_is(server, tuned):
    _, reply, _ = server.request("GET", "/fmu")
    about = reply["payload"]
    assert (about["file"], about["fmi"], about["findings"]) == ("hidden.fmu", "2.0", [])
    assert about["kinds"]["co-simulation"]["canGetAndSetFMUstate"] is True
    assert about["units"] == {"K": ""}
    assert about["variables"]["twice"]["description"] == "Twice x"
    run = {"engine": "fmpy", "interface": "cs", "tolerance": 1e-9, "inputs": 1, "measured": 4, "recorded": 4}
    assert about["run"] == {**run, "structural": {}}
    assert tuned.fmu["counts"]["input"] == 4


def test_nothing_names_the_cooling_plant(server):
    for path in ("/", "/openapi.json", "/dashboard/", "/dashboard/login"):
        response = requests.get(f"{server.url}{path}", timeout=30)
        assert response.status_code == 200
        for text in ("cooling", "Tchw", "CHI0"):
            assert text not in response.text.replace("AlphaDataCenterCooling", ""), (path, text)
