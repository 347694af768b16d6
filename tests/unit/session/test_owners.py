"""Sessions belong to who made them; limits of one owner are not those of others."""

from __future__ import annotations

import pytest

from tests.unit.session.tools import advance
from trivium.dashboard.readings import Readings
from trivium.dashboard.runs import Runs
from trivium.errors import BusyError, InvalidValueError, StorageError, UnknownSessionError


def ids(manager):
    return {session["testid"] for session in manager.sessions() if not session["default"]}


def test_a_session_is_seen_and_changed_by_its_owner_and_by_who_may_everything(manage, caller):
    manager, other_worker = manage(present=caller), manage(present=caller)
    (name,) = manager.testcases()
    caller.be("anna")
    hers = manager.select(name)
    advance(manager, hers)
    snapshot = manager.session(hers).snapshot()
    caller.be("bert")
    his = manager.select(name)
    for worker in (manager, other_worker):
        assert ids(worker) == {his}
        for refused in (
            lambda worker=worker: advance(worker, hers),
            lambda worker=worker: worker.session(hers).host_state(),
            lambda worker=worker: worker.status(hers),
            lambda worker=worker: worker.fork(hers),
            lambda worker=worker: worker.fork(hers, snapshot),
            lambda worker=worker: worker.snapshots(hers),
            lambda worker=worker: worker.remove_snapshot(hers, snapshot),
            lambda worker=worker: worker.stop(hers),
        ):
            with pytest.raises(UnknownSessionError):
                refused()
    advance(manager)  # the default session is everybody's
    caller.be("anna")
    assert ids(other_worker) == {hers}
    assert [each["snapshot"] for each in other_worker.snapshots(hers)] == [snapshot]
    fork = other_worker.fork(hers, snapshot)
    assert other_worker.session(fork).host_state().time == 300
    caller.be("root", everything=True)
    assert ids(manager) == {hers, his, fork}
    manager.stop(hers)
    caller.be("anna")
    assert ids(manager) == {fork}


def test_snapshots_are_listed_and_removed_and_forks_of_them_stay(manage):
    manager = manage(TRIVIUM_MAX_SNAPSHOTS="2")
    first = manager.session(None).snapshot()
    advance(manager, steps=2)
    second = manager.session(None).snapshot()
    listed = manager.snapshots(None)
    assert [each["snapshot"] for each in listed] == [second, first]
    assert all(each["size"] > 0 and each["created"] > 0 for each in listed)
    with pytest.raises(StorageError, match="2 snapshots"):
        manager.session(None).snapshot()
    fork = manager.fork(None, second)
    manager.remove_snapshot(None, second)
    for name in (second, "..", "", "x" * 300, "\udfff"):
        with pytest.raises(InvalidValueError):
            manager.remove_snapshot(None, name)
    assert [each["snapshot"] for each in manager.snapshots(None)] == [first]
    assert advance(manager, fork).time == 900
    manager.session(None).snapshot()


def test_a_limit_of_sessions_is_one_owner_s(manage, caller):
    manager = manage(present=caller)
    (name,) = manager.testcases()
    caller.be("anna", sessions=2)
    mine = manager.select(name)
    manager.fork(mine)
    for more in (lambda: manager.select(name), lambda: manager.fork(mine), lambda: manager.select(name, wait=True)):
        with pytest.raises(BusyError, match="2 sessions"):
            more()
    caller.be("bert", sessions=2)
    manager.select(name)
    caller.be("anna", sessions=2)
    manager.stop(mine)
    manager.select(name)


def test_pages_show_only_what_is_the_caller_s(manage, caller):
    manager = manage(present=caller)
    (name,) = manager.testcases()
    readings = Readings(manager, 8)
    runs = Runs(manage.state_dir / "runs", lambda testid, _: pytest.fail(testid), manager.permit)
    caller.be("anna")
    hers = manager.select(name)
    assert readings.about(hers).step == 300
    assert readings.read(hers).clock == 0
    assert runs.find(hers) is None
    caller.be("bert")
    for refused in (readings.about, readings.read, readings.begin, runs.find, runs.stop):
        with pytest.raises(UnknownSessionError):
            refused(hers)


def test_a_limit_of_storage_stops_writing_and_nothing_else(manage, caller):
    manager = manage(present=caller)
    (name,) = manager.testcases()
    caller.be("anna")
    mine = manager.select(name)
    advance(manager, mine)
    caller.be("anna", storage=1)
    for write in (lambda: advance(manager, mine), lambda: manager.session(mine).snapshot(), lambda: manager.fork(mine),
                  lambda: manager.select(name)):  # fmt: skip
        with pytest.raises(StorageError, match="anna take as much as they may"):
            write()
    assert manager.session(mine).host_state().time == 300
    assert manager.session(mine).results(["Tchw_supply"], 0, 1e9)["time"].tolist() == [0, 300]
    caller.be("bert", storage=10**9)
    manager.stop(manager.select(name))
    caller.be("anna", storage=1)
    manager.stop(mine)


def test_a_limit_of_all_is_one_of_everybody(manage):
    manager = manage(TRIVIUM_MAX_STORAGE="1")
    (name,) = manager.testcases()
    manager.session(None).host_state()
    (manager._state_dir / "filler").write_bytes(bytes(2**20))
    with pytest.raises(StorageError, match="TRIVIUM_MAX_STORAGE"):
        manager.select(name)
    assert manager.session(None).host_state().time == 0


def test_pages_list_the_sessions_that_were_used_last_the_default_and_the_chosen_one(manage, caller, monkeypatch):
    monkeypatch.setattr("trivium.dashboard.readings._LISTED", 2)
    manager = manage(present=caller)
    manager.open_default()
    (name,) = manager.testcases()
    caller.be("anna")
    hers = [manager.select(name) for _ in range(3)]
    caller.be("bert")
    his = [manager.select(name) for _ in range(3)]
    for testid in his[1:]:
        advance(manager, testid)
    readings = Readings(manager, 8)
    (default,) = (each["testid"] for each in readings.recent()[0] if each["default"])
    listed, total = readings.recent()
    assert [each["testid"] for each in listed] == sorted([default, *his[1:]])
    assert total == 4  # the default session and his
    for chosen, more in ((his[0], his), (hers[0], his[1:]), ("x" * 8, his[1:])):
        assert {each["testid"] for each in readings.recent(chosen)[0]} == {default, *more}
