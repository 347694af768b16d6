"""Unpacking and reading FMUs."""

from __future__ import annotations

import gc
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.trap_fmu import repacked
from trivium.errors import ResourcesError
from trivium.model.fmu import archive
from trivium.model.fmu.archive import unpack
from trivium.model.fmu.description import read_fmu


@pytest.fixture
def fmu(small_resources):
    return small_resources / "AlphaDataCenterCooling_FMU.fmu"


def test_a_description(fmu, tmp_path):
    description = read_fmu(fmu, tmp_path)
    assert description.name == "small_plant"
    assert description.library.is_file()
    assert (len(description.inputs), len(description.outputs)) == (104, 86)
    assert description.can_snapshot
    assert description.experiment.tolerance == 1e-8
    by_name = {v.variable.name: v.variable for v in description.inputs}
    assert (by_name["Mchw"].unit, by_name["Mchw"].minimum, by_name["Mchw"].kind) == ("kg/s", 0.0, "real")


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed by /proc")
def test_reading_leaves_no_file_open(fmu, tmp_path):
    def count():
        return sum(
            os.path.realpath(f"/proc/self/fd/{fd}").startswith(str(tmp_path)) for fd in os.listdir("/proc/self/fd")
        )

    gc.disable()  # it would close what is lost in a circle
    try:
        read_fmu(fmu, tmp_path)
        assert count() == 0
    finally:
        gc.enable()


def test_an_fmu_is_unpacked_once_and_again_when_it_changes(fmu, tmp_path):
    first = unpack(fmu, tmp_path / "cache")
    stamp = (first / "modelDescription.xml").stat().st_mtime_ns
    assert unpack(fmu, tmp_path / "cache") == first
    assert (first / "modelDescription.xml").stat().st_mtime_ns == stamp
    changed = tmp_path / "changed.fmu"
    changed.write_bytes(fmu.read_bytes())
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("resources/more.txt", "more")
    assert unpack(changed, tmp_path / "cache") != first


def test_many_may_unpack_at_once(fmu, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(lambda _: unpack(fmu, tmp_path / "cache"), range(8)))
    assert len(folders) == 1
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [folders.pop().name]


def test_no_archive(tmp_path):
    (tmp_path / "x.fmu").write_bytes(b"nonsense")
    with pytest.raises(ResourcesError, match=r"x.fmu"):
        read_fmu(tmp_path / "x.fmu", tmp_path / "cache")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: None if name == "modelDescription.xml" else data, "no FMU: it holds no modelDescription"),
        (lambda name, data: data[:500] if name == "modelDescription.xml" else data, "cannot be read"),
        (lambda name, data: data.replace(b'fmiVersion="2.0"', b'fmiVersion="9.9"'), "cannot be read|FMI 9.9"),
        (
            lambda name, data: data.replace(b"CoSimulation", b"NoSimulation").replace(b"ModelExchange", b"NoExchange"),
            "no interface",
        ),
        (lambda name, data: None if name.startswith("binaries/") else data, f"no binary for {sys.platform}"),
    ],
)
def test_fmus_that_are_refused(fmu, tmp_path, change, said):
    broken = repacked(fmu, tmp_path / "broken.fmu", change)
    with pytest.raises(ResourcesError, match=said):
        read_fmu(broken, tmp_path / "cache")


def test_a_member_that_would_leave_the_folder_stays_inside(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.fmu", "w") as archive:
        archive.writestr("../../evil.txt", "evil")
    unpack(tmp_path / "evil.fmu", tmp_path / "a" / "cache")
    assert [p for p in tmp_path.rglob("evil.txt") if "cache" not in p.parts] == []


@pytest.mark.parametrize(
    ("machine", "version", "folder", "found"),
    [
        ("x86_64", "2.0", "linux64", True),
        ("x86_64", "3.0", "x86_64-linux", True),
        ("x86_64", "3.0", "linux64", False),
        ("aarch64", "2.0", "aarch64-linux", True),
        ("aarch64", "1.0", "linux64-aarch64", True),
        ("aarch64", "2.0", "linux64", False),
        ("aarch64", "3.0", "aarch64-linux", True),
    ],
)
def test_where_the_binary_of_a_platform_is(tmp_path, monkeypatch, machine, version, folder, found):
    monkeypatch.setattr(archive.sys, "platform", "linux")
    monkeypatch.setattr(archive.platform, "machine", lambda: machine)
    library = tmp_path / "binaries" / folder / "plant.so"
    library.parent.mkdir(parents=True)
    library.touch()
    if found:
        assert archive.find_library(tmp_path, "plant", version, "x.fmu") == library
    else:
        reason = f"no binary for linux {machine}: it needs binaries/.*; it has binaries/{folder}/plant.so"
        with pytest.raises(ResourcesError, match=reason):
            archive.find_library(tmp_path, "plant", version, "x.fmu")
