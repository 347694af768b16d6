"""The client against a real server: the same numbers as in process, every error, and steps that survive kills."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from tests import own_fmus
from tests import server as servers
from tests.processes import kill
from tests.server import Server
from tests.small_plant import CONTROL_NAMES, FAILING, OUTPUT_NAMES, START
from trivium.client import ClampedWarning, Client, Session
from trivium.client.connection import Connections, Response, _LostError
from trivium.errors import (
    BusyError,
    ConflictError,
    InvalidValueError,
    RequestError,
    TriviumError,
    UnknownSessionError,
)
from trivium.session.folder import runtime_dir
from trivium.session.local import open_testcase

SET = "Tchws_set_HEX"


@pytest.fixture
def client(small_server):
    with Client(small_server.url, timeout=300.0, patience=60.0) as client:
        yield client


@pytest.fixture
def session(client):
    with client.select() as session:
        yield session


def test_the_same_numbers_as_in_process(session, small_case):
    assert session.initialize(600, warmup_period=300) == small_case.initialize(600)
    assert session.time == 600.0
    for set_point in (285.0, 284.9, 286.123456789):
        assert session.advance({SET: set_point}) == small_case.advance({SET: set_point})
    trajectory = {SET: [285.5, 285.4, 285.3, 285.2]}
    done = session.advance_many(trajectory=trajectory, point_names=["Tchw_supply", SET])
    told = small_case.advance_many(trajectory=trajectory).columns
    assert (done.steps, done.error, list(done.columns)) == (4, None, ["time", "Tchw_supply", SET])
    for name in done.columns:
        assert done.columns[name].tobytes() == told[name].tobytes()
    results = session.results(["Tchw_supply", "Head_required"])
    for name, column in small_case.results(["Tchw_supply", "Head_required"], 0, 1e9).items():
        assert np.array_equal(results[name], column, equal_nan=True)
    ahead = session.forecast(["Mchw"], 900, 300)
    assert ahead["Mchw"].tobytes() == small_case.forecast(["Mchw"], 900, 300)["Mchw"].tobytes()


def test_what_there_is(client, session):
    assert client.testcases() == ["AlphaDataCenterCooling_Gym"]
    assert session.name == "AlphaDataCenterCooling_Gym"
    assert session.version == "0.1.0-test"
    assert set(session.inputs) == set(CONTROL_NAMES)
    assert list(session.measurements) == OUTPUT_NAMES
    assert set(session.forecast_points) == {"Twb_outside", "Mchw", "Tchw_r"}
    assert session.inputs[SET].unit == "K"
    session.set_step(900)
    assert session.step == 900.0
    assert "seed" in session.scenario


def test_start_values_of_any_fmu(own_fmu, tmp_path):
    with (
        Server(own_fmu("linear", "2.0", "cs"), tmp_path) as server,
        Client(server.url) as client,
        client.select() as session,
    ):
        tau = session.parameters["tau"]
        assert (tau.unit, tau.minimum, tau.start, tau.kind) == ("s", 0.1, 10.0, "real")
        session.set_step(2.0)
        session.initialize(0.0, start_values={"tau": 4.0, "label": "heating"})
        assert session.advance({"u": 3.0})["x"] == pytest.approx(own_fmus.state(2.0, 3.0, tau=4.0), rel=1e-4)
        session.initialize(0.0, start_values={"tau": 4.0, "label": "heating"})
        after = session.advance({"u": 3.0}, 3)
        assert after["x"] == pytest.approx(own_fmus.state(6.0, 3.0, tau=4.0), rel=1e-4)
        assert after["echo"] == "heating"
        for name, value in (("nonsense", 1.0), ("tau", 0.0), ("tau", "long")):
            with pytest.raises(InvalidValueError) as caught:
                session.initialize(0.0, start_values={name: value})
            assert caught.value.field == name
        assert session.time == 6.0


def test_key_performance_indicators(resources, state_dir):
    with Server(resources, state_dir) as server, Client(server.url) as client, client.select() as session:
        session.initialize(900_000.0)
        powers = ["P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum"]
        power = session.advance_many(4).columns
        energy = sum(power[name] for name in powers) * 300.0 / 3.6e6
        assert session.kpis(["ener_tot", "pue"])["ener_tot"] == pytest.approx(energy.sum())
        window = session.kpis(["ener_tot"], 900_300.0, 900_900.0)
        assert window == {"ener_tot": pytest.approx(energy[1:3].sum())}
        assert session.kpi_points["ener_tot"].unit == "kWh"
        assert {*session.kpi_points} | {"time_rat", "pgas_tot"} <= {*session.kpis()}
        with pytest.raises(InvalidValueError) as caught:
            session.kpis(["nonsense"])
        assert caught.value.field == "names"
        assert session.set_scenario(electricity_price="dynamic")["electricity_price"] == "dynamic"
        assert session.scenario["electricity_price"] == "dynamic"


def test_a_trajectory_may_be_arrays(session):
    done = session.advance_many(trajectory={SET: np.array([285.0, 285.5])}, point_names=[SET])
    assert done.columns[SET].tolist() == [285.0, 285.5]


def test_looking_ahead_stays(session):
    before = session.time
    ahead = session.look_ahead({SET: 284.0})
    assert session.time == before
    many = session.look_ahead_many(1, action={SET: 284.0})
    assert many.columns["Tchw_supply"][0] == ahead["Tchw_supply"]
    assert session.time == before
    assert session.advance({SET: 284.0}) == ahead


def test_snapshot_restore_and_fork(client, session):
    session.initialize()
    taken = session.snapshot()
    once = session.advance({SET: 285.0})
    session.restore(taken)
    assert session.time == 0.0
    assert session.advance({SET: 285.0}) == once
    with session.fork(taken) as fork:
        assert fork.advance({SET: 285.0}) == once
    with session.fork() as fork:
        assert fork.time == 300.0
        assert fork.advance({SET: 284.0}) == session.advance({SET: 284.0})


def test_a_session_ends_with_its_block(client):
    with pytest.raises(ZeroDivisionError), client.select() as session:
        assert session.testid in [about["testid"] for about in client.sessions()]
        raise ZeroDivisionError
    assert session.testid not in [about["testid"] for about in client.sessions()]
    with pytest.raises(UnknownSessionError):
        session.set_step(300)
    session.close()  # once more does no harm


def test_the_session_that_everybody_shares(client, server):
    server.request("POST", "/advance", {})
    assert client.default_session().advance()["Tchw_supply"] < START
    assert (
        server.request("POST", "/advance", {})[1]["message"]
        == "Advanced simulation successfully from 600.0s to 900.0s."
    )


def test_at_the_end_nothing_is_done(session):
    session.initialize(0, end_time=300)
    assert session.advance(clamp=True)
    assert session.advance(clamp=True) == {}
    assert session.time == 300.0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda s: s.advance({"nonsense": 1}), "nonsense"),
        (lambda s: s.advance({SET: float("nan")}), SET),
        (lambda s: s.advance({SET: "warm"}), SET),
        (lambda s: s.advance({SET: 1000.0}, 2), SET),
        (lambda s: s.advance(steps=0), "steps"),
        (lambda s: s.advance(steps=1.5), "steps"),
        (lambda s: s.advance_many(action={SET: 1000.0}), SET),
        (lambda s: s.advance_many(trajectory={SET: np.array([285.0, np.inf])}), SET),
        (lambda s: s.advance_many(0), "steps"),
        (lambda s: s.initialize(-7), "start_time"),
        (lambda s: s.set_step(-300), "step"),
        (lambda s: s.results(["nonsense"]), "point_names"),
        (lambda s: s.forecast(["nonsense"], 300, 300), "point_names"),
        (lambda s: s.forecast(["Mchw"], -300, 300), "horizon"),
        (lambda s: s.restore("nonsense"), "snapshot"),
    ],
)
def test_what_is_wrong_is_told_by_name_and_changes_nothing(session, wrong, field):
    session.initialize(600)
    with pytest.raises(InvalidValueError) as caught:
        wrong(session)
    assert caught.value.field == field
    assert session.time == 600.0
    session.advance(at=600.0)


def test_an_input_beyond_its_bounds_is_clamped_with_a_warning(session):
    with pytest.warns(ClampedWarning, match="above maximum of"):
        clamped = session.advance({SET: 1000.0}, clamp=True)
    assert clamped[SET] == session.inputs[SET].maximum


def test_several_steps_under_the_same_inputs_are_those_in_process(session, small_case):
    wrong = {SET: 1000.0}
    for simulation in (session, small_case):
        simulation.initialize(0.0, 1500.0)
    assert session.advance({SET: 284.5}, 2, at=0.0) == small_case.advance({SET: 284.5}, 2)
    for steps in (2, 7, 1):  # the second are cut to the end, and then nothing is done
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ClampedWarning)
            here, there = (simulation.advance(wrong, steps, clamp=True) for simulation in (small_case, session))
        assert there == here
        assert [(one.start, one.time, one.steps, one.clamped) for one in (there,)] == [
            (here.start, here.time, here.steps, here.clamped)
        ]
    assert (session.time, there.steps) == (1500.0, 0)
    with pytest.raises(InvalidValueError) as caught:
        session.advance(steps=2)
    assert caught.value.field == "step"


def test_other_errors(client, session):
    with pytest.raises(ConflictError, match=r"stands at 0\.0s"):
        session.advance(at=300.0)
    with pytest.raises(UnknownSessionError) as caught:
        client.session("abc def").set_step(300)
    assert isinstance(caught.value, RequestError)
    with pytest.raises(InvalidValueError, match="Invalid testcase: nonsense"):
        client.select("nonsense")


def test_the_step_before_a_failure_is_kept(session):
    trajectory = [{SET: 285.0}, {SET: 284.0}, {FAILING: 1.0}]
    done = session.advance_many(trajectory=trajectory, point_names=[SET], atomic=False)
    assert done.steps == 2
    assert done.error is not None
    assert (done.steps + 1, done.requested) == (3, 3)
    assert session.time == 600.0
    with pytest.raises(TriviumError):
        session.advance({FAILING: 1.0})
    assert session.advance(at=600.0)


@pytest.mark.slow
def test_a_full_server_is_asked_again_while_the_patience_lasts(small_resources, tmp_path):
    with Server(small_resources, tmp_path, TRIVIUM_MAX_SESSIONS="1", TRIVIUM_RECLAIM_AFTER="1000") as server:
        with Client(server.url, patience=0.0) as client, client.select():
            with pytest.raises(BusyError) as caught:
                client.select()
            assert caught.value.retry_after > 0
            assert caught.value.position == 1
        with Client(server.url, patience=30.0) as client:
            first = client.select()
            threading.Timer(1.0, first.close).start()
            with client.select() as second:
                assert second.advance()


class Losing(Connections):
    """Connections that lose every reply to a changing request once, after the server has done it."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.lost = 0
        self._last = ""

    def _once(self, method, path, data, headers) -> Response:
        response = super()._once(method, path, data, headers)
        key = headers.get("Idempotency-Key", self._last)
        if key != self._last:
            self._last, self.lost = key, self.lost + 1
            raise _LostError(sent=True) from ConnectionResetError()
        return response


