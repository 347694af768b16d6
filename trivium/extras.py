"""Optional packages: imported where they are needed, with the command that installs them where they are missing."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import shlex
import shutil
import sys
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType

from trivium import environment, locations
from trivium.errors import MissingExtraError

#: What the folders end on that hold the metadata of distributions.
_METADATA = (".dist-info", ".egg-info")


def command(extra: str, python: str | None = None) -> str:
    """Return the command that installs an extra.

    Parameters
    ----------
    extra : str
        Name of the extra, such as ``sweep``.
    python : str, optional
        The interpreter to install for. Default: the running one, by pip where it has pip, else by uv.
    """
    root = locations.checkout()  # there its own sources are installed, not what an index has under this name
    requirement = shlex.quote(f"trivium[{extra}]") if root is None else f"--editable {shlex.quote(f'{root}[{extra}]')}"
    interpreter = shlex.quote(python or sys.executable)
    if python is None and importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return f"uv pip install --python {interpreter} {requirement}"
    return f"{interpreter} -m pip install {requirement}"


def missing(subject: str, extra: str) -> MissingExtraError:
    """Return the error about something that an extra brings.

    Parameters
    ----------
    subject : str
        What is missing, in the singular: ``h5py``, ``the dashboard``.
    extra : str
    """
    return MissingExtraError(f"{subject} is not installed; install it with: {command(extra)}")


def is_installed(*modules: str) -> bool:
    """Return whether all of these modules can be found; they are not imported."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


@cache
def version_of(module: str) -> str | None:
    """Return the version of the distribution that brings a module, whatever its name; the module is not imported.

    Its name begins as the module's: ``assimulo`` comes with ``assimulo``, or with ``assimulo-testing``.
    `importlib.metadata.packages_distributions` knows every name, and reads the metadata of everything that is
    installed, which takes half a second in an environment of ours.

    Parameters
    ----------
    module : str
        Name of a package, without dots.

    Returns
    -------
    str or None
        Where several distributions bring the module, their versions. ``unknown`` where no metadata is found. None where
        the module is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:  # a folder without a module has no origin
        return None
    folder = Path(spec.origin).parent.parent
    near = (path for path in folder.iterdir() if path.name.lower().startswith(module) and path.suffix in _METADATA)
    if versions := {found.version for found in map(Distribution.at, near) if _brings(found, module)}:
        return " and ".join(sorted(versions))
    try:
        return importlib.metadata.version(module)  # its files are elsewhere
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _brings(distribution: Distribution, module: str) -> bool:
    """Return whether a distribution whose name begins as a module's brings it, and not only a plug-in of it."""
    if (distribution.metadata["Name"] or "").lower() == module:
        return True
    declared = (distribution.read_text("top_level.txt") or "").split()
    return module in declared or any(file.parts[0] == module for file in distribution.files or ())


def require(module: str, extra: str) -> ModuleType:
    """Import an optional package.

    Parameters
    ----------
    module : str
    extra : str
        The extra that brings it.

    Raises
    ------
    MissingExtraError
        With the command that installs the extra. Also where the package is there but cannot be imported.
    """
    if module.partition(".")[0] == "matplotlib":
        environment.settle_plots()
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise missing(module.partition(".")[0], extra) from error
    except Exception as error:  # a broken package may raise anything
        raise MissingExtraError(
            f"{module}{_file(module)} cannot be imported ({str(error) or type(error).__name__}); "
            f"install it again with: {command(extra)}"
        ) from error


def _file(module: str) -> str:
    package = importlib.util.find_spec(module.partition(".")[0])
    return f" in {package.origin}" if package is not None and package.origin else ""
