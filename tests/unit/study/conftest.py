"""Studies of the linear FMU of tests/own_fmus.py, whose solution is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

from tests import sweeps


@pytest.fixture
def write_study(tmp_path: Path, own_fmu: Callable[..., Path]) -> Callable[..., Path]:
    """Write a study of the linear FMU: write_study(simulation={"step_size": 2}, metrics={...})."""

    def write(name: str = "study.json", fmu: Path | None = None, **changes: Any) -> Path:
        content: dict[str, Any] = {
            "paths": {"package_path": str(fmu or own_fmu("linear", "2.0"))},
            "simulation": {"variableFilter": "time|x|y", "stop_time": 20.0, "step_size": 0.5},
            "simulation_parameters": {"tau": [5, 10, 20], "gain": [2, 3]},
        }
        for key, value in changes.items():
            content[key] = {**content.get(key, {}), **value} if key in ("paths", "simulation") else value
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def run_here(unpacked: Path) -> Callable[..., Path]:
    """Run a study, or some of its runs, in this process: run_here(path, runs=range(10)); return the results' folder."""

    return partial(sweeps.run_here, unpacked=unpacked)


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where FMUs are unpacked, once for all tests."""
    return tmp_path_factory.mktemp("unpacked")
