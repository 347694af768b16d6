"""The shipped FMU of the fuel cycle, and instances of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.workshop.fmi.conftest import Built, Instance


@pytest.fixture(scope="session")
def fuel_cycle(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The FMU, unpacked, with its description."""
    path = Path(__file__).parents[4] / "examples" / "fuel_cycle" / "FuelCycle.fmu"
    return Built(path, tmp_path_factory.mktemp("fuel-cycle"))


@pytest.fixture
def cycle(fuel_cycle: Built) -> Iterator[Callable[..., Instance]]:
    """Make instances that have begun, with parameters by name: cycle({"bz.TBR": 1.2})."""
    made: list[Instance] = []

    def make(values: dict[str, float] | None = None, start: float = 0.0) -> Instance:
        made.append(Instance(fuel_cycle))
        return made[-1].begin(values=values, start=start)

    yield make
    for instance in made:
        instance.close()
