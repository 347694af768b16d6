"""Files that are made once in a run of the tests, however many processes run them, and interpreters started once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from trivium.forks import Template
from trivium.storage import locked

#: Variable that names the folder of unpacked FMUs that a run of the tests shares, for its processes.
FMUS = "TESTS_UNPACKED_FMUS"


def root(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of a run share; pytest-xdist gives each one a folder in it."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def share_fmus(state_dir: Path) -> None:
    """Let a new state directory use the FMUs that others of this run unpacked and qualified.

    Outside a run, in `make chaos` and the benchmarks, nothing is shared.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    if FMUS in os.environ and not (state_dir / "fmu").exists():
        (state_dir / "fmu").symlink_to(os.environ[FMUS])


def once(path: Path, make: Callable[[Path], object]) -> Path:
    """Return a file or folder; whoever needs it first makes it, under another name until it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock")):
        if not path.exists():
            folder = path.with_name(f".{path.name}.unfinished")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder / path.name)  # a name can become part of an FMU
            (folder / path.name).rename(path)
            folder.rmdir()
    return path


#: Interpreters that no trial of an FMU uses now.
IDLE: list[Template] = []


@contextmanager
def kept_template(work: str) -> Iterator[Template]:
    """Be the `Template` of a trial of an FMU, and stay for the next one.

    A trial starts two, which takes half a second of a processor, and only forks from them.
    """
    template = _idle() or Template(work)
    try:
        yield template
    finally:
        IDLE.append(template)


def _idle() -> Template | None:
    with suppress(IndexError):
        while True:
            template = IDLE.pop()
            if template.owner == os.getpid() and template.alive:
                return template
            template.close()
    return None
