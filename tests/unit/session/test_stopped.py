"""Processes that are stopped (SIGSTOP): a waiting process ends each by a clock of its own, and goes on without it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import PATIENCE, gone
from tests.trap_fmu import PLANT_TRAP, Trap
from tests.unit.session.tools import advance, children, pid, results, same
from trivium.errors import ModelError
from trivium.process import process_start
from trivium.session.address import Address
from trivium.session.folder import Folder, runtime_dir
from trivium.session.manager import SessionManager
from trivium.settings import Settings

SHORT = {"TRIVIUM_STEP_TIMEOUT": "2"}


@pytest.fixture
def manage(manage_apart):
    """A zygote of the test's own: it has one template, and may be ended."""
    return manage_apart


def zygote(manager):
    return int((runtime_dir(manager._state_dir) / "zygote.lock").read_text().split()[0])


def template(manager):
    """Return the process that has opened the test case, once it has spare children."""
    deadline = time.monotonic() + PATIENCE
    while True:
        for child in children(zygote(manager)):
            with contextlib.suppress(OSError):
                if len(children(child)) >= 2:
                    return child
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def stop():
    """Stop processes; those that live on go on after the test."""
    stopped = []

    def freeze(*pids):
        for number in pids:
            stopped.append((number, process_start(number)))
            os.kill(number, signal.SIGSTOP)

    yield freeze
    for number, started in stopped:
        if process_start(number) == started:
            os.kill(number, signal.SIGCONT)


def test_an_idle_host_that_was_stopped_is_ended_and_the_request_is_done_once(manage, stop, caplog):
    manager = manage(**SHORT)
    advance(manager, steps=3, CHI02=1)
    before, host = results(manager), pid(manager)
    stop(host)
    assert advance(manager, CHI02=1).time == 1200.0
    gone(host)
    assert all(same({name: column[:4]}, {name: before[name]}) for name, column in results(manager).items())
    assert "took longer than 2 s without progress and was ended" in caplog.text


def test_a_host_that_was_stopped_in_a_step_is_ended_and_the_session_stays(manage, trap_resources, stop):
    manager = manage(trap_resources(), **SHORT)
    advance(manager)
    host, folder = pid(manager), Folder(manager._state_dir, manager._default)
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(manager.session(None).advance, {PLANT_TRAP: int(Trap.SLOW)})
        while not folder.status().busy_since:
            time.sleep(0.001)
        stop(host)
        error = request.exception()
    if error is not None:  # otherwise it was stopped before it began, or after it had recorded the step
        assert isinstance(error, ModelError)
        assert "without progress and was ended" in str(error)
    assert manager.session(None).time == (300.0 if error else 600.0)
    assert advance(manager).time == (600.0 if error else 900.0)


@pytest.mark.slow
def test_a_host_that_was_stopped_with_a_large_request_and_a_large_reply_under_way(manage, stop):
    manager = manage(**SHORT)
    session = manager.session(None)
    session.set_step(1)
    session.advance_many(20000)
    stop(pid(manager))
    rows = session.advance_many(5000, trajectory={"Tchws_set_HEX": 5000 * [286.123456789]}, point_names=["Tchw_supply"])
    assert len(rows.columns["Tchw_supply"]) == 5000
    assert session.time == 25000.0


@pytest.mark.slow
def test_stopped_spare_children_are_replaced(manage, stop):
    manager = manage(**SHORT)
    advance(manager)
    stop(*children(template(manager)))
    assert advance(manager, manager.select("AlphaDataCenterCooling_Gym")).time == 300.0


@pytest.mark.slow
def test_a_stopped_template_is_replaced(manage, stop):
    manager = manage(**SHORT)
    advance(manager)
    stopped = template(manager)
    stop(stopped)
    for _ in range(3):  # more than it had spare children
        assert advance(manager, manager.select("AlphaDataCenterCooling_Gym")).time == 300.0
    gone(stopped)


def test_a_stopped_zygote_is_replaced_and_sessions_go_on(manage, stop, monkeypatch):
    monkeypatch.setattr("trivium.session.launcher.ANSWER", 1.0)
    manager = manage(**SHORT)
    advance(manager)
    stopped, host = zygote(manager), pid(manager)
    stop(stopped)
    testid = manager.select("AlphaDataCenterCooling_Gym")
    assert advance(manager, testid).time == 300.0
    gone(stopped)
    assert pid(manager) == host
    assert advance(manager).time == 600.0


@pytest.mark.slow
def test_all_of_them_stopped_at_once(manage, stop, monkeypatch):
    monkeypatch.setattr("trivium.session.launcher.ANSWER", 1.0)
    manager = manage(**SHORT)
    advance(manager)
    stop(pid(manager), template(manager), *children(template(manager)), zygote(manager))
    assert advance(manager).time == 600.0


def test_a_zygote_that_nobody_can_reach_is_ended(manage, monkeypatch):
    monkeypatch.setattr("trivium.session.launcher.ANSWER", 1.0)
    manager = manage()
    advance(manager)
    before = zygote(manager)
    (runtime_dir(manager._state_dir) / "zygote").unlink()
    assert advance(manager, manager.select("AlphaDataCenterCooling_Gym")).time == 300.0
    gone(before)


def test_a_state_directory_that_was_deleted_and_made_anew_at_once(manage, small_resources, tmp_path):
    manager = manage()
    advance(manager)
    old = zygote(manager)
    manager.close()
    (tmp_path / "state").rename(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone", ignore_errors=True)  # processes that end write into it meanwhile
    again = SessionManager(Settings(environ={
        "TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(tmp_path / "state"),
    }))  # fmt: skip
    try:
        advance(again)
        if zygote(again) != old:  # where the path is long, sockets lie elsewhere, and the zygote goes on
            gone(old)  # it leaves the socket of its successor
        for _ in range(3):
            assert advance(again, again.select("AlphaDataCenterCooling_Gym")).time == 300.0
    finally:
        again.stop_all()
        again.close()


def test_a_socket_file_is_removed_only_by_its_owner(tmp_path):
    old = Address(tmp_path / "a")
    new = Address(tmp_path / "a")
    old.remove()
    assert (tmp_path / "a").is_socket()
    new.remove()
    assert not (tmp_path / "a").exists()
    for address in (old, new):
        address.remove()
        address.close()
