"""An engine for all tests of this folder, and the image that they run; ``make test-container`` calls them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.container import standins
from tests.container.compose import Compose
from tests.container.engine import Engine, default_folder, missing
from trivium.environment import ROOT

#: Every figure, from the moment when it is measured: a run that is cut off leaves what it had.
FIGURES = ROOT / "build/container.txt"
_MEASURED: list[str] = []


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def engine():
    if why := missing():
        pytest.skip(why)
    with Engine(default_folder(), keep=bool(os.environ.get("KEEP_ENGINE"))) as started, started.inside():
        yield started


@pytest.fixture(scope="session")
def image(engine, measured):
    """The image slim, built as docker compose builds it."""
    standins.make(engine)
    started = time.monotonic()
    Compose(engine, **standins.build_variables(engine.work))("build")
    measured("build of slim", f"{time.monotonic() - started:.0f} s")
    return "trivium:slim"


@pytest.fixture(scope="session")
def measured():
    """A function that keeps a figure for the table at the end."""

    def keep(name: str, figure: str) -> None:
        _MEASURED.append(f"{name:<52} {figure}\n")
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text("".join(_MEASURED), encoding="utf-8")

    return keep


def pytest_terminal_summary(terminalreporter):
    if _MEASURED:
        terminalreporter.section(f"measured, and kept in {FIGURES.relative_to(ROOT)}")
        terminalreporter.write("".join(_MEASURED))
