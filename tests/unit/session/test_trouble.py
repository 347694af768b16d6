"""Trouble in the midst of a session: memory that runs out, records that are torn, files that changed, helpers that die."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests import processes
from tests.small_plant import temperature
from tests.trap_fmu import PLANT_TRAP, Trap, expected
from tests.unit.session.tools import advance, children, kill, message_of, pid, results, same
from trivium.errors import ModelError, StateError
from trivium.session.folder import Folder, keep_clock
from trivium.session.frames import unpack, unpack_value
from trivium.session.journal import Kind, present, read
from trivium.session.ledger import committed
from trivium.session.rows import share
from trivium.simulation.checksums import Checksums
from trivium.simulation.row_files import RowFile


def test_a_request_that_leaks_beyond_the_limit_is_ended_within_it(manage, trap_resources):
    manager = manage(trap_resources(), TRIVIUM_SESSION_MEMORY="700")
    advance(manager, Tchws_set_HEX=286, steps=2)
    before = results(manager)
    leaking = {"steps": 300, "action": {PLANT_TRAP: int(Trap.LEAK)}}  # 64 MiB each
    with pytest.raises(ModelError, match=r"needed more memory than 700 MiB and was ended\. The session stands"):
        manager.session(None).advance_many(**leaking)
    assert same(results(manager), before)
    assert advance(manager)["Tchw_supply"] == pytest.approx(expected(900, 286), rel=1e-9)


def journal_of(manager, testid=None):
    (path,) = Folder(manager._state_dir, testid or manager._default).journal.glob("journal-*")
    return path


@pytest.mark.parametrize("cut", [1, 40, 2000, -1])
def test_a_record_that_was_torn_when_the_host_died_is_dropped_and_its_request_is_done_once(manage, cut):
    manager = manage()
    advance(manager, steps=3, CHI02=1)
    before = results(manager)
    folder = Folder(manager._state_dir, manager._default)
    status = folder.status()
    reply = manager.session(None, key="torn").advance({"Tchws_set_HEX": 285})
    kill(manager)
    path = journal_of(manager)
    size = path.stat().st_size
    last = len(list(read(path.read_bytes()))[-1].body) + 40
    os.truncate(path, size - (cut if cut > 0 else last - 1))  # as if it had died while it wrote the commit
    keep_clock(status, folder.path / "status")  # and so before it could acknowledge that
    assert same(results(manager), before)
    assert manager.session(None, key="torn").advance({"Tchws_set_HEX": 285}) == reply
    assert manager.session(None, key="torn").advance({"Tchws_set_HEX": 285}) == reply
    assert manager.session(None).host_state().time == 1200.0


def test_when_the_resources_changed_the_default_session_is_set_aside_and_others_are_refused(
    manage, small_resources, tmp_path
):
    resources = tmp_path / "Resources"
    shutil.copytree(small_resources, resources)
    manager = manage(resources)
    testid = manager.select(manager.testcases()[0])
    advance(manager, steps=3)
    advance(manager, testid, steps=2)
    manager.close()
    (resources / "testcase.toml").write_text("[fmu]\ntolerance = 1e-6\n")
    again = manage(resources)
    again.open_default()
    (aside,) = (again._state_dir / "sessions").glob(".changed-*")
    assert (aside / "about.json").exists()
    assert message_of(advance(again)) == "Advanced simulation successfully from 0.0s to 300.0s."
    with contextlib.suppress(StateError):  # its host had opened the test case before, and may have ended meanwhile
        kill(again, testid)
    with pytest.raises(StateError, match="other Resources"):
        advance(again, testid)
    (resources / "testcase.toml").unlink()  # back: the session goes on
    assert message_of(advance(manage(resources), testid)) == "Advanced simulation successfully from 600.0s to 900.0s."


def test_an_fmu_of_one_instance_a_process_has_sessions_that_survive_all_the_same(manage, trap_resources):
    manager = manage(trap_resources(one_instance=True))
    advance(manager, Tchws_set_HEX=286, steps=3)
    with pytest.raises(ModelError):
        advance(manager, **{PLANT_TRAP: int(Trap.ERROR)})
    ahead = manager.session(None).look_ahead({PLANT_TRAP: 0})["Tchw_supply"]
    assert ahead == pytest.approx(expected(1200, 286), rel=1e-9)
    snapshot = manager.session(None).snapshot()
    kill(manager)
    assert advance(manager, **{PLANT_TRAP: 0})["Tchw_supply"] == ahead
    twin = manager.fork(None, snapshot)
    manager.session(None).restore(snapshot)
    for testid in (None, twin):
        assert advance(manager, testid)["Tchw_supply"] == ahead
    assert manager.restored(twin) == "exact"


@pytest.mark.slow
def test_a_session_long_enough_for_several_generations_of_its_journal_comes_back_whole(manage, resources):
    manager = manage(resources)
    for k in range(12):  # each takes long enough for another checkpoint
        manager.session(None).advance_many(steps=600, point_names=[], action={"CHI02": k % 2})
    before = results(manager)
    assert len(before["time"]) == 12 * 600 + 1
    assert journal_of(manager).name > "journal-00000002"
    snapshot = manager.session(None).snapshot()
    kill(manager)
    assert same(results(manager), before)
    twin = manager.fork(None, snapshot)
    reply = advance(manager)
    assert advance(manager, twin) == reply
    folder = Folder(manager._state_dir, manager._default)
    assert sum(path.stat().st_size for path in folder.journal.iterdir()) < 2**23
    shared = {path.stat().st_ino for path in folder.rows.iterdir()}
    assert shared & {path.stat().st_ino for path in Folder(manager._state_dir, twin).rows.iterdir()}
    manager.session(None).initialize(0)
    assert len(list(folder.rows.iterdir())) == 1  # what the session needs no more is gone
    assert len(results(manager, twin)["time"]) == 12 * 600 + 2
    manager.session(None).restore(snapshot)
    assert same(results(manager), before)


def hosts_family(number):
    """Return a host's parent, which is its template, and the children of that."""
    parent = int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
    return parent, children(parent)


