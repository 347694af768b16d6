"""FMUs with sources only: they are refused by a clear sentence, and run once they are compiled."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile

import pytest

import trivium
from tests import own_fmus
from tests.own_fmus import state
from tests.trap_fmu import CSRC, repacked
from trivium.cli import main
from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.fmu import building
from trivium.model.fmu.building import compile_fmu
from trivium.model.fmu.description import read_fmu

#: What the borders of tests/csrc need besides the headers of the standard.
DEFINES = {
    "GUID": '"linear"', "MODEL": '"linear.h"', "PREFIX": "linear", "SLAVE": "1", "N": "3", "REFUSE_EVENTS": "0", "ENDS": "0.0",
    "DIRECTIONAL": "0",
}  # fmt: skip


@pytest.fixture
def sources(own_fmu, tmp_path):
    """An FMU with sources only: sources("2.0")."""

    def make(version, *, folder="sources", broken=False):
        path = tmp_path / f"linear-{version}.fmu"
        names = {f"{folder}/{name}.h": (CSRC / f"{name}.h").read_text() for name in ("model", "linear")}
        border = (CSRC / f"fmi{version[0]}.c").read_text()
        head = "".join(f"#define {name} {value}\n" for name, value in DEFINES.items()) if version != "3.0" else ""
        names[f"{folder}/all.c"] = head + border + ("int missing(void) { return nobody_has(); }\n" if broken else "")
        names[f"{folder}/variables.h"] = own_fmus.header(own_fmus.LINEAR)
        if version == "3.0":
            definitions = "".join(
                f"<PreprocessorDefinition name='{name}' value='{value}'/>" for name, value in DEFINES.items()
            )
            names[f"{folder}/buildDescription.xml"] = (
                '<fmiBuildDescription fmiVersion="3.0"><BuildConfiguration modelIdentifier="linear">'
                f'<SourceFileSet language="C99"><SourceFile name="all.c"/>{definitions}</SourceFileSet>'
                '<Library name="m"/></BuildConfiguration></fmiBuildDescription>'
            )

        def change(name, data):
            if name.startswith("binaries/"):
                return None
            if name == "modelDescription.xml" and version == "2.0":
                files = b'<SourceFiles><File name="all.c"/></SourceFiles>'
                for tag in (b"ModelExchange", b"CoSimulation"):
                    at = data.index(b"/>", data.index(b"<" + tag))
                    data = data[:at] + b">" + files + b"</" + tag + b">" + data[at + 2 :]
            return data

        repacked(own_fmu("linear", version), path, change)
        with zipfile.ZipFile(path, "a") as archive:
            for name, text in names.items():
                archive.writestr(name, text)
        return path

    return make


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
@pytest.mark.parametrize("compiler", ["cc", "zig"])
def test_sources_become_a_binary_that_runs(sources, tmp_path, monkeypatch, capsys, version, compiler):
    if compiler == "cc" and shutil.which("cc") is None:
        pytest.skip("this machine has no C compiler")
    if compiler == "zig":
        pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
        monkeypatch.setattr(building.shutil, "which", lambda _name: None)
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("CC", raising=False)
    path = sources(version)
    before = path.read_bytes()
    with pytest.raises(ResourcesError, match="has C sources; trivium compile linear"):
        trivium.simulate(path, stop_time=1)
    out = tmp_path / "made.fmu"
    assert main(["compile", str(path), "--out", str(out), "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    (member,) = reply["added"]
    assert reply["tested"].startswith(
        "tested: it is stepped, and restore is " + ("im" if version == "1.0" else "exact")
    )
    assert reply["error"] == ""
    assert member.endswith("linear.so")
    assert path.read_bytes() == before
    frame = trivium.simulate(out, stop_time=5, step=1)
    assert frame["x"].to_numpy() == pytest.approx([state(time) for time in frame.index])
    assert main(["compile", str(path), "--out", str(out)]) == 1
    assert "made.fmu exists already; name another file with --out" in capsys.readouterr().err


def test_what_cannot_be_compiled_is_refused(sources, own_fmu, tmp_path, monkeypatch):
    out, cache = tmp_path / "out.fmu", tmp_path / "cache"
    cases = [
        (own_fmu("linear", "2.0"), "an FMU with C sources is needed, and it has none"),
        (sources("2.0", broken=True), "nobody_has"),
        (sources("3.0", folder="sources/deeper"), "does not say how they are built"),
    ]
    for path, reason in cases:
        with pytest.raises(ResourcesError, match=reason):
            compile_fmu(path, out, cache)
    monkeypatch.setenv("CC", "no-such-compiler -O1")
    with pytest.raises(ResourcesError, match="no compiler no-such-compiler, which the variable CC names"):
        compile_fmu(sources("2.0"), out, cache)
    monkeypatch.delenv("CC")
    monkeypatch.setattr(building.shutil, "which", lambda _name: None)
    monkeypatch.setattr(building, "find_spec", lambda _name: None)
    with pytest.raises(ResourcesError, match="no C compiler: none of cc, gcc, clang was found; .*the package ziglang"):
        compile_fmu(sources("2.0"), out, cache)
    assert not list(tmp_path.glob("*out.fmu*"))
    out.write_bytes(b"")
    with pytest.raises(InvalidValueError, match="exists already"):
        compile_fmu(sources("2.0"), out, cache)


def test_parts_of_a_long_file_are_compiled_although_they_are_not_listed(sources, tmp_path):
    path = sources("2.0", broken=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("sources/all_part0.c", "int nobody_has(void) { return 0; }\n")
        archive.writestr("sources/other_part0.c", "this is no C\n")
    compile_fmu(path, tmp_path / "out.fmu", tmp_path / "cache")
    assert trivium.simulate(tmp_path / "out.fmu", stop_time=1, step=1)["x"].iloc[0] == 1.0


def test_a_complaint_of_the_compiler_names_file_and_line(sources, tmp_path):
    path = sources("2.0")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("sources/all_part0.c", "int fine;\nint broken = ;\n")
    with pytest.raises(ResourcesError, match=r"says:\n[^/]*sources/all_part0\.c:2:\d+: error"):
        compile_fmu(path, tmp_path / "out.fmu", tmp_path / "cache")


def test_an_fmu_that_cannot_be_stepped_is_reported(sources, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    path = sources("2.0")
    refusing = repacked(path, tmp_path / "refusing.fmu", lambda _, data: data.replace(b"return self;", b"return NULL;"))
    assert main(["compile", str(refusing), "--out", str(tmp_path / "out.fmu"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["error"]


def test_a_compiler_that_does_not_end_is_killed(sources, tmp_path, monkeypatch):
    slow = tmp_path / "slow"
    slow.write_text(f"#!{sys.executable}\nimport time\nwhile True: time.sleep(60)\n")
    slow.chmod(0o755)
    monkeypatch.setenv("CC", str(slow))
    with pytest.raises(ResourcesError, match="took longer than 0.5 s and was killed"):
        compile_fmu(sources("2.0"), tmp_path / "out.fmu", tmp_path / "cache", patience=0.5)
    assert not list(tmp_path.glob("*out.fmu*"))


def test_sources_outside_the_folder_are_not_taken(sources, tmp_path):
    path = sources("2.0")
    outside = repacked(path, tmp_path / "outside.fmu", lambda _, data: data.replace(b'"all.c"', b'"../all.c"'))
    with pytest.raises(ResourcesError, match=r"names sources/\.\./all\.c, which is not there"):
        compile_fmu(outside, tmp_path / "out.fmu", tmp_path / "cache")


def test_a_missing_binary_is_named(own_fmu, tmp_path):
    def renamed(name, data):
        return None if name.startswith("binaries/") else data

    path = repacked(own_fmu("linear", "2.0"), tmp_path / "odd.fmu", renamed)
    with pytest.raises(
        ResourcesError, match=r"odd.fmu has no binary for .*: it needs binaries/.*linear.*; it has none"
    ):
        read_fmu(path, tmp_path / "cache")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("binaries/linux64/other.so", b"")
        archive.writestr("binaries/win64/linear.dll", b"")
    with pytest.raises(ResourcesError, match=r"; it has binaries/linux64/other.so, binaries/win64/linear.dll$"):
        read_fmu(path, tmp_path / "cache")
