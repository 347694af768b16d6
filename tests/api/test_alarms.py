"""Alarms over HTTP and through the client: acknowledged, kept, forked; and a session that stands."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import PATIENCE, kill
from tests.server import Server
from trivium.client import Client
from trivium.errors import ForbiddenError, RequestError
from trivium.server.tokens import create
from trivium.session.folder import Folder

START = 7_800_000
#: A pump that is on, with a speed of 0.
IDLE = {"CDWP01_ONOFF": 1, "CDWP01_rpm": 0}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    made = create(path)
    return path, {"ann": made.add("ann", ["control"]), "eve": made.add("eve", ["read"])}


@pytest.fixture(scope="module")
def server(resources, tmp_path_factory, tokens):
    folder = tmp_path_factory.mktemp("case")
    for file in resources.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "testcase.toml").unlink()
    declared = (resources / "testcase.toml").read_text(encoding="utf-8")
    (folder / "testcase.toml").write_text(f"{declared}\n[alarms.stale]\nafter = 1.5\n", encoding="utf-8")
    with Server(folder, tmp_path_factory.mktemp("alarms"), TRIVIUM_TOKENS=str(tokens[0])) as running:
        yield running


@pytest.fixture
def session(server, tokens):
    with Client(server.url, token=tokens[1]["ann"]) as client, client.select() as session:
        session.initialize(START)
        yield session


def names(session, **options):
    return [alarm.name for alarm in session.alarms(**options)]


def test_a_pump_without_flow_is_an_alarm_until_it_flows_and_is_acknowledged(session, server, tokens):
    assert session.alarms() == []
    session.advance(IDLE, 12)
    found = {alarm.name: alarm for alarm in session.alarms()}
    alarm = found["condenser_no_flow"]
    assert (alarm.priority, alarm.unit, alarm.limit, alarm.until) == ("high", "m3/s", 0.02, None)
    assert START < alarm.since < alarm.raised <= START + 900
    assert alarm.value == session.results(alarm.points, session.time, session.time)[alarm.points[0]][-1]

    with Client(server.url, token=tokens[1]["eve"]) as eve, pytest.raises(ForbiddenError):
        eve.session(session.testid).acknowledge_alarms()
    with pytest.raises(RequestError, match="no alarm nothing"):
        session.acknowledge_alarms(["nothing"])
    before = time.time()
    (done,) = session.acknowledge_alarms(["condenser_no_flow"], by="somebody else")
    assert done.acknowledged_by == "ann"
    assert before <= done.acknowledged_at <= time.time()
    assert done in session.alarms()
    fork = session.fork()
    try:
        assert fork.alarms() == session.alarms()
        fork.advance({"CDWP01_rpm": 1200, "CDWP01_ONOFF": 1, "CHI01_CW1": 1, "CHI01_CW4": 1, "U_CT1": 1}, 6)
        assert "condenser_no_flow" not in names(fork)
        assert names(fork, past=True).count("condenser_no_flow") == 1
    finally:
        fork.close()
    assert done in session.alarms()


def test_what_was_acknowledged_survives_the_process_and_goes_back_with_a_snapshot(session, server):
    session.advance(IDLE, 12)
    snapshot = session.snapshot()
    session.acknowledge_alarms()
    alarms = session.alarms()
    assert all(alarm.acknowledged for alarm in alarms)
    kill(*server.hosts())
    assert session.advance(IDLE).time == START + 13 * 300
    again = {alarm.name: alarm for alarm in session.alarms()}
    assert {alarm.name: alarm.acknowledged_at for alarm in alarms}.items() <= {
        name: alarm.acknowledged_at for name, alarm in again.items()
    }.items()
    session.restore(snapshot)
    assert [alarm.name for alarm in session.alarms() if alarm.acknowledged] == []
    session.initialize(START)
    assert session.alarms(past=True) == []


def test_a_session_that_stands_is_an_alarm_while_somebody_waits_for_it(session, server, tokens):
    session.advance(IDLE, 12)
    with Client(server.url, token=tokens[1]["ann"]) as other, ThreadPoolExecutor(1) as pool:
        watching = other.session(session.testid)
        known = watching.alarms()
        hosts = server.hosts()
        for pid in hosts:
            os.kill(pid, signal.SIGSTOP)
        try:
            step = pool.submit(session.advance, IDLE)
            deadline = time.monotonic() + PATIENCE
            while "stale" not in names(watching):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            stale, *others = watching.alarms()
        finally:
            for pid in hosts:
                os.kill(pid, signal.SIGCONT)
        assert (stale.name, stale.unit, stale.limit, stale.since) == ("stale", "s", 1.5, START + 3600)
        assert stale.value > 1.5
        assert others == known
        assert step.result().time == START + 3900
        assert "stale" not in names(watching)


def test_a_look_at_a_session_that_did_nothing_does_not_ask_it(session, server):
    session.advance(IDLE, 12)
    first = session.alarms()
    kept = Folder(server.state_dir, session.testid)
    before = kept.status().requests
    assert session.alarms() == first
    assert kept.status().requests == before
