"""Readers of bytes that somebody else may have written, each with some that it accepts; fuzzed by `tests.fuzzing`."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trivium.errors import ResourcesError, StateError, TriviumError
from trivium.model.fmu.description import read_fmu
from trivium.session import frames, journal

FMI2 = b"""<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="m" guid="{1}" numberOfEventIndicators="0">
<CoSimulation modelIdentifier="m" canHandleVariableCommunicationStepSize="true"/>
<UnitDefinitions><Unit name="K"><BaseUnit K="1"/><DisplayUnit name="degC" offset="-273.15"/></Unit></UnitDefinitions>
<TypeDefinitions><SimpleType name="E"><Enumeration><Item name="a" value="1"/></Enumeration></SimpleType>
</TypeDefinitions><DefaultExperiment startTime="0" stopTime="10" stepSize="0.1"/>
<ModelVariables>
<ScalarVariable name="x" valueReference="1" causality="output"><Real derivative="2" unit="K" min="0"/></ScalarVariable>
<ScalarVariable name="der(x)" valueReference="2" causality="local"><Real/></ScalarVariable>
<ScalarVariable name="e" valueReference="3" causality="input" variability="discrete">
<Enumeration declaredType="E" start="1"/></ScalarVariable>
</ModelVariables><ModelStructure><Outputs><Unknown index="1"/></Outputs></ModelStructure></fmiModelDescription>"""
FMI3 = b"""<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="3.0" modelName="m" instantiationToken="t">
<CoSimulation modelIdentifier="m"/><ModelVariables>
<UInt64 name="n" valueReference="1" causality="structuralParameter" variability="tunable" start="2"/>
<Float64 name="u" valueReference="2" causality="input" start="0 1"><Dimension valueReference="1"/></Float64>
<Float64 name="y" valueReference="3" causality="output"><Dimension start="2"/></Float64>
<Binary name="b" valueReference="4" causality="output"/><String name="s" valueReference="5" causality="parameter">
<Start value="a"/></String></ModelVariables><ModelStructure><Output valueReference="3"/></ModelStructure>
</fmiModelDescription>"""


def describe(data: bytes) -> None:
    """Read an FMU with some bytes as its model description."""
    with tempfile.TemporaryDirectory() as folder:
        fmu = Path(folder) / "m.fmu"
        with zipfile.ZipFile(fmu, "w") as archive:
            archive.writestr("modelDescription.xml", data)
            archive.writestr("binaries/linux64/m.so", b"")
            archive.writestr("binaries/x86_64-linux/m.so", b"")
        with suppress(ResourcesError):
            read_fmu(fmu, Path(folder))


def read_journal(data: bytes) -> None:
    """Read the records of a journal."""
    with suppress(StateError):
        for _ in journal.read(data):
            pass


def read_frame(data: bytes) -> None:
    """Read a frame as a reply of a host."""
    try:
        frames.unpack_value(data)
    except frames.FrameError:
        pass
    except TriviumError as error:  # that the frame holds
        str(error)


class Reader(NamedTuple):
    """A reader, and bytes that it accepts."""

    read: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _journal() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        writing = journal.Journal(Path(folder))
        writing.start_generation([(journal.Kind.BASE, frames.pack({"a": 1}, [b"state"]))])
        for number in range(3):
            writing.append(journal.Kind.INTENT, frames.pack({"id": str(number)}))
            writing.append(journal.Kind.COMMIT, frames.pack({"id": str(number)}, [b"reply", b"row"]))
        writing.close()
        return max(Path(folder).iterdir(), key=lambda file: file.stat().st_size).read_bytes().rstrip(b"\0")


def readers() -> dict[str, Reader]:
    """Return the readers by name."""
    values = ({"a": [1.5, None, "x"], "b": np.eye(2)}, np.arange(3), "text")
    replies = (*map(frames.pack_value, values), frames.pack_error(ResourcesError("no")))
    return {
        "description": Reader(describe, (FMI2, FMI3)),
        "journal": Reader(read_journal, (_journal(),)),
        "frame": Reader(read_frame, replies),
    }
