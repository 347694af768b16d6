"""FMUs that clients bring: what is refused leaves nothing behind, and what runs is confined."""

from __future__ import annotations

import io
import shutil
import zipfile

import pytest

from tests.trap_fmu import Trap
from trivium.confinement import available
from trivium.errors import InvalidValueError, StorageError

#: What the trap adds to `calls`: its own files; others' files, sockets, connections and signals.
OWN, REST = 30, 3700


@pytest.fixture
def manager(manage, tmp_path):
    (tmp_path / "cases").mkdir()
    return manage(TRIVIUM_TESTCASES=str(tmp_path / "cases"))


def left_behind(tmp_path, state):
    folders = [tmp_path / "cases", state / "uploads", *state.glob("sessions/.trial*")]
    return [path for folder in folders if folder.is_dir() for path in folder.iterdir()]


def test_an_uploaded_fmu_writes_only_what_is_its_own_and_reaches_nobody(manage, manager, tmp_path, trap_fmu):
    if not all(available()):
        pytest.skip("the kernel has no Landlock, or no filter of system calls")
    with trap_fmu().open("rb") as content:
        manager.trials.upload("brought", content)
    testid = manager.select("brought")
    session = manager.session(testid)
    assert session.advance({"trap": Trap.PRY})["calls"] == 1 + OWN
    (about,) = [each for each in manager.sessions() if each["testid"] == testid]
    assert about["confined"] == "files and network"
    folder = manage.state_dir / "sessions" / testid
    assert {path.name for path in (folder / "work").iterdir()} >= {"log.txt", "tmp"}
    assert (folder / "work" / "tmp" / "scratch").exists()
    assert not (manage.state_dir / "escaped").exists()
    # all that a session does works: results, snapshots, forks, a new process
    session.advance({"trap": Trap.NONE})
    snapshot = session.snapshot()
    fork = manager.session(manager.fork(testid, snapshot))
    fork.advance({})
    session.restore(snapshot)
    with pytest.raises(Exception, match="SIGSEGV"):
        session.advance({"trap": Trap.SEGMENTATION_FAULT})
    assert session.advance({"trap": Trap.NONE})["calls"] == 3 + OWN
    assert len(session.results(["y"], 0, 1e9)["y"]) == 4
    assert manager.remove_testcase("brought") == 2
    assert left_behind(tmp_path, manage.state_dir) == []


def test_an_fmu_of_the_operator_is_not_confined(manager, tmp_path, trap_fmu):
    shutil.copy(trap_fmu(), tmp_path / "cases" / "own.fmu")
    manager.trials.add("own.fmu")
    testid = manager.select("own")
    assert manager.session(testid).advance({"trap": Trap.PRY})["calls"] > 1 + REST / 2
    (about,) = [each for each in manager.sessions() if each["testid"] == testid]
    assert about["confined"] is None


def archive(size):
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("modelDescription.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(size // 2**20):
            member.write(bytes(2**20))
    return io.BytesIO(data.getvalue())


@pytest.mark.parametrize(
    ("content", "words"),
    [(io.BytesIO(b"no archive"), "no FMU"), (archive(2**20), "model description"), (archive(200 * 2**20), "unpacked")],
)  # fmt: skip
def test_what_is_refused_leaves_nothing_behind(manage, manager, tmp_path, content, words):
    with pytest.raises(InvalidValueError, match=words):
        manager.trials.upload("brought", content)
    assert left_behind(tmp_path, manage.state_dir) == []


def test_what_there_is_no_room_for_is_not_unpacked(manage, tmp_path):
    (tmp_path / "cases").mkdir()
    manager = manage(TRIVIUM_TESTCASES=str(tmp_path / "cases"), TRIVIUM_MAX_STORAGE="40")
    with pytest.raises(StorageError, match="TRIVIUM_MAX_STORAGE"):
        manager.trials.upload("brought", archive(60 * 2**20))
    assert left_behind(tmp_path, manage.state_dir) == []