def test_a_lost_reply_is_had_again_and_nothing_is_done_twice(small_server, session, small_case):
    connections = Losing(small_server.url, 30.0, 20.0)
    losing = Session(connections, session.testid)
    assert losing.initialize(600) == small_case.initialize(600)
    losing.set_step(600)
    small_case.set_step(600)
    assert losing.advance({SET: 285.0}) == small_case.advance({SET: 285.0})
    # so many that the server does not keep the reply: they are looked up
    done = losing.advance_many(180, action={SET: 284.0})
    told = small_case.advance_many(steps=180, action={SET: 284.0}).columns
    assert done.steps == 180
    assert list(done.columns) == list(told)
    for name, column in told.items():
        assert np.array_equal(done.columns[name], column)
    assert losing.time == session.look_ahead_many(1).columns["time"][0] - 600.0
    assert connections.lost == 4
    connections.close()


def test_a_session_whose_reply_was_lost_is_made_once(small_server, session):
    connections = Losing(small_server.url, 30.0, 20.0)
    losing = Session(connections, session.testid)
    before = len(small_server.request("GET", "/sessions")[1]["payload"])
    fork = losing.fork(losing.snapshot())
    assert connections.lost == 2
    assert len(losing.snapshots()) == 1
    assert len(small_server.request("GET", "/sessions")[1]["payload"]) == before + 1
    assert fork.advance()
    fork.close()
    connections.close()


