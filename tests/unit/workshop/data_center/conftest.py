"""Fixtures of the data centre's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("casadi", reason="CasADi writes the plant's equations; it is in the extra `build`")

from tests.server import ROOT
from workshop.data_center.driver import Plant
from workshop.data_center.plant import model as build_model
from workshop.fmi.spec import Model


@pytest.fixture(scope="session")
def model() -> Model:
    """The data centre's equations."""
    return build_model()


@pytest.fixture(scope="session")
def fmu() -> Path:
    """The FMU that is shipped."""
    return ROOT / "trivium" / "plants" / "data_center" / "testcase" / "DataCenterCooling.fmu"


@pytest.fixture
def plant(fmu: Path) -> Iterator[Callable[..., Plant]]:
    """Make instances of the shipped FMU that are freed after the test."""
    made: list[Plant] = []

    def make(tolerance: float = 1e-4, **parameters: float) -> Plant:
        made.append(Plant(fmu, tolerance, **parameters))
        return made[-1]

    yield make
    for instance in made:
        instance.close()
