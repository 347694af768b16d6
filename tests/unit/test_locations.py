"""Where things lie: in a checkout here; tests/wheel/ looks at an installed wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT
from trivium import locations
from trivium.errors import ResourcesError
from trivium.simulation.resources import Resources


def test_a_checkout_serves_its_own_folders():
    assert locations.resources() == ROOT / "Resources"
    assert Resources.load(locations.resources()).name == "AlphaDataCenterCooling_Gym"
    assert {path.name for path in locations.examples().iterdir()} >= {"cooling_plant", "fuel_cycle", "og_clews"}


def test_the_state_of_a_checkout_stays_in_it_wherever_a_command_runs(tmp_path):
    code = "from trivium import locations; print(locations.state_dir())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / ".trivium-state")


def test_without_a_checkout_the_state_is_the_users(tmp_path):
    """A copy of the package with what is shipped inside it, as a wheel lays it."""
    (tmp_path / "trivium" / "shipped" / "Resources").mkdir(parents=True)
    for name in ("__init__.py", "locations.py", "errors.py"):
        (tmp_path / "trivium" / name).write_text((ROOT / "trivium" / name).read_text())
    code = "from trivium import locations; print(locations.resources(), locations.state_dir())"
    environment = {**os.environ, "PYTHONPATH": "", "XDG_STATE_HOME": str(tmp_path / "home")}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    resources, state = done.stdout.split()
    assert Path(resources) == tmp_path / "trivium" / "shipped" / "Resources"
    assert Path(state) == tmp_path / "home" / "trivium"


def test_a_test_case_is_named_or_found_by_its_path(tmp_path):
    assert locations.resolve_testcase("cooling") == ROOT / "Resources"
    assert locations.resolve_testcase("./cooling", tmp_path) == tmp_path / "cooling"
    assert locations.resolve_testcase(Path("a.fmu"), tmp_path) == tmp_path / "a.fmu"
    with pytest.raises(ResourcesError, match=r"no test case named 'heating'; shipped: cooling, data_center"):
        locations.shipped_testcase("heating")
