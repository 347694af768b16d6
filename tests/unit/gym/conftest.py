"""Environments of the small plant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("gymnasium", reason="the environment needs the extra 'gym'")

from trivium.gym import DataCenterCoolingEnv


@pytest.fixture
def make(small_resources, state_dir) -> Iterator[Callable[..., DataCenterCoolingEnv]]:
    """Make an environment; it is closed in the end."""
    made: list[DataCenterCoolingEnv] = []

    def env(plant: str = "in-process", **options) -> DataCenterCoolingEnv:
        options = {
            "resources": small_resources,
            "state_dir": state_dir,
            "episode": 3600.0,
            "start_times": 600.0,
        } | options
        made.append(DataCenterCoolingEnv(plant, **options))
        return made[-1]

    yield env
    for one in made:
        one.close()
