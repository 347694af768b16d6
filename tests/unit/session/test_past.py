"""A session can always be initialized again, whatever became of its past."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.small_plant import temperature
from tests.unit.session.tools import advance, kill, results
from trivium.errors import ModelError, StateError, TriviumError
from trivium.session.folder import Folder
from trivium.session.frames import pack
from trivium.session.journal import Journal, Kind


def begins_anew(manager, testid=None):
    session = manager.session(testid)
    assert session.initialize(0).time == 0.0
    assert session.restored == "new"
    assert advance(manager, testid)["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    kill(manager, testid)
    assert list(results(manager, testid)["time"]) == [0.0, 300.0]


def test_a_session_of_other_resources(manage, small_resources, tmp_path):
    resources = tmp_path / "Resources"
    shutil.copytree(small_resources, resources)
    manager = manage(resources)
    testid = manager.select(manager.testcases()[0])
    advance(manager, testid, steps=2)
    (resources / "testcase.toml").write_text("[fmu]\ntolerance = 1e-6\n")
    kill(manager, testid)
    for _ in range(2):
        with pytest.raises(StateError, match="other Resources"):
            advance(manager, testid)
        assert manager.session(testid).health().restore == "exact"
    with pytest.raises(TriviumError):
        manager.session(testid).initialize(-1.0)
    with pytest.raises(StateError, match="other Resources"):
        advance(manager, testid)
    begins_anew(manager, testid)


@pytest.mark.parametrize("record", [{"version": 0}, None])
def test_a_journal_that_cannot_be_read(manage, record):
    manager = manage()
    advance(manager, steps=2)
    kill(manager)
    folder = Folder(manager._state_dir, manager._default).journal
    if record is None:
        (path,) = folder.glob("journal-*")
        data = bytearray(path.read_bytes())
        data[60] ^= 0xFF  # in the midst of the first record
        path.write_bytes(data)
    else:
        journal = Journal(folder)
        journal.start_generation([(Kind.BASE, pack(record, [b""]))])
        journal.close()
    with pytest.raises(TriviumError):
        advance(manager)
    begins_anew(manager)


def test_where_hosts_die_of_the_restore_the_steps_are_simulated_again(manage):
    manager = manage()
    advance(manager, steps=2)
    kill(manager)
    died = Folder(manager._state_dir, manager._default).path / "recovering"
    died.write_bytes(b"xx")
    assert advance(manager)["Tchw_supply"] == pytest.approx(temperature(900), abs=1e-5)
    assert manager.session(None).host_state().restored == "replayed"
    assert not died.exists()


def test_where_hosts_die_of_that_too_the_next_recovery_waits(manage):
    manager = manage()
    testid = manager.select(manager.testcases()[0])
    for session in (None, testid):
        advance(manager, session, steps=2)
        kill(manager, session)
        died = Folder(manager._state_dir, session or manager._default).path / "recovering"
        died.write_bytes(b"xxxx")
        for _ in range(2):
            with pytest.raises(
                ModelError, match=r"4 processes died while .* Try again in \d+ s, or initialize it anew"
            ):
                advance(manager, session)
    begins_anew(manager)
    os.utime(died, (0, 0))
    assert advance(manager, testid)["Tchw_supply"] == pytest.approx(temperature(900), abs=1e-5)
    assert not died.exists()
