"""FMUs that crash, exit, hang, leak, answer NaN and fail when an input tells them to; compiled from tests/csrc.

Tests take them from the fixture ``trap_fmu`` (an FMU with the inputs ``u``, ``trap``, ``amount`` and the outputs ``y``,
``calls``) or from ``trap_resources`` (a whole test case, whose FMU has the variables of the cooling plant)::

    path = trap_fmu(restore="inexact", brittle=True)
    folder = trap_resources(restore="none")

The state is dx/dt = (u - x) / 600 s from 290; `expected` has the solution. In a test case ``u`` is ``Tchws_set_HEX``,
``y`` is ``Tchw_supply``, ``calls`` is ``P_CDWPs_sum`` and the trap is `PLANT_TRAP`; ``amount`` is 64 there.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from enum import IntEnum
from pathlib import Path
from xml.sax.saxutils import quoteattr

import fmpy

from tests.shared import once

CSRC = Path(__file__).resolve().parent / "csrc"
HEADERS = CSRC.parent.parent / "workshop" / "fmi" / "csrc" / "headers"
TAU, START = 600.0, 290.0
#: The control input that springs the trap in a test case with the variables of the plant.
PLANT_TRAP = "CHI06_CW3"
RESTORES = ("none", "exact", "inexact", "crash", "heap", "later", "address", "hang", "coarse")


class Trap(IntEnum):
    """What the trap input makes the next steps do."""

    NONE = 0
    SEGMENTATION_FAULT = 1
    EXIT = 2  #: exit(amount)
    HANG = 3  #: for ever
    LEAK = 4  #: amount MiB a step
    NOT_A_NUMBER = 5  #: output y, with status OK
    ERROR = 6  #: fmi2Error
    ABORT = 7
    DISCARD = 8  #: fmi2Discard
    SLOW = 9  #: amount hundredths of a second
    END = 10  #: fmi2Discard, because the simulation is at its end
    PRY = 11  #: writes, opens sockets, connects and signals; `calls` grows by the sum of what it could, see trap.c


@dataclass(frozen=True)
class Variant:
    """A build of the trap.

    Attributes
    ----------
    restore : {"none", "exact", "inexact", "crash", "heap", "later", "address", "hang", "coarse"}
        Whether the state can be serialized; the last ones say so, and it kills the process at once, by a damaged heap,
        in the step that follows, or in another process only; or never ends.
    brittle : bool
        Whether to set the state of a failed instance or to reset it kills the process.
    one_instance : bool
        Whether a process may have one instance only.
    missing_library : bool
        Whether the binary needs libabsent.so.3, which does not exist, and libmiddle.so.3, which needs libgone.so.3.
    static_memory : bool
        Whether an instance begins where the one before it in the process ended.
    second_hangs : bool
        Whether the third step of the second instance of a process never ends.
    dies_when_freed : bool
        Whether to free an instance kills the process.
    fixed_step : float
        Steps that are no multiple of it are refused [s]; 0 for none.
    ends : float
        When it ends the simulation [s]; 0 for never.
    optional : bool
        Whether it has the functions that no client needs.
    """

    restore: str = "exact"
    brittle: bool = False
    one_instance: bool = False
    missing_library: bool = False
    static_memory: bool = False
    second_hangs: bool = False
    dies_when_freed: bool = False
    fixed_step: float = 0.0
    ends: float = 0.0
    optional: bool = True


def expected(time: float, u: float, start: float = START) -> float:
    """Return x after a time under a constant u."""
    return u + (start - u) * math.exp(-time / TAU)


def build_trap(
    path: Path,
    variant: Variant,
    inputs: tuple[str, ...] = ("u", "trap", "amount"),
    outputs: tuple[str, ...] = ("y", "calls"),
    names: tuple[str, str, str, str, str] = ("u", "trap", "amount", "y", "calls"),
) -> Path:
    """Compile a trap.

    Parameters
    ----------
    path : Path
        The ``.fmu`` to write.
    variant : Variant
    inputs, outputs : tuple of str
        All variables.
    names : tuple of str
        Which of them are u, trap, amount ("" for none), y, calls.
    """
    u, trap, amount, y, calls = names
    guid = f"trap-{RESTORES.index(variant.restore)}-{variant.brittle}-{variant.one_instance}-{len(inputs)}"
    defines = {
        "N_INPUTS": len(inputs),
        "N_OUTPUTS": len(outputs),
        "IN_U": inputs.index(u),
        "IN_TRAP": inputs.index(trap),
        "IN_AMOUNT": inputs.index(amount) if amount else -1,
        "OUT_Y": outputs.index(y),
        "OUT_CALLS": outputs.index(calls),
        "RESTORE": RESTORES.index(variant.restore),
        "BRITTLE": int(variant.brittle),
        "ONE_INSTANCE": int(variant.one_instance),
        "STATIC_MEMORY": int(variant.static_memory),
        "SECOND_HANGS": int(variant.second_hangs),
        "DIES_WHEN_FREED": int(variant.dies_when_freed),
        "FIXED_STEP": float(variant.fixed_step),
        "ENDS": float(variant.ends),
        "OPTIONAL": int(variant.optional),
        "GUID": f'"{guid}"',
    }
    experiment = f'<DefaultExperiment stepSize="{variant.fixed_step}"/>' if variant.fixed_step else ""
    can = str(variant.restore != "none").lower()
    variables = [
        f'<ScalarVariable name={quoteattr(name)} valueReference="{i}" causality="input" variability="continuous">'
        f'<Real start="{START if name == u else 0.0}"{_bounds(name, trap)}/></ScalarVariable>'
        for i, name in enumerate(inputs)
    ] + [
        f'<ScalarVariable name={quoteattr(name)} valueReference="{len(inputs) + i}" causality="output" '
        f'variability="continuous"><Real/></ScalarVariable>'
        for i, name in enumerate(outputs)
    ]
    unknowns = "".join(f'<Unknown index="{len(inputs) + i + 1}"/>' for i in range(len(outputs)))
    description = f"""<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="trap" guid="{guid}">
