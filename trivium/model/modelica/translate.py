"""From a Modelica model to an FMU with C sources: a program of its own, as rumoca may end its process.

``python -m trivium.model.modelica.translate`` reads from standard input what `main` names. Exit code 3 means that
standard output has the reason in a sentence.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import casadi as ca

from trivium.errors import ResourcesError
from trivium.extras import require
from trivium.model.modelica import REFUSED
from trivium.model.modelica.code import indicators, write_equations, write_model
from trivium.model.modelica.dae import Dae
from trivium.model.modelica.description import list_entries, write_description
from trivium.model.modelica.system import System
from trivium.model.modelica.variables import Scalar

#: How deep expressions may be nested.
_DEEP = 100_000
#: How many of rumoca's complaints are shown, and how much of each [characters].
_COMPLAINTS, _LENGTH = 5, 300


def translate(package: str, model: str, roots: Sequence[str], out: str) -> None:
    """Write an FMU with sources.

    Parameters
    ----------
    package, model : str
        The ``.mo`` file, or the folder of a package, and the model's full name.
    roots : sequence of str
        Folders of further packages.
    out : str
        The ``.fmu`` to write.

    Raises
    ------
    ResourcesError
        When rumoca refuses the model, or it has what is not covered, with the place in the source.
    """
    system = System(Dae(_read(package, model, roots)))
    starts = _numbers(system)
    bounds = {
        scalar.declared["name"]: _bounds(scalar, system)
        for scalar in (*system.variables.parameters, *system.variables.inputs)
    }
    entries = list_entries(system, starts)
    equations = write_equations(system)
    library = files("trivium.model.modelica").joinpath("csrc/modelica.c").read_text(encoding="utf-8")
    draft = write_model(system, entries, starts, "")
    guid = hashlib.sha256("\0".join([model, library, equations, draft]).encode()).hexdigest()[:32]
    description = write_description(model, guid, entries, indicators(system), bounds)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("modelDescription.xml", description)
        archive.writestr("sources/modelica.c", library)
        archive.writestr("sources/equations.h", equations)
        archive.writestr("sources/model.h", write_model(system, entries, starts, guid))


def _read(package: str, model: str, roots: Sequence[str]) -> Any:
    rumoca = require("rumoca", "modelica")
    try:
        return rumoca.Session(roots=list(roots)).load(str(_file_of(Path(package), model)), model=model).to_dict("dae")
    except rumoca.RumocaError as error:
        raise ResourcesError(_shortened(str(error))) from error


def _file_of(package: Path, model: str) -> Path:
    """Return the file of a model: in a package of several files the one that it stands in."""
    if package.name != "package.mo":
        return package
    folder, file = package.parent, package
    for name in model.split(".")[1:]:
        if (folder / f"{name}.mo").is_file():
            return folder / f"{name}.mo"
        if not (folder / name / "package.mo").is_file():
            break
        folder, file = folder / name, folder / name / "package.mo"
    return file


def _shortened(complaints: str) -> str:
    lines = list(dict.fromkeys(line.strip(" -") for line in complaints.splitlines() if line.strip()))
    shown = [line[:_LENGTH] for line in lines[:_COMPLAINTS]]
    more = len(lines) - len(shown)
    return "rumoca says: " + "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _numbers(system: System) -> dict[str, list[float]]:
    """Return start values: of parameters, inputs and states at the parameters' own values."""

    def constant(expression: ca.SX) -> float:
        return float(expression) if expression.is_constant() else math.nan

    return {
        "parameters": [constant(scalar.start) for scalar in system.variables.parameters],
        "inputs": [constant(scalar.start) for scalar in system.variables.inputs],
        "states": [constant(scalar.start) for scalar in system.states],
        "nominals": [_attribute(scalar, "nominal", system) or 1.0 for scalar in system.states],
    }


def _bounds(scalar: Scalar, system: System) -> tuple[float | None, float | None]:
    return _attribute(scalar, "min", system), _attribute(scalar, "max", system)


def _attribute(scalar: Scalar, name: str, system: System) -> float | None:
    value = system.variables.attribute(scalar, name)
    return None if value is None or not math.isfinite(value) else value


def main() -> None:
    """Translate what standard input describes: package, model, roots, out, as JSON."""
    sys.setrecursionlimit(_DEEP)
    request: Mapping[str, Any] = json.load(sys.stdin)
    try:
        translate(**request)
    except ResourcesError as error:
        print(error)  # noqa: T201 - its reply
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
