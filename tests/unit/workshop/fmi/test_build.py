"""The FMU as a file: valid, complete, reproducible, for every platform."""

import hashlib
import struct
import subprocess
import sys
import zipfile

import fmpy
import pytest
from fmpy import read_model_description
from fmpy.validation import validate_fmu

pytest.importorskip("casadi", reason="CasADi generates the equations")
pytest.importorskip("ziglang", reason="ziglang compiles the FMU")

from tests.server import ROOT
from tests.unit.workshop.fmi import plants
from workshop.fmi.build import TARGETS, BuildError, build, main
from workshop.fmi.macho import universal

ALL = ("linear", "van_der_pol", "robertson", "tanks", "kinked", "sliding", "pulsed")


@pytest.mark.parametrize("name", ALL)
def test_fmpy_finds_nothing_wrong(fmus, name):
    assert validate_fmu(str(fmus(name).path)) == []


@pytest.mark.parametrize("name", ["tanks", "robertson", "pulsed"])
def test_fmutool_finds_nothing_wrong(fmus, name):
    pytest.importorskip("fmu_manipulation_toolbox", reason="fmutool checks the FMU")
    command = "from fmu_manipulation_toolbox.cli.fmutool import fmutool; fmutool()"
    arguments = [sys.executable, "-c", command, "-input", str(fmus(name).path), "-check"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    text = done.stdout + done.stderr
    assert "compliant with FMI-2.0" in text
    assert "WARNING" not in text
    assert "ERROR" not in text


def test_same_model_gives_same_bytes(fmus, tmp_path):
    again = build(plants.tanks(), tmp_path / "again.fmu", ["linux64"])
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(fmus("tanks").path.read_bytes()).digest()


def test_guid_tells_models_apart(fmus):
    guids = {fmus(name).description.guid for name in ALL}
    assert len(guids) == len(ALL)


def test_description_carries_what_the_model_says(fmus):
    description = fmus("tanks").description
    variables = {v.name: v for v in description.modelVariables}
    valve, mass, rate = variables["valve"], variables["mass"], variables["der(sensor.T)"]
    assert (valve.causality, valve.start, valve.min, valve.max, valve.unit) == ("input", "0.5", "0.0", "1.0", "1")
    assert (mass.causality, mass.variability, mass.initial) == ("parameter", "fixed", "exact")
    assert rate.derivative is variables["sensor.T"]
    assert rate.unit == "K/s"
    dependencies = {u.variable.name: {v.name for v in u.dependencies} for u in description.outputs}
    assert dependencies == {"T_out": {"sensor.T"}, "flow": {"filter.valve.s2", "filter.valve_2.s2"}}
    derivatives = {u.variable.name: {v.name for v in u.dependencies} for u in description.derivatives}
    assert derivatives["der(filter.valve.s1)"] == {"valve", "filter.valve.s1"}
    assert derivatives["der(tank[1].T)"] == {"tank[1].T", "T_in", "heat", "filter.valve.s2", "filter.valve_2.s2"}
    assert description.coSimulation.canHandleVariableCommunicationStepSize
    assert description.coSimulation.canSerializeFMUstate
    assert description.modelExchange.providesDirectionalDerivative


#: FMUs that were built for every platform: those that are shipped, and None for one of these sources.
BUILT = [
    *(
        ROOT / name
        for name in (
            "Resources/AlphaDataCenterCooling_FMU.fmu",
            "examples/fuel_cycle/FuelCycle.fmu",
            "trivium/plants/data_center/testcase/DataCenterCooling.fmu",
        )
    ),
    pytest.param(None, id="linear", marks=pytest.mark.long),  # compiles the C library of each platform
]


@pytest.mark.parametrize("path", BUILT, ids=lambda path: path.stem)
def test_every_platform(tmp_path, path):
    """One file for all: each library is of the platform its folder names, and exports FMI's functions."""
    path = path or build(plants.linear(), tmp_path / "linear.fmu")
    description = read_model_description(path)
    name = description.coSimulation.modelIdentifier
    functions = [
        b"fmi2DoStep",
        b"fmi2DeSerializeFMUstate",
        *([b"fmi2GetDerivatives"] if description.modelExchange else []),
    ]
    assert {"linux64", "win64", "darwin64", "c-code"} <= set(fmpy.supported_platforms(str(path)))
    with zipfile.ZipFile(path) as archive:
        images = {name: archive.read(name) for name in archive.namelist() if name.startswith("binaries/")}
    assert set(images) == {f"binaries/{t.folder}/{name}{t.extension}" for t in TARGETS.values()}
    elf_machines = {"linux64": 62, "aarch64-linux": 183}  # EM_X86_64, EM_AARCH64
    for folder, machine in elf_machines.items():
        image = images[f"binaries/{folder}/{name}.so"]
        assert image[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", image, 18) == (machine,)
    dll = images[f"binaries/win64/{name}.dll"]
    offset = struct.unpack_from("<I", dll, 0x3C)[0]
    assert dll[offset : offset + 4] == b"PE\0\0"
    assert struct.unpack_from("<H", dll, offset + 4) == (0x8664,)
    fat = images[f"binaries/darwin64/{name}.dylib"]
    assert struct.unpack_from(">II", fat) == (0xCAFEBABE, 2)
    for k, cpu in enumerate((0x01000007, 0x0100000C)):  # CPU_TYPE_X86_64, CPU_TYPE_ARM64
        found, _, start, size, _ = struct.unpack_from(">IIIII", fat, 8 + 20 * k)
        assert found == cpu
        assert struct.unpack_from("<II", fat, start) == (0xFEEDFACF, cpu)
        commands = _load_commands(fat[start : start + size])
        assert 0x0D in commands, "LC_ID_DYLIB"
        if cpu == 0x0100000C:
            assert 0x1D in commands, "an ARM Mac loads signed code only (LC_CODE_SIGNATURE)"
    for name, image in images.items():
        for function in functions:
            assert function in image, name
        assert str(tmp_path).encode() not in image


def _load_commands(image):
    count = struct.unpack_from("<I", image, 16)[0]
    found, offset = set(), 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", image, offset)
        found.add(command)
        offset += size
    return found


def test_universal_file_holds_each_image_at_an_aligned_offset():
    images = [struct.pack("<III", 0xFEEDFACF, cpu, 3) + bytes([cpu]) * size for cpu, size in ((7, 20_000), (12, 5))]
    fat = universal(images)
    for k, image in enumerate(images):
        cpu, subtype, offset, size, alignment = struct.unpack_from(">IIIII", fat, 8 + 20 * k)
        assert (cpu, subtype) == struct.unpack_from("<II", image, 4)
        assert offset % (1 << alignment) == 0
        assert fat[offset : offset + size] == image
    with pytest.raises(ValueError, match="two images"):
        universal([images[0], images[0]])
    with pytest.raises(ValueError, match="not a 64-bit Mach-O"):
        universal([b"\x7fELF" + bytes(20)])


def test_command_line(tmp_path, capsys):
    out = tmp_path / "model.fmu"
    assert main(["tests.unit.workshop.fmi.plants:kinked", str(out), "--targets", "linux64"]) == 0
    assert str(out) in capsys.readouterr().out
    assert zipfile.ZipFile(out).testzip() is None
    with pytest.raises(ValueError, match="not a Model"):
        main(["builtins:dict", str(out)])


def test_failed_build_leaves_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "model.fmu"
    out.write_bytes(b"old")
    monkeypatch.setattr("workshop.fmi.build._FLAGS", ("-no-such-flag",))
    with pytest.raises(BuildError, match="no-such-flag"):
        build(plants.kinked(), out, ["linux64"])
    assert out.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["model.fmu"]
    with pytest.raises(ValueError, match="unknown targets"):
        build(plants.kinked(), out, ["amiga"])
