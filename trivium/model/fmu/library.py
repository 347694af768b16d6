"""Load the binary of an FMU, and say what is missing where that fails."""

from __future__ import annotations

import re
import subprocess
from ctypes import CDLL
from pathlib import Path

from trivium.errors import ModelError
from trivium.model.fmu.description import FmuDescription

_LOADED: set[Path] = set()


def was_loaded(description: FmuDescription) -> bool:
    """Return whether the binary of an FMU was loaded in this process before."""
    return description.library in _LOADED


def load(description: FmuDescription) -> None:
    """Load the binary of an FMU, before a vendor does: FMPy leaves the working directory changed when it fails.

    Raises
    ------
    ModelError
        Naming every library that is missing, where that is the reason.
    """
    try:
        CDLL(str(description.library))
        _LOADED.add(description.library)
    except OSError as error:
        absent = missing(description.library)
        listed = f" (not found in all: {', '.join(absent)})" if absent else ""
        raise ModelError(f"the FMU {description.name} cannot be loaded: {error}{listed}") from error


def missing(library: Path) -> list[str]:
    """Return the shared libraries that a binary needs and the loader does not find, also those that others need.

    The loader's own error names the first one only.

    Parameters
    ----------
    library : Path

    Returns
    -------
    list of str
        Empty where the system has no ``ldd``.
    """
    try:
        command = ["ldd", str(library)]  # it runs nothing of the library, which could not be loaded
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(set(re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)))