def test_a_template_and_its_spare_children_may_die(manage):
    manager = manage()
    advance(manager)
    template, family = hosts_family(pid(manager))
    spare = [child for child in family if child != pid(manager)]
    processes.kill(*spare, template)
    advance(manager)  # the host lives on
    name = manager.testcases()[0]
    testid = manager.select(name)
    assert advance(manager, testid)["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    kill(manager)
    assert message_of(advance(manager)) == "Advanced simulation successfully from 600.0s to 900.0s."


def test_how_an_orphaned_host_ended_is_still_told(manage, trap_resources):
    manager = manage(trap_resources())
    advance(manager, Tchws_set_HEX=286)
    template, _ = hosts_family(pid(manager))
    processes.kill(template)
    with pytest.raises(ModelError, match=r"killed by signal 11 \(SIGSEGV\)"):
        advance(manager, **{PLANT_TRAP: int(Trap.SEGMENTATION_FAULT)})


def test_what_is_known_of_a_session_that_was_restored_or_forked_is_told(manage, trap_resources):
    for restore, told in (("exact", "exact"), ("inexact", "inexact"), ("none", "replayed"), ("crash", "replayed")):
        manager = manage(trap_resources(restore=restore))
        testid = manager.select(manager.testcases()[0])
        advance(manager, testid, steps=2, Tchws_set_HEX=286)
        fork = manager.fork(testid)
        assert advance(manager, fork).restored == told
        session = manager.session(testid)
        session.restore(session.snapshot())
        assert session.restored == told
        assert advance(manager, testid).restored == told
        if told == "inexact":  # nothing is left of it then
            manager.session(testid).initialize(0)
            assert advance(manager, testid).restored == "new"
        manager.close()


def test_row_files_are_copied_where_there_are_no_links(monkeypatch, tmp_path):
    def no_links(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    folder, other = tmp_path / "one", tmp_path / "other"
    folder.mkdir()
    file = folder / "rows"
    for content in (b"1" * 8, b"1" * 16):  # the file grows between two snapshots
        file.write_bytes(content)
        checksums = Checksums()
        checksums.append(memoryview(content))
        share([RowFile(file, len(content) // 8, len(content), checksums.pack())], other)
        assert (other / "rows").read_bytes() == content
    (other / "rows").write_bytes(b"1" * 15 + b"2")  # damaged: the better one of two is used
    share([RowFile(file, 2, 16, checksums.pack())], other)
    assert (other / "rows").read_bytes() == content


def test_a_host_that_dies_as_a_request_arrives_costs_no_reply(manage):
    manager = manage()
    for step in range(1, 25):
        os.kill(pid(manager), signal.SIGKILL)  # it accepts connections until it has really ended
        assert advance(manager).time == 300.0 * step


def test_what_became_of_a_request_is_in_the_journal_where_no_host_comes_back(manage):
    manager = manage()
    folder = Folder(manager._state_dir, manager._default)
    manager.session(None).advance({})
    (intent,) = (record for record in present(folder.journal) if record.kind is Kind.INTENT)
    request, _ = unpack(intent.body)
    value, _ = unpack_value(committed(folder.journal, request["id"]))
    assert value.time == 300.0
    assert committed(folder.journal, "unknown") is None
    path = journal_of(manager)
    before = path.read_bytes()
    kill(manager)
    os.truncate(path, len(before) - 1)  # its commit is cut off
    assert committed(folder.journal, request["id"]) is None
    path.write_bytes(before)
    manager.session(None).initialize(0)
    records = list(present(folder.journal))
    assert len(records) == 1  # it is committed by the generation that begins with it
    assert unpack_value(committed(folder.journal, request["id"]))[0].time == 300.0
