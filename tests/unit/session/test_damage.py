"""Whatever happens to the files of a session that nobody serves: right numbers, or a refusal that names the damage.

The oracle is what the client wrote down of the replies that it got.
"""

from __future__ import annotations

import os

import pytest

from tests import processes
from tests.unit.session.damage import Client, copy, faults, flip, journal_of
from tests.unit.session.tools import ALL, advance, kill, results
from trivium.errors import DamagedError
from trivium.session.folder import Folder


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.long)])
def test_every_flip_and_truncation_ends_in_the_right_numbers_or_in_a_refusal(manage, seed):
    manager = manage(TRIVIUM_MAX_SESSIONS="400", TRIVIUM_MAX_STORED="400", TRIVIUM_RECLAIM_AFTER="0")
    client = Client(manager)
    if seed:  # with several records in the journal, or in a generation that just began
        for _ in range(seed):
            manager.session(client.testid).snapshot()
            advance(manager, client.testid, **client.action(3))
            client.rows.append(_last(manager, client.testid))
    kill(manager, client.testid)
    folder = Folder(manager._state_dir, client.testid)
    expected = _continued(manager, client)
    every = faults(folder, seed)
    assert len(every) > 56
    silent, refused = [], 0
    for number, (name, apply) in enumerate(every.items()):
        copied = copy(folder, manager._state_dir, f"damaged-{number}")
        apply(copied)
        for ability in (_go_on, _restore, _fork):
            twin = copy(copied, manager._state_dir, f"{copied.testid}-{ability.__name__.strip('_').replace('_', '-')}")
            try:
                if not ability(manager, client, twin.testid, expected):
                    silent.append((name, ability.__name__))
            except DamagedError:
                refused += 1
            _listed(manager, twin.testid)
            if twin.exists():
                manager.stop(twin.testid)
        manager.stop(copied.testid)
    assert silent == []
    assert refused > len(every) / 4
    assert _go_on(manager, client, client.testid, expected)  # the one that nobody touched


def _last(manager, testid):
    columns = results(manager, testid)
    return [columns["time"][-1], *(columns[name][-1] for name in ALL)]


def _continued(manager, client):
    """Return what the next step gives."""
    fork = manager.fork(client.testid)
    reply = advance(manager, fork, **client.action(1))
    manager.stop(fork)
    kill(manager, client.testid)
    return reply


def _go_on(manager, client, testid, expected):
    return client.agrees(testid) and advance(manager, testid, **client.action(1)) == expected


def _restore(manager, client, testid, _expected):
    manager.session(testid).restore(client.snapshot)
    return client.agrees(testid, client.at_snapshot)


def _fork(manager, client, testid, _expected):
    fork = manager.fork(testid, client.snapshot)
    try:
        return client.agrees(fork, client.at_snapshot)
    finally:
        manager.stop(fork)


def _listed(manager, testid):
    assert testid in {session["testid"] for session in manager.sessions()}


@pytest.fixture
def stopped(manage):
    """A manager, the folder of a session that nobody serves, and the record after which its last step begins."""
    manager = manage()
    testid = manager.select(manager.testcases()[0])
    advance(manager, testid, steps=2)
    folder = Folder(manager._state_dir, testid)
    before = journal_of(folder).stat().st_size
    advance(manager, testid)
    kill(manager, testid)
    return manager, folder, before


def test_what_was_acknowledged_and_is_not_in_the_journal_is_lost_until_a_client_acknowledges_it(stopped):
    manager, folder, before = stopped
    os.truncate(journal_of(folder), before)
    session = manager.session(folder.testid)
    for _ in range(2):
        for request in (session.host_state, session.snapshot, lambda: session.advance({})):
            with pytest.raises(DamagedError, match=r"was at 900.0s and is at 600.0s. PUT /acknowledge") as caught:
                request()
            assert caught.value.lost
        (listed,) = (listed for listed in manager.sessions() if listed["testid"] == folder.testid)
        assert (listed["state"], listed["time"]) == ("damaged", 900.0)
        assert "is lost" in listed["damage"]
        processes.kill(folder.status().pid)
    assert session.acknowledge() == 600.0
    assert session.acknowledge() == 600.0
    assert advance(manager, folder.testid).time == 900.0
    kill(manager, folder.testid)
    assert list(results(manager, folder.testid)["time"]) == [0.0, 300.0, 600.0, 900.0]
    assert {listed["state"] for listed in manager.sessions()} <= {"idle", "busy"}


@pytest.mark.parametrize("size", [0, 0.5])
def test_a_journal_without_its_beginning_does_not_make_a_new_session(stopped, size):
    manager, folder, before = stopped
    os.truncate(journal_of(folder), int(size * before / 2))
    with pytest.raises(DamagedError, match="The session was at 900.0s and is at 0.0s"):
        manager.session(folder.testid).host_state()
    assert manager.session(folder.testid).initialize(300).time == 300.0
    assert manager.session(folder.testid).host_state().time == 300.0


def test_a_changed_bit_of_the_last_step_is_damage_and_a_snapshot_is_a_way_out(manage):
    manager = manage()
    testid = manager.select(manager.testcases()[0])
    advance(manager, testid, steps=2)
    snapshot = manager.session(testid).snapshot()
    expected = advance(manager, testid)
    kill(manager, testid)
    path = journal_of(Folder(manager._state_dir, testid))
    flip(path, path.stat().st_size - 1, 3)
    for _ in range(2):
        with pytest.raises(DamagedError, match="is damaged at byte"):
            advance(manager, testid)
    assert manager.session(testid).restore(snapshot) == 600.0
    assert advance(manager, testid) == expected
    kill(manager, testid)
    assert advance(manager, testid).time == 1200.0


@pytest.mark.parametrize("content", ["[]", "null", "{}", '{"testcase": "other"}', "\xff", ""])
def test_a_session_whose_description_is_damaged_is_shown_and_others_go_on(stopped, content):
    manager, folder, _ = stopped
    other = manager.select(manager.testcases()[0])
    (folder.path / "about.json").write_bytes(content.encode("latin-1"))
    manager.close()  # a handle knows the test case already
    listed = {session["testid"]: session for session in manager.sessions()}
    assert listed[folder.testid]["state"] == "damaged"
    assert listed[folder.testid]["testcaseid"] is None
    assert "about.json cannot be read" in listed[folder.testid]["damage"]
    assert listed[other]["damage"] is None
    with pytest.raises(DamagedError, match="about.json cannot be read"):
        advance(manager, folder.testid)
    assert advance(manager, other).time == 300.0
    manager.stop(folder.testid)
    assert folder.testid not in {session["testid"] for session in manager.sessions()}


def test_a_server_starts_although_its_default_session_is_damaged(manage):
    manager = manage()
    advance(manager, steps=3)
    kill(manager)
    manager.close()
    path = journal_of(Folder(manager._state_dir, manager._default))
    flip(path, 60, 0)
    again = manage()
    again.open_default()
    with pytest.raises(DamagedError):
        advance(again)
    assert advance(again, again.select(again.testcases()[0])).time == 300.0
    again.session(None).initialize(0)
    assert advance(again).time == 300.0
