"""An engine for all tests of this folder, and the image that they run; ``make test-container`` calls them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.container import standins
from tests.container.compose import Compose
from tests.container.engine import Engine, default_folder, missing

_MEASURED: list[tuple[str, str]] = []


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
    """A function that keeps a figure for the summary."""

    def keep(name: str, figure: str) -> None:
        _MEASURED.append((name, figure))
        print(f"{name}: {figure}")  # noqa: T201  # with -s

    return keep


def pytest_terminal_summary(terminalreporter):
    if _MEASURED:
        terminalreporter.section("measured")
        for name, figure in _MEASURED:
            terminalreporter.write_line(f"{name:<44} {figure}")
