"""Archives that an FMU may be: unpacked once, inside their folder, and no larger than a disk holds."""

from __future__ import annotations

import os
import zipfile

import pytest

from trivium.errors import ResourcesError
from trivium.model.fmu import archive


def test_what_is_larger_unpacked_than_allowed_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_MOST", 2**20)
    path, cache = tmp_path / "bomb.fmu", tmp_path / "cache"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(2):
            bomb.writestr(f"zeros{number}", bytes(2**20 - 1))
    assert path.stat().st_size < 10_000
    with pytest.raises(ResourcesError, match="larger than 1048576 bytes unpacked"):
        archive.unpack(path, cache)
    assert list(cache.iterdir()) == []


def test_nothing_is_unpacked_beside_the_folder(tmp_path):
    path, cache = tmp_path / "leads-out.fmu", tmp_path / "cache"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../outside", b"1")
        file.writestr("/absolute", b"1")
    folder = archive.unpack(path, cache)
    found = [one for one in tmp_path.rglob("*") if one.is_file() and one != path]
    assert found
    assert all(one.is_relative_to(folder) for one in found)


def test_what_was_unpacked_and_changed_since_is_unpacked_again(tmp_path):
    fmu = tmp_path / "a.fmu"
    with zipfile.ZipFile(fmu, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("resources/", "")
        file.writestr("modelDescription.xml", "<fmiModelDescription/>")
        file.writestr("binaries/linux64/a.so", bytes(range(256)) * 999)
    folder = archive.unpack(fmu, tmp_path / "cache")
    whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    library = folder / "binaries/linux64/a.so"
    beside = folder / "resources" / "log.txt"
    beside.write_text("what the FMU wrote itself stays")
    for damage in (
        lambda: library.write_bytes(library.read_bytes()[:-1] + b"x"),
        lambda: os.truncate(library, 0),
        library.unlink,
        lambda: (folder / "modelDescription.xml").write_text(""),
    ):
        damage()
        assert archive.unpack(fmu, tmp_path / "cache") == folder
        assert {path: path.read_bytes() for path in whole} == whole
        assert beside.exists()
    assert len(list(folder.rglob("*"))) == 6


def test_what_nobody_has_opened_for_long_is_pruned(tmp_path):
    cache, fmus, folders = tmp_path / "cache", {}, {}
    for name in ("old", "registered", "used"):
        fmus[name] = tmp_path / f"{name}.fmu"
        with zipfile.ZipFile(fmus[name], "w") as file:
            file.writestr("member", name)
        folders[name] = archive.unpack(fmus[name], cache)
        (cache / f"{folders[name].name}-cs-fmpy-x.json").write_text("{}")
        os.utime(folders[name], (0, 0))
    (cache / "unpacking-left").mkdir()
    os.utime(cache / "unpacking-left", (0, 0))
    (cache / "compiled").mkdir()
    os.utime(cache / "compiled", (0, 0))
    assert archive.unpack(fmus["used"], cache) == folders["used"]
    assert archive.prune(cache, [fmus["registered"], tmp_path / "absent.fmu"], 86400) == 2
    left = {path.name.partition("-")[0] for path in cache.iterdir()}
    assert left == {"compiled", folders["registered"].name, folders["used"].name}
    assert archive.prune(tmp_path / "absent", [], 0) == 0
