"""Space on the disk, measured on the disk."""

from __future__ import annotations

import os

import pytest

from trivium.access import Access, Quota
from trivium.environment import allocate_metrics, metrics_are_shared, share_metrics
from trivium.errors import StorageError
from trivium.space import Room, Sizes, measure

MIB = 2**20


def test_a_file_of_several_names_counts_once_and_a_link_leads_nowhere(tmp_path):
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    empty = measure([folder, other])
    (folder / "file").write_bytes(bytes(MIB))
    size = measure([folder, other])
    assert MIB <= size - empty < 1.1 * MIB
    os.link(folder / "file", other / "name")
    (other / "link").symlink_to(folder / "file")
    (other / "round").symlink_to(tmp_path)
    assert measure([folder, other]) - size < MIB / 10
    assert measure([other]) >= MIB
    (folder / "sparse").touch()
    os.truncate(folder / "sparse", 100 * MIB)
    assert measure([folder, other]) - size < MIB / 10
    assert measure([tmp_path / "absent"]) == 0


def test_a_size_is_not_measured_again_at_once(tmp_path):
    sizes, asked = Sizes(), []

    def folders():
        asked.append(1)
        return [tmp_path]

    first = sizes.of("name", folders)
    (tmp_path / "file").write_bytes(bytes(MIB))
    assert sizes.of("name", folders) == first
    assert len(asked) == 1
    assert sizes.of("another", folders) >= MIB


def test_what_does_not_fit_is_refused_before_it_is_written(tmp_path):
    Room(tmp_path).check()
    Room(tmp_path, reserve=1).check(MIB)
    with pytest.raises(StorageError, match="TRIVIUM_DISK_RESERVE"):
        Room(tmp_path).check(2**60)
    (tmp_path / "file").write_bytes(bytes(MIB))
    Room(tmp_path, limit=2 * MIB).check()
    for size, needed in ((MIB, 0), (2 * MIB, MIB)):
        with pytest.raises(StorageError, match="TRIVIUM_MAX_STORAGE"):
            Room(tmp_path, limit=size).check(needed)


def test_nothing_fits_into_what_was_removed(tmp_path):
    room = Room(tmp_path / "state")
    with pytest.raises(StorageError, match="state cannot be used: No such file"):
        room.check()


def test_what_an_owner_holds_is_the_sum_of_its_holdings(tmp_path):
    for name in ("session", "job", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(MIB))
    access = Access("anna", everything=False, quota=Quota(storage=5 * MIB // 2))
    room = Room(tmp_path, present=lambda: access)
    room.holdings.append(lambda owner: [tmp_path / "session"] if owner == "anna" else [])
    room.check()
    with pytest.raises(StorageError, match="anna"):
        room.check(2 * MIB)
    room = Room(tmp_path, present=lambda: access)
    room.holdings += [lambda _, name=name: [tmp_path / name] for name in ("session", "job", "elsewhere")]
    with pytest.raises(StorageError, match="anna"):
        room.check()


def test_figures_are_counted_in_files_that_are_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    allocate_metrics()
    assert not metrics_are_shared()
    share_metrics(tmp_path)
    allocate_metrics()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [f"{kind}_{os.getpid()}.db" for kind in ("counter", "histogram")]
    for path in files:
        assert 512 * path.stat().st_blocks >= path.stat().st_size == MIB
    share_metrics(tmp_path / "absent")  # as on a disk without space
    allocate_metrics()
    assert not metrics_are_shared()
