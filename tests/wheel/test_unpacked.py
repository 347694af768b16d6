"""The wheel, unpacked beside what is installed here: it has all that a step needs.

tests/wheel/test_wheel.py installs it into environments of its own, which takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

from tests.installed import build_distributions


def test_the_unpacked_wheel_steps_its_own_plant(tmp_path):
    packages, work = tmp_path / "packages", tmp_path / "work"
    work.mkdir()
    with zipfile.ZipFile(build_distributions(tmp_path, "--wheel")["wheel"]) as wheel:
        wheel.extractall(packages)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    environment |= {"PYTHONPATH": str(packages), "TRIVIUM_STATE_DIR": str(tmp_path / "state")}

    def run(*words):
        done = subprocess.run(
            [sys.executable, *words], cwd=work, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    places = run("-c", "import trivium.locations as l; print(l.__file__, l.resources(), l.examples(), l.data_center())")
    assert all(place.startswith(str(packages)) for place in places.split())
    assert json.loads(run("-m", "trivium", "step", "--to", "600", "--json"))["ener_tot"] > 0
    run("-m", "trivium", "examples", "fuel_cycle", "mine")
    assert (work / "mine" / "FuelCycle.fmu").exists()
