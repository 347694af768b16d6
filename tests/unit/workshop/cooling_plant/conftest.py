"""Fixtures of the plant's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("casadi", reason="CasADi writes the plant's equations; it is in the extra `build`")

from tests.unit.workshop.cooling_plant.driver import Plant
from workshop.cooling_plant.plant import model as build_model
from workshop.fmi.spec import Model


@pytest.fixture(scope="session")
def model() -> Model:
    """The plant's equations."""
    return build_model()


@pytest.fixture(scope="session")
def fmu(resources: Path) -> Path:
    """The FMU that is shipped."""
    return resources / "AlphaDataCenterCooling_FMU.fmu"


@pytest.fixture
def plant(fmu: Path) -> Iterator[Callable[..., Plant]]:
    """Make instances of the shipped FMU that are freed after the test."""
    made: list[Plant] = []

    def make(tolerance: float = 1e-4) -> Plant:
        made.append(Plant(fmu, tolerance))
        return made[-1]

    yield make
    for instance in made:
        instance.close()


@pytest.fixture(scope="session")
def trajectories_file() -> Path:
    """Recorded trajectories of the reference plant, where TRIVIUM_TRAJECTORIES or the default place has them."""
    from workshop.cooling_plant.validate import DEFAULT_DATA

    path = Path(os.environ.get("TRIVIUM_TRAJECTORIES", DEFAULT_DATA))
    if not path.exists():
        pytest.skip("the recorded trajectories are not at hand: name them by TRIVIUM_TRAJECTORIES")
    return path
