"""What is made with an Idempotency-Key is made once: also by clients at once, after a death, and beyond the window."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.unit.session.tools import advance, kill
from trivium.errors import BusyError, ConflictError, DamagedError, ModelError
from trivium.session import keys as module
from trivium.session import ledger
from trivium.session.folder import Folder
from trivium.session.keys import KEPT, Keys


def test_the_first_reply_is_that_of_all_and_another_request_is_refused(tmp_path):
    made = []
    for _ in range(3):
        assert Keys(tmp_path).once("a", ["x", 1, None], lambda name: made.append(name) or "first") == "first"
    assert len(made) == 1
    with pytest.raises(ConflictError, match="used for another request"):
        Keys(tmp_path).once("a", ["x", 2, None], made.append)
    assert Keys(tmp_path).once("b", ["x", 1, None], lambda _: "second") == "second"
    assert len({Keys(tmp_path).once(None, [], lambda name: name) for _ in range(3)}) == 3


def test_what_failed_or_died_is_done_again_with_the_same_id(tmp_path):
    names = []

    def fails(name):
        names.append(name)
        raise ModelError("no")

    for _ in range(2):
        with pytest.raises(ModelError):
            Keys(tmp_path).once("a", [], fails)
    assert Keys(tmp_path).once("a", [], lambda name: name) == names[0] == names[1]


def test_who_comes_while_it_is_done_is_asked_to_come_again(tmp_path):
    begun, goes_on = threading.Event(), threading.Event()

    def slow(_):
        begun.set()
        assert goes_on.wait(300)
        return "done"

    replies = []
    thread = threading.Thread(target=lambda: replies.append(Keys(tmp_path).once("a", [], slow)))
    thread.start()
    assert begun.wait(300)
    with pytest.raises(BusyError, match="is being done"):
        Keys(tmp_path).once("a", [], slow)
    assert Keys(tmp_path).once("b", [], lambda _: "other") == "other"
    goes_on.set()
    thread.join()
    assert replies == [Keys(tmp_path).once("a", [], slow)] == ["done"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"request": "x", "reply": "y"}', b"\0" * 80])
def test_a_reply_that_is_damaged_is_never_done_again(tmp_path, content):
    Keys(tmp_path).once("a", [], lambda _: "first")
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="it was done"):
        Keys(tmp_path).once("a", [], lambda _: "second")


def test_old_replies_are_forgotten(tmp_path):
    Keys(tmp_path).once("a", [], lambda _: "first")
    (path,) = tmp_path.iterdir()
    os.utime(path, (0, time.time() - KEPT - 1.0))
    Keys(tmp_path).once("b", [], lambda _: "second")
    assert path not in tmp_path.iterdir()
    assert module.KEPT >= 7 * 86400.0


def test_sessions_snapshots_and_forks_are_made_once(manage):
    manager = manage()
    testcase = manager.testcases()[0]
    selected = manager.select(testcase, key="select")
    again = manage()  # another worker
    assert again.select(testcase, key="select") == selected
    with pytest.raises(ConflictError):
        again.fork(selected, key="select")
    with pytest.raises(ConflictError):
        again.select(testcase, wait=True, key="select")
    advance(manager, selected)
    snapshot = manager.snapshot(selected, key="snapshot")
    assert again.snapshot(selected, key="snapshot") == snapshot
    folder = Folder(manager._state_dir, selected)
    assert [path.name for path in (folder.path / "snapshots").iterdir()] == [snapshot]
    fork = manager.fork(selected, snapshot, key="fork")
    advance(manager, fork)
    assert again.fork(selected, snapshot, key="fork") == fork
    assert advance(again, fork).time == 900.0
    present = manager.fork(selected, key="present")
    assert again.fork(selected, key="present") == present
    assert len({selected, fork, present}) == 3
    assert len(manager.sessions()) == 3
    manager.stop(fork)
    assert again.fork(selected, snapshot, key="fork") == fork  # the reply of the first; nothing is made
    assert len(manager.sessions()) == 2


def test_a_fork_whose_web_worker_died_is_finished_with_the_same_id(manage, monkeypatch):
    manager = manage()
    selected = manager.select(manager.testcases()[0])
    advance(manager, selected)
    snapshot = manager.snapshot(selected)
    forked = []

    def dies(folder, *_):
        forked.append(folder.testid)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trivium.session.manager.begin", dies)
        patch.setattr(manager, "stop", lambda _: None)  # it died
        with pytest.raises(KeyboardInterrupt):
            manager.fork(selected, snapshot, key="a")
    assert manager.fork(selected, snapshot, key="a") == forked[0]
    assert advance(manager, forked[0]).time == 600.0
    assert len(manager.sessions()) == 2


def test_a_key_whose_reply_is_not_kept_any_more_is_refused_and_not_done_again(manage, monkeypatch):
    manager = manage()
    first = manager.session(None, key="0").advance({})
    for number in range(1, ledger.REPLIES):
        manager.session(None, key=str(number)).set_step(300)
    assert manager.session(None, key="0").advance({}) == first
    for number in range(ledger.REPLIES, ledger.REPLIES + 40):
        manager.session(None, key=str(number)).set_step(300)
    for _ in range(2):
        for number in ("0", "1", "39"):
            with pytest.raises(ConflictError, match="its request was done. Replies are kept for the last 64 requests"):
                manager.session(None, key=number).advance({})
        assert manager.session(None).host_state().time == 300.0
        kill(manager)
    manager.session(None, key="new").initialize(0)
    kill(manager)
    with pytest.raises(ConflictError, match="its request was done"):
        manager.session(None, key="0").advance({})


def test_the_keys_of_old_are_limited_and_the_latest_stay():
    spent = ledger.Spent()
    count = ledger.SPENT + 3 * 1024
    for number in range(count):
        spent.add(str(number))
        spent.add(str(number))
    again = ledger.Spent(spent.pack())
    for keys in (spent, again):
        assert all(str(number) in keys for number in range(count - ledger.SPENT, count))
        assert "0" not in keys
        assert "never" not in keys
    assert len(spent.pack()) <= 8 * (ledger.SPENT + 1024)
