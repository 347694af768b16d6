"""Qualify an FMU: find out by trying what it really does, in processes that may die of it.

What an FMU's flags say about its state does not count: some hang, crash or go on differently after a restore, some
remember in static memory what an earlier instance did, and some die when an instance is freed. So two interpreters are
started. In a process of the first an instance is initialized, stepped, saved and stepped on, freed, and all of that
happens again; the numbers must be the same. In a process of the second the state is restored and stepped on; the
numbers must be those of the first. These are new interpreters because a state may hold addresses, which are others
there.

The outcome is kept beside the unpacked FMU, whose folder bears the hash of its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trivium.errors import StorageError
from trivium.extras import version_of
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.trying import LIMIT, SLOW, First, Trying
from trivium.model.fmu.verdict import Qualification
from trivium.storage import locked, replace_file

#: Part of the name of what is stored: a change of the procedure must change it.
VERSION = 3


def qualify(
    setup: Setup,
    cache: Path,
    key: str = "",
    first: Callable[[], First] = First,
    *,
    limit: float = LIMIT,
    slow: float = SLOW,
) -> Qualification:
    """Return what an FMU really does: as it was found before, or by trying.

    Parameters
    ----------
    setup : Setup
    cache : Path
        Where FMUs are unpacked and the outcome is kept.
    key : str
        Hash of what `first` depends on.
    first : Callable
        Returns how the FMU begins; called where it is tried.
    limit : float
        Longest time of the first life of an instance [s].
    slow : float
        After how long a first life the others are left out [s].

    Raises
    ------
    ResourcesError
        When the FMU cannot be unpacked or is of the wrong kind.
    """
    description = read_fmu(setup.fmu, cache, setup.interface, dict(setup.structural))
    path = _stored(description, setup, cache, key)
    if (known := _read(path)) is not None:
        return known
    with locked(path.with_suffix(".lock")):  # whoever else needs it waits
        if (known := _read(path)) is not None:
            return known
        outcome = Trying(description, setup, first(), limit, slow).outcome()
        if outcome.decided:
            with contextlib.suppress(StorageError):  # then it is tried again
                replace_file(path, json.dumps(asdict(outcome)).encode())
    return outcome


def _stored(description: FmuDescription, setup: Setup, cache: Path, key: str) -> Path:
    versions = [platform.python_version(), *map(version_of, ("fmpy", "pyfmi", "assimulo", "numpy"))]
    content = (VERSION, setup.engine, setup.solving, setup.structural, key, platform.machine(), versions)
    digest = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
    return cache.absolute() / f"{description.directory.name}-{description.interface}-{setup.engine}-{digest}.json"


def _read(path: Path) -> Qualification | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        values: dict[str, Any] = json.loads(path.read_bytes())
        return Qualification(**{**values, "jumps": tuple(values["jumps"])})
    return None
