"""The checks of the machine: Python, packages, state directory, port."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from trivium import __version__
from trivium import entry_points as registry
from trivium.confinement import available
from trivium.doctor.check import Check, reason

#: What every installation has.
PACKAGES = ("click", "flask", "fmpy", "gunicorn", "numpy", "orjson", "pydantic", "scipy", "sqlalchemy")
#: Free space below which the state directory is worth a note [bytes].
_LITTLE = 10**9


def python() -> Iterator[Check]:
    """Name the versions of Trivium and Python."""
    text = f"Trivium {__version__}, Python {platform.python_version()} ({sys.executable}) on {platform.platform()}"
    yield Check("python", "ready", text)


def packages() -> Iterator[Check]:
    """Import what every installation has."""
    versions, broken = [], False
    for name in PACKAGES:
        try:
            importlib.import_module(name)
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except Exception as error:  # a broken compiled package may raise anything
            broken = True
            yield Check("packages", "failed", f"{name} cannot be imported: {reason(error)}")
    if not broken:
        yield Check("packages", "ready", ", ".join(versions))


def entry_points() -> Iterator[Check]:
    """Load the plants, controllers, kinds of jobs and engines of all packages."""
    faults = registry.faults()
    for fault in faults:
        yield Check("extensions", "failed", fault)
    if not faults:
        names = [f"{noun}: {', '.join(registry.Registry(group).names())}" for group, noun in registry.GROUPS.items()]
        yield Check("extensions", "ready", "; ".join(names))


def state_directory(folder: Path) -> Iterator[Check]:
    """Write into the state directory."""
    from trivium.session import layout
    from trivium.simulation.history import History

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise layout.unwritable(folder, error) from error
    History(folder / "history", ["time"]).close()
    free = shutil.disk_usage(folder).free
    yield Check("state", "ready" if free > _LITTLE else "note", f"state directory {folder}, {free / 1e9:.1f} GB free")


def confinement() -> Iterator[Check]:
    """Look up whether FMUs that clients bring can be kept from files and the network."""
    found = available()
    if all(found):
        yield Check("confinement", "ready", "uploaded FMUs write only what is theirs, and reach no network")
        return
    lacking = " and ".join(name for name, holds in found._asdict().items() if not holds)
    yield Check(
        "confinement", "note", f"the kernel cannot confine uploaded FMUs in all: {lacking}; see docs/security.md"
    )


def port(host: str, number: int) -> Iterator[Check]:
    """Listen on the port of the server."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError as error:
            why = error.strerror or error
            yield Check("port", "note", f"port {number} of {host} cannot be taken now: {why}; serve on another: --port")
            return
    yield Check("port", "ready", f"port {number} of {host} is free")