<CoSimulation modelIdentifier="trap" canHandleVariableCommunicationStepSize="{str(not experiment).lower()}"
 canGetAndSetFMUstate="{can}"
 canSerializeFMUstate="{can}" canBeInstantiatedOnlyOncePerProcess="{str(variant.one_instance).lower()}"/>{experiment}
<ModelVariables>{"".join(variables)}</ModelVariables>
<ModelStructure><Outputs>{unknowns}</Outputs><InitialUnknowns>{unknowns}</InitialUnknowns></ModelStructure>
</fmiModelDescription>
"""
    return pack(path, "trap", "linux64", description, "trap.c", defines, missing_library=variant.missing_library)


def _bounds(name: str, trap: str) -> str:
    return f' min="0" max="{max(Trap)}"' if name == trap else ""


def pack(
    path: Path,
    identifier: str,
    folder: str,
    description: str,
    source: str,
    defines: dict[str, object],
    headers: Mapping[str, str] | None = None,
    *,
    missing_library: bool = False,
) -> Path:
    """Compile one source for this machine, with headers of its own, and write an FMU of it."""
    build = path.with_suffix(".build")
    build.mkdir(parents=True, exist_ok=True)
    library = build / f"{identifier}.so"
    compiler = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-O1"]
    includes = [f"-I{folder}" for folder in (build, HEADERS, Path(fmpy.__file__).parent / "c-code")]
    needed: list[str] = []
    shipped = []
    if missing_library:
        for name, needs in (("absent", []), ("gone", []), ("middle", ["-lgone"])):
            (build / f"{name}.c").write_text(f"int trivium_{name}(void) {{ return 0; }}\n")
            target = build / f"lib{name}.so"
            _run(
                [
                    *compiler,
                    str(build / f"{name}.c"),
                    "-o",
                    str(target),
                    f"-Wl,-soname,lib{name}.so.3",
                    *_link(build, needs),
                ]
            )
        shipped = [(build / "libmiddle.so", "libmiddle.so.3")]  # is found, but what it needs is not
        needed = ["-Wl,-rpath,$ORIGIN", *_link(build, ["-lmiddle", "-labsent"])]
    for name, text in (headers or {}).items():
        (build / name).write_text(text, encoding="utf-8")
    flags = [f"-D{name}={value}" for name, value in defines.items()]
    _run([*compiler, *includes, *flags, str(CSRC / source), "-lm", "-o", str(library), *needed])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("modelDescription.xml", description)
        archive.write(library, f"binaries/{folder}/{identifier}.so")
        for file, name in shipped:
            archive.write(file, f"binaries/{folder}/{name}")
    shutil.rmtree(build)
    return path


def _link(folder: Path, libraries: list[str]) -> list[str]:
    return [f"-L{folder}", "-Wl,--no-as-needed", *libraries]


def repacked(fmu: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write an FMU again, with members changed or (None) left out."""
    with zipfile.ZipFile(fmu) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class TrapFactory:
    """Builds each variant once.

    Parameters
    ----------
    folder : Path
        Where the FMUs go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, **variant: object) -> Path:
        """Return the FMU of a variant."""
        chosen = Variant(**variant)  # type: ignore[arg-type]
        path = self._folder / ("trap-" + "-".join(str(value) for value in astuple(chosen)) + ".fmu")
        return once(path, lambda unfinished: build_trap(unfinished, chosen))


class TrapResources:
    """Builds test cases around the trap, each variant once.

    Parameters
    ----------
    folder : Path
        Where they go.
    small : Path
        The test case whose other files they take.
    """

    def __init__(self, folder: Path, small: Path) -> None:
        self._folder, self._small = folder, small

    def __call__(self, **variant: object) -> Path:
        """Return the Resources folder of a variant."""
        from tests.small_plant import INPUT_NAMES, OUTPUT_NAMES

        chosen = Variant(**variant)  # type: ignore[arg-type]
        folder = self._folder / "-".join(str(value) for value in astuple(chosen))

        def write(unfinished: Path) -> None:
            shutil.copytree(self._small, unfinished)
            build_trap(
                unfinished / "AlphaDataCenterCooling_FMU.fmu",
                chosen,
                tuple(INPUT_NAMES),
                tuple(OUTPUT_NAMES),
                ("Tchws_set_HEX", PLANT_TRAP, "", "Tchw_supply", "P_CDWPs_sum"),
            )

        return once(folder, write)
