"""Places for processes: sessions that nobody uses give theirs up, and go on when they are used again."""

from __future__ import annotations

import os
import time

import pytest

from tests.processes import gone
from tests.unit.session.tools import advance, message_of, pid
from trivium.access import Access
from trivium.errors import BusyError, InvalidValueError, UnknownSessionError
from trivium.session.folder import Folder

FREE = {"TRIVIUM_MAX_SESSIONS": "2", "TRIVIUM_RECLAIM_AFTER": "0"}


def states(manager):
    return {session["testid"]: session["state"] for session in manager.sessions()}


def test_clients_that_select_and_never_stop_keep_nobody_out(manage):
    manager = manage(**FREE)
    (name,) = manager.testcases()
    first = manager.select(name)
    advance(manager, first, steps=2)
    number = pid(manager, first)
    others = [manager.select(name) for _ in range(5)]
    gone(number)
    assert states(manager)[first] == "hibernated"
    assert len(states(manager)) == 6
    assert sum(state != "hibernated" for state in states(manager).values()) <= 3  # one may be about to end
    # each goes on where it was, which takes the place of another
    assert message_of(advance(manager, first)) == "Advanced simulation successfully from 600.0s to 900.0s."
    for testid in others:
        assert message_of(advance(manager, testid)) == "Advanced simulation successfully from 0.0s to 300.0s."


def test_stored_sessions_take_no_place_after_a_restart(manage):
    limits = {"TRIVIUM_MAX_SESSIONS": "1", "TRIVIUM_RECLAIM_AFTER": "1000"}
    manager, patient = manage(**limits, TRIVIUM_IDLE_TIMEOUT="1"), manage(**limits)  # which one ends no idle session
    (name,) = manager.testcases()
    first = manager.select(name)
    gone(pid(manager, first))  # it was idle
    second = patient.select(name)
    with pytest.raises(BusyError):
        manager.select(name)
    with pytest.raises(BusyError, match="in use"):
        advance(manager, first)  # it has no place, and nobody gives one up
    manager.stop(second)
    assert message_of(advance(manager, first)) == "Advanced simulation successfully from 0.0s to 300.0s."
    gone(pid(manager, first))
    manager.close()
    again = manage(**limits)
    assert again.select(name)


def test_a_busy_session_keeps_its_place(manage, monkeypatch):
    manager = manage(**FREE)
    (name,) = manager.testcases()
    first, second = manager.select(name), manager.select(name)
    numbers = [pid(manager, testid) for testid in (first, second)]
    serving = Folder.serving
    monkeypatch.setattr(Folder, "serving", lambda self: (s := serving(self)) and s._replace(busy_since=1.0))
    with pytest.raises(BusyError, match="There are 2 sessions in use"):
        manager.select(name)
    monkeypatch.undo()
    assert [pid(manager, testid) for testid in (first, second)] == numbers


def test_a_fork_takes_a_place_when_it_is_used(manage):
    manager = manage(**FREE)
    (name,) = manager.testcases()
    testid = manager.select(name)
    advance(manager, testid)
    forks = [manager.fork(testid) for _ in range(4)]
    for fork in forks:
        assert message_of(advance(manager, fork)) == "Advanced simulation successfully from 300.0s to 600.0s."


def test_how_many_are_stored_is_limited(manage):
    manager = manage(**FREE, TRIVIUM_MAX_STORED="2")
    (name,) = manager.testcases()
    advance(manager)  # the default session does not count
    first, _ = manager.select(name), manager.select(name)
    with pytest.raises(BusyError, match="keeps 3 sessions, as many as it may"):
        manager.select(name)
    manager.stop(first)
    assert manager.select(name)


def test_sessions_that_nobody_uses_expire(manage):
    manager = manage(**FREE, TRIVIUM_SESSION_EXPIRY="3", TRIVIUM_IDLE_TIMEOUT="1")
    (name,) = manager.testcases()
    old, young = manager.select(name), manager.select(name)
    for testid in (old, young):
        gone(pid(manager, testid))
    advance(manager)
    gone(pid(manager))
    long_ago = time.time() - 4 * 86400
    for testid in (old, manager._default):
        os.utime(manage.state_dir / "sessions" / testid / "status", (long_ago, long_ago))
    again = manage(**FREE, TRIVIUM_SESSION_EXPIRY="3")
    assert set(states(again)) == {young, manager._default}  # the default session stays
    with pytest.raises(UnknownSessionError):
        again.status(old)


def test_when_a_session_was_last_used_is_known_while_it_sleeps(manage):
    manager = manage(present=lambda: Access("anna"), TRIVIUM_IDLE_TIMEOUT="1")
    (name,) = manager.testcases()
    testid = manager.select(name)
    advance(manager, testid)
    number = pid(manager, testid)
    (about,) = [session for session in manager.sessions() if session["testid"] == testid]
    gone(number)
    (asleep,) = [session for session in manager.sessions() if session["testid"] == testid]
    assert (asleep["state"], asleep["owner"]) == ("hibernated", "anna")
    assert asleep["last_used"] == about["last_used"]  # not when the process ended
    assert about["last_used"] >= about["created"]


def test_the_default_test_case_stays(manage):
    manager = manage()
    (name,) = manager.testcases()
    with pytest.raises(InvalidValueError, match="is the default one"):
        manager.remove_testcase(name)
    with pytest.raises(InvalidValueError, match="Invalid testcase"):
        manager.remove_testcase("other")
