"""What an FMU says about itself, and its files on disk."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adcc.core.model import Experiment
from adcc.core.variables import Kind, Variable
from adcc.errors import ResourcesError

#: Where FMI 2.0 keeps the binary of this platform, then the names that tools use where the standard has none.
_FOLDERS = {
    ("linux", "x86_64"): ("linux64", "x86_64-linux"),
    ("linux", "aarch64"): ("aarch64-linux", "linux64-aarch64", "linux-aarch64"),
    ("darwin", "x86_64"): ("darwin64", "x86_64-darwin"),
    ("darwin", "arm64"): ("aarch64-darwin", "darwin64"),
    ("win32", "amd64"): ("win64", "x86_64-windows"),
}
#: How an FMU is run: it steps itself (co-simulation), or a solver of ours integrates its equations (Model Exchange).
Interface = Literal["cs", "me"]
INTERFACES: tuple[Interface, ...] = ("cs", "me")
_SUFFIXES = {"linux": ".so", "darwin": ".dylib", "win32": ".dll"}


@dataclass(frozen=True)
class FmuVariable:
    """A variable at the border of an FMU.

    Attributes
    ----------
    variable : Variable
    reference : int
        Value reference.
    """

    variable: Variable
    reference: int


@dataclass(frozen=True)
class FmuDescription:
    """An unpacked FMU.

    Attributes
    ----------
    name : str
        Model name.
    directory : Path
        The unpacked FMU.
    library : Path
        Its binary for this platform.
    guid, identifier : str
        What its instances are made with.
    inputs, outputs : tuple of FmuVariable
        In the order of the model description.
    parameters : tuple of FmuVariable
        What may be set before initialization and is no input: parameters, and start values of other variables.
    texts : tuple of FmuVariable
        Outputs that are text.
    can_snapshot : bool
        Whether it says that its state can be got, set and serialized.
    one_instance : bool
        Whether it says that a process may hold only one instance.
    experiment : Experiment
        What it proposes.
    path : Path
        The ``.fmu`` file.
    interface : {"cs", "me"}
        How it is run; the identifier and the abilities are those of this interface.
    n_states, n_indicators : int
        Continuous states and event indicators of Model Exchange.
    """

    name: str
    directory: Path
    library: Path
    guid: str
    identifier: str
    inputs: tuple[FmuVariable, ...]
    outputs: tuple[FmuVariable, ...]
    parameters: tuple[FmuVariable, ...]
    texts: tuple[FmuVariable, ...]
    can_snapshot: bool
    one_instance: bool
    experiment: Experiment
    path: Path
    interface: Interface
    n_states: int
    n_indicators: int


def read_fmu(path: Path, cache: Path, interface: Interface | None = None) -> FmuDescription:
    """Unpack an FMU and read its model description.

    Parameters
    ----------
    path : Path
        The ``.fmu`` file.
    cache : Path
        Where FMUs are unpacked, once, under the hash of their content.
    interface : {"cs", "me"}, optional
        Default: co-simulation where the FMU offers it, else Model Exchange.

    Raises
    ------
    ResourcesError
        When the file is no FMI 2.0 FMU, does not offer the interface, or has no binary for this platform.
    """
    from fmpy import read_model_description

    directory = unpack(path, cache)
    try:
        description = read_model_description(str(directory), validate=False)
    except Exception as error:  # FMPy lets errors of its XML parser through
        raise ResourcesError(f"the model description of {path.name} cannot be read: {error}") from error
    offered = {"cs": description.coSimulation, "me": description.modelExchange}
    chosen = interface or ("me" if offered["cs"] is None else "cs")
    if description.fmiVersion != "2.0" or offered[chosen] is None:
        names = {"cs": "co-simulation", "me": "Model Exchange"}
        has = " and ".join(names[key] for key in INTERFACES if offered[key] is not None) or "no interface known here"
        wanted = names[interface] if interface else "co-simulation or Model Exchange"
        raise ResourcesError(f"{path.name} is FMI {description.fmiVersion} with {has}; FMI 2.0 {wanted} is needed")
    entry = offered[chosen]
    numbers = [scalar for scalar in description.modelVariables if _kind(scalar) != "text"]
    texts = [scalar for scalar in description.modelVariables if _kind(scalar) == "text"]
    return FmuDescription(
        name=description.modelName,
        directory=directory,
        library=_library(directory, entry.modelIdentifier, path.name),
        guid=description.guid,
        identifier=entry.modelIdentifier,
        inputs=_variables(scalar for scalar in numbers if scalar.causality == "input"),
        outputs=_variables(scalar for scalar in numbers if scalar.causality == "output"),
        parameters=_variables(scalar for scalar in description.modelVariables if _settable(scalar)),
        texts=_variables(scalar for scalar in texts if scalar.causality == "output"),
        can_snapshot=bool(entry.canGetAndSetFMUstate and entry.canSerializeFMUstate),
        one_instance=bool(entry.canBeInstantiatedOnlyOncePerProcess),
        experiment=_experiment(description.defaultExperiment),
        path=path,
        interface=chosen,
        n_states=int(description.numberOfContinuousStates or 0),
        n_indicators=int(description.numberOfEventIndicators or 0),
    )


def unpack(path: Path, cache: Path) -> Path:
    """Unpack an FMU once and return the folder; safe against a second process that does the same.

    Raises
    ------
    ResourcesError
        When the file cannot be read, is no archive or would be unpacked beside the folder.
    """
    try:
        with path.open("rb") as file:
            directory = cache / hashlib.file_digest(file, "sha256").hexdigest()[:32]
            if directory.is_dir():
                return directory
            cache.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix="unpacking-", dir=cache))
            try:
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(temporary)  # zipfile itself keeps members inside
                temporary.chmod(0o755)
                os.rename(temporary, directory)
            except OSError:
                if not directory.is_dir():  # otherwise another process was faster
                    raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, zipfile.BadZipFile) as error:
        raise ResourcesError(f"the FMU {path.name} cannot be unpacked: {error}") from error
    return directory


def _library(directory: Path, identifier: str, name: str) -> Path:
    key = (sys.platform, platform.machine().lower() if sys.platform == "win32" else platform.machine())
    for folder in _FOLDERS.get(key, ()):
        library = directory / "binaries" / folder / (identifier + _SUFFIXES[key[0]])
        if library.is_file():
            return library
    binaries = directory / "binaries"
    there = sorted(p.name for p in binaries.iterdir()) if binaries.is_dir() else []
    raise ResourcesError(f"{name} has no binary for {key[0]} {key[1]}; it has: {', '.join(there) or 'none'}")


def _experiment(proposed: Any) -> Experiment:
    if proposed is None:
        return Experiment()
    return Experiment(
        start=_number(proposed.startTime),
        stop=_number(proposed.stopTime),
        step=_number(proposed.stepSize),
        tolerance=_number(proposed.tolerance),
    )


_KINDS: dict[str, Kind] = {
    "Real": "real",
    "Integer": "integer",
    "Enumeration": "integer",
    "Boolean": "boolean",
    "String": "text",
}


def _kind(scalar: Any) -> Kind:
    return _KINDS[scalar.type]


def _settable(scalar: Any) -> bool:
    """Whether a variable may be set before initialization and is no input; text is never an input."""
    if scalar.start is None or scalar.variability == "constant":
        return False
    if scalar.causality == "input":
        return _kind(scalar) == "text"
    return scalar.causality in ("parameter", "output", "local") and scalar.initial in ("exact", "approx")


def _variables(scalars: Iterable[Any]) -> tuple[FmuVariable, ...]:
    return tuple(FmuVariable(_variable(scalar), scalar.valueReference) for scalar in scalars)


def _variable(scalar: Any) -> Variable:
    declared, kind = scalar.declaredType, _kind(scalar)

    def attribute(key: str) -> Any:
        own = getattr(scalar, key, None)
        return own if own is not None or declared is None else getattr(declared, key, None)

    return Variable(
        name=scalar.name,
        unit=attribute("unit") or "1",
        description=scalar.description or "",
        minimum=_number(attribute("min")),
        maximum=_number(attribute("max")),
        start=None if kind == "text" else _number(scalar.start),
        kind=kind,
        text=scalar.start if kind == "text" else None,
    )


def _number(text: str | bool | float | None) -> float | None:
    if text is None:
        return None
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)
