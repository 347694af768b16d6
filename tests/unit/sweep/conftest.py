"""Studies of the linear FMU of tests/own_fmus.py, whose solution is known."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

from adcc.sweep import hdf5
from adcc.sweep.chunk import run_chunk
from adcc.sweep.parts import Parts
from adcc.sweep.prepare import prepare
from adcc.sweep.spec import load_study
from adcc.sweep.study import open_store


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
def run_here(tmp_path: Path, unpacked: Path) -> Callable[..., Path]:
    """Run a study, or some of its runs, in this process: run_here(path, runs=range(10)); return the results' folder."""

    def run(path: Path, runs: range | None = None) -> Path:
        study = load_study(path)
        plan, job = prepare(study, tmp_path, unpacked)
        store = open_store(path.with_suffix(""), plan, job, study)
        size = int(store.about()["runs_per_part"])
        parts = Parts(store, plan, job, size)
        chosen = np.array(range(plan.count) if runs is None else runs, dtype=np.int64)
        for _, group in itertools.groupby(chosen.tolist(), key=lambda run: run // size):
            some = np.array(list(group), dtype=np.int64)
            parts.add(run_chunk(job, some, np.concatenate([plan.rows(k, k + 1) for k in some.tolist()])))
        hdf5.link(store, job, plan.count, size)
        store.close()
        return store.folder

    return run


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where FMUs are unpacked, once for all tests."""
    return tmp_path_factory.mktemp("unpacked")
