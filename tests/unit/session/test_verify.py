"""`trivium verify` names what is damaged, and `--repair` mends it or says that it cannot; nothing wrong remains."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile

import numpy as np
import pytest
from click.testing import CliRunner

from tests.unit.session.damage import Client, copy, faults, flip, journal_of
from tests.unit.session.tools import ALL, advance, kill, results
from trivium.backup import backup
from trivium.cli.program import program
from trivium.errors import DamagedError, InvalidValueError, TriviumError, UnknownSessionError
from trivium.session.folder import Folder
from trivium.verify import repair, verify


def run(*arguments, **environ):
    return CliRunner().invoke(program, ["verify", *map(str, arguments)], env=environ)


@pytest.fixture
def stopped(manage):
    """A manager and the folder of a session with a snapshot that nobody serves."""
    manager = manage()
    testid = manager.select(manager.testcases()[0])
    advance(manager, testid, steps=2)
    manager.snapshot(testid, key="once")
    advance(manager, testid, steps=2)
    kill(manager, testid)
    return manager, Folder(manager._state_dir, testid)


def test_what_is_whole_is_whole_also_while_it_is_served(manage):
    manager = manage()
    assert verify(manager._state_dir) == []
    for _ in range(3):
        advance(manager, steps=3)
        manager.session(None).snapshot()
        assert verify(manager._state_dir) == []
    ended = run(manager._state_dir)
    assert (ended.exit_code, ended.output) == (0, f"{manager._state_dir}: all is as it was written\n")


@pytest.mark.slow
def test_every_fault_is_named_and_what_is_repaired_agrees_with_what_was_acknowledged(manage):
    manager = manage(TRIVIUM_MAX_SESSIONS="400", TRIVIUM_MAX_STORED="400", TRIVIUM_RECLAIM_AFTER="0")
    client = Client(manager)
    kill(manager, client.testid)
    folder = Folder(manager._state_dir, client.testid)
    repaired, refused = 0, 0
    for number, (name, apply) in enumerate(faults(folder, 7).items()):
        file = name.partition(":")[0]
        if file == "journal/lock" or (file == "status" and "removed" in name):
            continue  # neither is needed
        copied = copy(folder, manager._state_dir, f"damaged-{number}")
        apply(copied)
        findings = verify(manager._state_dir)
        named = any(finding.path.is_relative_to(copied.path) for finding in findings)
        repaired += sum(repair(finding) is not None for finding in findings)
        left = verify(manager._state_dir)
        assert all(repair(finding) is None for finding in left), name
        try:
            columns = results(manager, copied.testid)
            table = np.column_stack([columns["time"], *(columns[name] for name in ALL)])
            assert np.array_equal(table, client.rows[: len(table)], equal_nan=True), name
            assert named or len(table) == len(client.rows), name  # rows that the journal has, too
        except (DamagedError, UnknownSessionError):
            refused += 1
            assert named, name
        shutil.rmtree(copied.path, ignore_errors=True)
        for moved in (manager._state_dir / "sessions").glob(".damaged-*"):
            shutil.rmtree(moved)
    assert repaired > 20
    assert refused > 20


def test_a_journal_is_cut_before_the_damage_and_what_is_lost_is_said(stopped):
    manager, folder = stopped
    path = journal_of(folder)
    flip(path, path.stat().st_size - 1, 0)
    ended = run(manager._state_dir, "--json")
    (damaged,) = json.loads(ended.output)["damaged"]
    assert ended.exit_code == 1
    assert damaged["path"] == str(path)
    assert damaged["repaired"] is None
    ended = run("--repair", TRIVIUM_STATE_DIR=str(manager._state_dir))
    assert ended.exit_code == 0, ended.output
    assert "what was done in records 8 to 9 is lost; the journal as it was is .damaged-journal-" in ended.output
    assert list(results(manager, folder.testid)["time"]) == [0.0, 300.0, 600.0, 900.0]
    assert advance(manager, folder.testid).time == 1200.0
    assert verify(manager._state_dir) == []


def test_a_journal_that_ends_too_early_is_acknowledged(stopped):
    manager, folder = stopped
    path = journal_of(folder)
    os.truncate(path, path.stat().st_size - 1)
    (finding,) = verify(manager._state_dir)
    assert "was acknowledged" in finding.problem
    assert "is lost" in repair(finding)
    assert verify(manager._state_dir) == []
    assert advance(manager, folder.testid).time == 1200.0


def test_a_row_file_comes_back_from_a_copy(stopped):
    manager, folder = stopped
    manager.session(folder.testid).initialize(0)
    manager.session(folder.testid).advance_many(steps=100)
    manager.session(folder.testid).snapshot()
    kill(manager, folder.testid)
    advance(manager, folder.testid)
    kill(manager, folder.testid)
    base = [finding.path for finding in verify(manager._state_dir)]
    assert base == []
    for file in folder.rows.iterdir():
        for shared in (folder.path / "snapshots").glob(f"*/{file.name}"):
            shared.unlink()
            shutil.copyfile(file, shared)  # as on a file system without links
    damaged = [file for file in folder.rows.iterdir() if list((folder.path / "snapshots").glob(f"*/{file.name}"))]
    for file in damaged:
        flip(file, 20, 1)
    for finding in verify(manager._state_dir):
        assert finding.path in damaged
        assert "nothing is lost" in repair(finding)
    assert verify(manager._state_dir) == []
    assert len(results(manager, folder.testid)["time"]) == 102


def test_a_session_that_is_served_is_not_repaired(stopped):
    manager, folder = stopped
    advance(manager, folder.testid)
    path = journal_of(folder)
    flip(path, path.stat().st_size - 1, 0)
    (finding,) = verify(manager._state_dir)
    with pytest.raises(TriviumError, match="stop the server first"):
        repair(finding)
    ended = run(manager._state_dir, "--repair")
    assert ended.exit_code == 1
    assert "not repaired: its process is running" in ended.output


@pytest.mark.parametrize(
    ("name", "content"),
    [("testcases.json", "[]"), ("uploads.json", "{"), ("keys/*", "{}"), ("sweep/cache.sqlite", "no database" * 99)],
)
def test_other_files_of_a_state_directory_are_looked_at(stopped, name, content):
    state_dir = stopped[0]._state_dir
    (state_dir / "sweep").mkdir(exist_ok=True)
    path = next(state_dir.glob(name), state_dir / name)
    path.write_text(content)
    (finding,) = verify(state_dir)
    assert finding.path == path
    if name.startswith("sweep"):
        assert "nothing is lost but time" in repair(finding)
        assert not path.exists()
    else:
        assert repair(finding) is None


def test_a_backup_is_verified(stopped, tmp_path):
    manager, folder = stopped
    file = tmp_path / "backup.tar"
    backup(manager._state_dir, file)
    assert verify(file) == []
    with tarfile.open(file) as archive:
        (member,) = [each for each in archive.getmembers() if "/journal/journal-" in each.name]
    flip(file, member.offset_data + 100, 3)
    (finding,) = verify(file)
    assert finding.path == file / "sessions" / folder.testid / "journal" / "journal-00000001"
    assert finding.repair is None
    assert [path.name for path in tmp_path.glob(".backup*")] == []
    os.truncate(file, member.offset_data + 100)
    assert len(verify(file)) >= 1
    file.write_text("no archive")
    (finding,) = verify(file)
    assert "is no backup, or is damaged" in finding.problem
    flip(journal_of(folder), 100, 3)
    ended = CliRunner().invoke(program, ["backup", str(file)], env={"TRIVIUM_STATE_DIR": str(manager._state_dir)})
    assert ended.exit_code == 1
    assert f"{folder.testid}/journal/journal-00000001 is damaged at byte 0" in ended.output


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="no state directory, no folder of results and no backup"):
        verify(tmp_path)


def test_results_without_their_index_are_damaged(tmp_path):
    with sqlite3.connect(tmp_path / "study.sqlite") as base:
        base.execute("CREATE TABLE parts (part INTEGER)")
    base.close()
    flip(tmp_path / "study.sqlite", 0, 1)
    (finding,) = verify(tmp_path)
    assert "SQLite reports" in finding.problem