def mark(i: int) -> float:
    """Set point of a request [K]: no two are the same."""
    return 284.0 + i * 2.0**-12


@pytest.mark.slow
def test_no_step_is_lost_or_doubled_whatever_is_killed(small_resources, tmp_path, monkeypatch):
    """A client steps while hosts, workers and the whole server are killed; it sees errors at most, never a wrong clock."""
    chance, port = random.Random(7), servers.free_port()
    monkeypatch.setattr(servers, "free_port", lambda: port)  # the server comes back at the same address
    gunicorn = (sys.executable, "-m", "gunicorn", "-w", "2", "restapi:app")
    server = Server(small_resources, tmp_path, gunicorn)
    acknowledged: list[tuple[float, float, float]] = []  # mark, clock after, supply
    failed, surprises, done = [], [], threading.Event()

    def run() -> None:
        try:
            for i in range(10**6):
                if done.is_set():
                    return
                try:
                    observation = session.advance({SET: mark(i)}) if i % 3 else None
                    if observation is None:  # every third time in one request of one step
                        columns = session.advance_many(action={SET: mark(i)}).columns
                        observation = {"Tchw_supply": float(columns["Tchw_supply"][0])}
                except TriviumError as error:
                    failed.append((mark(i), str(error)))
                    continue
                acknowledged.append((mark(i), session.time, observation["Tchw_supply"]))
        except BaseException as error:
            surprises.append(error)
            raise

    try:
        with Client(server.url, timeout=30.0, patience=60.0) as client:
            session = client.select()
            session.initialize(0)
            stepping = threading.Thread(target=run)
            stepping.start()
            for what in ["host", "worker", "host", "server", "host", "zygote", "host", "worker", "server", "host"]:
                time.sleep(chance.uniform(0.1, 0.5))
                if what == "host":
                    for pid in server.hosts():
                        kill(pid)
                elif what == "worker":
                    for pid in server.workers():
                        kill(pid)
                else:
                    with contextlib.suppress(OSError, ValueError):
                        kill(int((runtime_dir(tmp_path) / "zygote.lock").read_text().split()[0]))
                if what == "server":
                    hosts = server.hosts()
                    os.killpg(server.process.pid, signal.SIGKILL)
                    for pid in hosts:
                        kill(pid)
                    server.process.wait()
                    server = Server(small_resources, tmp_path, gunicorn)
            time.sleep(0.3)
            done.set()
            stepping.join(300)
            results = session.results([SET, "Tchw_supply"])
            session.close()
    finally:
        done.set()
        server.stop()
    assert not surprises
    assert len(acknowledged) > 20
    assert np.array_equal(results["time"], 300.0 * np.arange(results["time"].size)), "the clock has gaps"
    there = list(zip(results[SET][1:], results["time"][1:], results["Tchw_supply"][1:], strict=True))
    assert there == acknowledged, "a step was lost, doubled, or told otherwise"
    with open_testcase_at(small_resources, tmp_path) as case:  # one that was never disturbed
        for of, _, supply in acknowledged:
            assert case.advance({SET: of})["Tchw_supply"] == supply


@contextlib.contextmanager
def open_testcase_at(resources, state_dir):
    case = open_testcase(resources, state_dir)
    try:
        case.initialize(0)
        yield case
    finally:
        case.close()
