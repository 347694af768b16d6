"""The journal: nothing that was appended is lost, nothing that was cut off or discarded comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from trivium.errors import DamagedError, StateError, StorageError
from trivium.session.journal import Journal, Kind, read
from trivium.storage import LockedError

BODIES = [b"", b"one", bytes(range(256)) * 9, b"TVJ2" * 20]


def filled(folder, bodies=BODIES, durability="process"):
    journal = Journal(folder, durability)
    journal.start_generation([(Kind.BASE, b"base")])
    for body in bodies:
        journal.append(Kind.COMMIT, body)
    journal.close()


def reopened(folder):
    journal = Journal(folder)
    try:
        return journal.recorded()
    finally:
        journal.close()


@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_was_appended_is_read_in_order(tmp_path, durability):
    filled(tmp_path, durability=durability)
    records = reopened(tmp_path)
    assert [r.body for r in records] == [b"base", *BODIES]
    assert [r.kind for r in records] == [Kind.BASE] + [Kind.COMMIT] * len(BODIES)
    assert [r.sequence for r in records] == [1, 2, 3, 4, 5]
    assert {(r.epoch, r.generation) for r in records} == {(1, 1)}


def test_a_journal_cut_anywhere_keeps_every_whole_record_and_goes_on(tmp_path):
    filled(tmp_path / "whole", [b"first", b"second" * 5])
    data = (tmp_path / "whole" / "journal-00000001").read_bytes()
    ends = [0]
    for record in read(data):
        ends.append(ends[-1] + 40 + len(record.body))
    assert ends[-1] == len(data)
    for cut in range(len(data) + 1):
        folder = tmp_path / f"cut{cut}"
        shutil.copytree(tmp_path / "whole", folder)
        os.truncate(folder / "journal-00000001", cut)
        whole = sum(end <= cut for end in ends) - 1
        journal = Journal(folder)
        assert len(journal.recorded()) == whole
        sequence = journal.append(Kind.INTENT, b"next")
        journal.close()
        assert sequence == whole + 1
        assert [r.body for r in reopened(folder)] == [*[b"base", b"first", b"second" * 5][:whole], b"next"]


def test_a_flipped_bit_is_refused_wherever_it_is_and_nothing_is_dropped(tmp_path):
    filled(tmp_path, [b"first", b"second"])
    path = tmp_path / "journal-00000001"
    data = path.read_bytes()
    starts = [0, 44, 44 + 45, len(data)]
    for at in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            whole = sum(start <= at for start in starts) - 1
            read_before = []
            with pytest.raises(DamagedError, match=f"damaged at byte {starts[whole]}, after record {whole}"):
                read_before.extend(read(bytes(damaged)))
    path.write_bytes(damaged)
    with pytest.raises(DamagedError):
        Journal(tmp_path)
    assert path.read_bytes() == damaged


def test_a_record_that_is_absent_doubled_or_of_another_journal_is_refused(tmp_path):
    filled(tmp_path / "a", [b"first", b"second", b"third"])
    filled(tmp_path / "b", [b"First", b"second", b"third"])
    data, other = ((tmp_path / name / "journal-00000001").read_bytes() for name in "ab")
    first, second, third = 44, 44 + 45, 44 + 45 + 46
    for damaged in (
        data[:first] + data[second:],
        data[:second] + data[first:],
        data[:first] + data[second:third] + data[first:second] + data[third:],
        data[:second] + other[second:],
    ):
        with pytest.raises(DamagedError):
            list(read(damaged))


def test_room_that_was_never_filled_is_no_record(tmp_path):
    filled(tmp_path, [b"first"])
    path = tmp_path / "journal-00000001"
    with path.open("ab") as file:
        file.write(bytes(5000))
    assert [r.body for r in reopened(tmp_path)] == [b"base", b"first"]


def test_a_journal_of_before_is_refused_with_a_sentence(tmp_path):
    tmp_path.joinpath("journal-00000001").write_bytes(b"TVJ1" + bytes(100))
    with pytest.raises(StateError, match="an earlier version"):
        Journal(tmp_path)


@pytest.mark.parametrize("content", ["", "x", "1x", "-7", "9" * 30, "\udfff\0"])
def test_a_damaged_lock_costs_nothing(tmp_path, content):
    filled(tmp_path, [b"first"])
    journal = Journal(tmp_path)
    journal.append(Kind.COMMIT, b"second")
    journal.close()
    (tmp_path / "lock").write_bytes(content.encode("utf-8", "surrogatepass"))
    journal = Journal(tmp_path)
    assert journal.epoch == 3
    journal.append(Kind.COMMIT, b"third")
    journal.close()
    assert [(r.body, r.epoch) for r in reopened(tmp_path)][1:] == [(b"first", 1), (b"second", 2), (b"third", 3)]


def test_a_writer_notices_that_its_file_was_cut(tmp_path):
    journal = Journal(tmp_path)
    journal.start_generation([(Kind.BASE, b"base")])
    journal.append(Kind.COMMIT, b"first")
    os.truncate(tmp_path / "journal-00000001", 50)
    with pytest.raises(DamagedError, match="shorter than what was written"):
        journal.append(Kind.COMMIT, b"second")
    journal.close()


def test_a_generation_forgets_what_was_before(tmp_path):
    filled(tmp_path)
    journal = Journal(tmp_path)
    journal.start_generation([(Kind.BASE, b"anew"), (Kind.INTENT, b"more")])
    journal.append(Kind.COMMIT, b"done")
    journal.close()
    records = reopened(tmp_path)
    assert [(r.body, r.generation) for r in records] == [(b"anew", 2), (b"more", 2), (b"done", 2)]
    assert [r.sequence for r in records] == [6, 7, 8]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-00000002", "lock"]


def test_a_writer_that_died_while_starting_a_generation_changed_nothing_or_all(tmp_path):
    filled(tmp_path, [b"kept"])
    shutil.copy(tmp_path / "journal-00000001", tmp_path / "unfinished")
    assert [r.body for r in reopened(tmp_path)] == [b"base", b"kept"]
    old = (tmp_path / "journal-00000001").read_bytes()
    journal = Journal(tmp_path)
    journal.start_generation([(Kind.BASE, b"anew")])
    journal.close()
    (tmp_path / "journal-00000001").write_bytes(old)  # it died before removing the old one
    assert [r.body for r in reopened(tmp_path)] == [b"anew"]
    assert not (tmp_path / "journal-00000001").exists()


def test_there_is_one_writer_at_a_time_and_each_has_an_epoch_of_its_own(tmp_path):
    filled(tmp_path, [b"first"])
    journal = Journal(tmp_path)
    with pytest.raises(LockedError):
        Journal(tmp_path)
    journal.append(Kind.COMMIT, b"second")
    journal.close()
    journal.close()
    assert [r.epoch for r in reopened(tmp_path)] == [1, 1, 2]


def test_a_writer_in_another_process_excludes_us_until_it_is_killed(tmp_path):
    filled(tmp_path, [b"first"])
    code = (
        "import sys, time; from pathlib import Path; from trivium.session.journal import Journal, Kind;"
        "j = Journal(Path(sys.argv[1])); j.append(Kind.COMMIT, b'theirs'); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"ready\n"
        with pytest.raises(LockedError):
            Journal(tmp_path)
        other.send_signal(signal.SIGKILL)
    assert [r.body for r in reopened(tmp_path)] == [b"base", b"first", b"theirs"]


def test_an_orphan_whose_lock_was_taken_away_cannot_write(tmp_path):
    filled(tmp_path, [b"first"])
    orphan = Journal(tmp_path)
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").write_text("7")
    heir = Journal(tmp_path)
    assert heir.epoch == 8
    with pytest.raises(StorageError, match="another writer"):
        orphan.append(Kind.COMMIT, b"lost")
    with pytest.raises(StorageError, match="another writer"):
        orphan.start_generation([(Kind.BASE, b"lost")])
    heir.append(Kind.COMMIT, b"kept")
    heir.close()
    orphan.close()
    assert [r.body for r in reopened(tmp_path)] == [b"base", b"first", b"kept"]


FULL = """
import resource, sys
from pathlib import Path
from trivium.errors import DamagedError, StateError, StorageError
from trivium.session.journal import Journal, Kind
journal = Journal(Path(sys.argv[1]))
journal.start_generation([(Kind.BASE, b"base")])
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
done = 0
try:
    while True:
        journal.append(Kind.COMMIT, b"x" * 700)
        done += 1
except StorageError as error:
    assert error.status == 507, error.status
try:
    journal.start_generation([(Kind.BASE, b"y" * 9000)])
    sys.exit("a generation larger than the disk was taken")
except StorageError:
    pass
journal.append(Kind.COMMIT, b"small")
print(done)
"""


def test_a_full_disk_is_507_and_what_was_acknowledged_stays(tmp_path):
    done = int(subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=True, capture_output=True).stdout)
    assert 0 < done < 8
    assert [r.body for r in reopened(tmp_path)] == [b"base"] + [b"x" * 700] * done + [b"small"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal-00000001", "lock"]


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal")
