"""An FMU of a Modelica model: translated in a process of its own, compiled by this machine's compiler."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from trivium import extras
from trivium.environment import child_environment, folders
from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.fmu.building import PATIENCE, compile_fmu
from trivium.model.modelica import REFUSED
from trivium.scratch import Scratch

#: How long the translation may take [s]: rumoca reads the whole Modelica standard library where that is there.
_LONGEST = 1800.0
#: What must be installed.
_MODULES = ("rumoca", "casadi")
#: Where Modelica programs look for packages.
_LIBRARIES = "MODELICAPATH"


def is_installed() -> bool:
    """Return whether the extra ``modelica`` is installed."""
    return extras.is_installed(*_MODULES)


def fingerprint(package: Path) -> str:
    """Return a hash of a package, all its files, and of what makes FMUs of them."""
    digest = hashlib.sha256()
    ours = [Path(str(file)) for file in files("trivium.model.modelica").iterdir() if file.name.endswith(".py")]
    folder = Path(str(files("trivium.model.modelica")))
    own = [*ours, folder / "csrc" / "modelica.c", *sorted(folder.glob("library/**/*.mo"))]
    theirs = sorted(package.parent.rglob("*.mo")) if package.name == "package.mo" else [package]
    for file in (*sorted(own), *theirs):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    digest.update(repr([str(folder) for folder in folders(_LIBRARIES)]).encode())
    return digest.hexdigest()


def build_fmu(package: Path, model: str, out: Path, cache: Path, patience: float = PATIENCE) -> list[str]:
    """Write the FMU of a model.

    Parameters
    ----------
    package : Path
        A ``.mo`` file; of a package of several files its ``package.mo``.
    model : str
        Full name of the model.
    out : Path
        The ``.fmu`` to write; must not exist.
    cache : Path
        Where FMUs are unpacked.
    patience : float
        How long the compiler may take [s].

    Returns
    -------
    list of str
        Its binaries.

    Raises
    ------
    MissingExtraError
        When rumoca or CasADi is not installed.
    InvalidValueError
        When the file to write exists.
    ResourcesError
        When the model cannot be translated, with the place in the source, or not be compiled.
    """
    if not is_installed():
        raise extras.missing("what translates .mo files", "modelica")
    if out.exists():
        raise InvalidValueError(f"{out} exists already; name another file with --out", "out")
    with Scratch() as folder:
        sources = folder / f"{model}.fmu"
        request = {"package": str(package.absolute()), "model": model, "roots": _roots(), "out": str(sources)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "trivium.model.modelica.translate"],
                input=json.dumps(request), capture_output=True, text=True, errors="replace", timeout=_LONGEST,
                check=False, cwd=package.absolute().parent, env=child_environment(),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ResourcesError(
                f"{package.name}: the translation of {model} took longer than {_LONGEST:g} s"
            ) from error
        if done.returncode == REFUSED:
            raise ResourcesError(f"{package.name}: {done.stdout.strip()}")
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            reason = f"the process of rumoca ended with {done.returncode}, and wrote last: {last}"
            raise ResourcesError(f"{package.name}: {model} cannot be translated; {reason}")
        return compile_fmu(sources, out, cache, patience)


def _roots() -> list[str]:
    """Return the packages that a model may use: those of MODELICAPATH, and our part of Modelica where it has none."""
    packages = [file.parent for folder in folders(_LIBRARIES) for file in sorted(folder.glob("*/package.mo"))]
    if not any(package.name.split(" ")[0] == "Modelica" for package in packages):
        packages.append(Path(str(files("trivium.model.modelica"))) / "library" / "Modelica")
    return [str(package) for package in packages]
