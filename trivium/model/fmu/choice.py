"""What the engine ``auto`` stands for: PyFMI where it really steps an FMU, else FMPy.

Versions alone are not enough: a PyFMI may be left over from another environment, or fail with this FMU only. So
where the versions fit, PyFMI is tried once with each FMU, in a process that may die of it. The verdict is kept beside
the unpacked FMU, for these versions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import platform
from dataclasses import replace
from pathlib import Path

from trivium.errors import StorageError
from trivium.model.fmu.abi import installed
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import Setup, Solving
from trivium.model.fmu.probe import probe
from trivium.model.fmu.registry import unusable
from trivium.storage import replace_file

_log = logging.getLogger(__name__)


def choose_engine(description: FmuDescription, solving: Solving, cache: Path) -> str:
    """Return the engine that ``auto`` stands for.

    Parameters
    ----------
    description : FmuDescription
    solving : Solving
    cache : Path
        Where FMUs are unpacked and the verdict is kept.
    """
    if unusable(description):
        return "fmpy"
    verdict = cache / f"{description.directory.name}-pyfmi-{_key(description, solving)}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(verdict.read_bytes())["engine"])
    setup = Setup(description.path, "pyfmi", description.interface, solving)
    tried = [probe(setup, cache, restore=False)]
    if tried[0].error:
        tried.append(probe(replace(setup, engine="fmpy"), cache, restore=False))
    reason = tried[0].error
    # An FMU that no engine can step at its start values is no reason against PyFMI
    against = bool(reason) and not tried[1].error
    engine = "fmpy" if against else "pyfmi"
    if against:
        _log.warning("PyFMI cannot step %s and FMPy can, which is used: %s", description.path.name, reason)
    if all(result.decided for result in tried):
        with contextlib.suppress(StorageError):  # then it is tried again
            replace_file(verdict, json.dumps({"engine": engine, "reason": reason}).encode())
    return engine


def _key(description: FmuDescription, solving: Solving) -> str:
    versions = [platform.python_version(), *(installed(name) for name in ("pyfmi", "assimulo", "numpy"))]
    return hashlib.sha256(repr((description.interface, solving, versions)).encode()).hexdigest()[:16]
