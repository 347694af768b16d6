"""A folder as a user's, and a state directory of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUEL_CYCLE = ROOT / "examples" / "fuel_cycle" / "FuelCycle.fmu"


@pytest.fixture
def fuel_cycle() -> Path:
    """The FMU of the tritium fuel cycle."""
    return FUEL_CYCLE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with FuelCycle.fmu in it and nothing else."""
    shutil.copyfile(FUEL_CYCLE, tmp_path / "FuelCycle.fmu")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def own_state(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a test opens keeps its state with the tests."""
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state_dir))
