"""Modelica packages as FMUs: made once, by OpenModelica's ``omc`` where it is installed, and kept by their content."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from trivium.errors import InvalidValueError, ResourcesError
from trivium.extras import command
from trivium.model.modelica.build import build_fmu, fingerprint, is_installed
from trivium.names import is_class
from trivium.numbers import shown

#: Longest time of a compilation [s].
_PATIENCE = 3600.0


def compile_model(package: Path, model: str | None, cache: Path) -> Path:
    """Return the FMU of a model, compiling it where it is not known yet.

    Parameters
    ----------
    package : Path
        The ``.mo`` file.
    model : str or None
        Its full name, ``simulation.model_name``.
    cache : Path

    Raises
    ------
    InvalidValueError
        When the package does not exist or no model is named.
    ResourcesError
        When there is no compiler or it fails; with what it says.
    """
    if not package.is_file():
        raise InvalidValueError(f"paths.package_path: there is no file {package}", "paths.package_path")
    if not model:
        raise InvalidValueError("simulation.model_name: a .mo package needs it", "simulation.model_name")
    if not is_class(model):
        raise InvalidValueError(
            f"simulation.model_name: {shown(model)} is no full name of a class, such as Package.Model",
            "simulation.model_name",
        )
    omc = shutil.which("omc")
    if omc is None and not is_installed():
        raise ResourcesError(
            f"paths.package_path: {package.name} is a Modelica package, and neither OpenModelica's compiler omc nor "
            f"rumoca, which would make an FMU of it, is installed here; {command('modelica')} installs rumoca"
        )
    compiled = cache / "compiled" / f"{fingerprint(package)[:32]}-{model}-{'rumoca' if omc is None else 'omc'}.fmu"
    if compiled.is_file():
        return compiled
    compiled.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=compiled.parent) as folder:
        if omc is None:
            made = Path(folder) / "model.fmu"
            build_fmu(package, model, made, cache)
            os.replace(made, compiled)
            return compiled
        script = Path(folder) / "compile.mos"
        name = package.as_posix().replace("\\", r"\\").replace('"', r"\"")
        script.write_text(
            f'loadModel(Modelica); getErrorString();\nloadFile("{name}"); getErrorString();\n'
            f'buildModelFMU({model}, version="2.0", fmuType="cs"); getErrorString();\n'
        )
        done = subprocess.run(  # noqa: S603 - the user's own compiler and package
            [omc, script.name], cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        found = next(iter(sorted(Path(folder).glob("*.fmu"))), None)
        if found is None:
            raise ResourcesError(f"omc made no FMU of {model}: {done.stdout.strip()} {done.stderr.strip()}".rstrip())
        os.replace(found, compiled)
    return compiled
