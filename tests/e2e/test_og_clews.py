"""The coupled run of an energy and a macro-economic model, as a user starts it; it takes minutes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.optional import needs
from trivium.environment import ROOT

needs("ogcore", "OG-Core is not installed (extra ogclews)")
needs("tz.osemosys", "tz-osemosys is not installed (extra ogclews)")
pytestmark = pytest.mark.long
CASE = ROOT / "examples" / "og_clews"


def array(side, name):
    return np.array(side[name]["value"])


def test_the_example_converges_to_an_equilibrium_of_both_models(tmp_path):
    folder = tmp_path / "og_clews"
    shutil.copytree(CASE, folder)
    argv = [
        sys.executable,
        "-m",
        "trivium.cli",
        "converge",
        str(folder / "case.json"),
        "--out",
        str(tmp_path / "out"),
        "--no-cache",
    ]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "macro: OG-Core, reduced dimensions (S=40 ages, J=2" in done.stdout
    assert "converged" in done.stdout.splitlines()[-2]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["outcome"] == "converged"
    assert "not calibrated" in result["components"]["macro"]["note"]
    for name in ("convergence.csv", "values.csv", "convergence.png"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    base, energy, macro = (result["components"][name] for name in ("energy_base", "energy", "macro"))
    # each model was fed what the other one answered
    ratio = array(energy["outputs"], "levelised_cost") / array(base["outputs"], "levelised_cost")
    assert array(macro["inputs"], "energy_cost_ratio") == pytest.approx(ratio, rel=2e-4)
    output = dict(zip(("energy", "goods"), array(macro["outputs"], "output_ratio"), strict=True))
    response = [output["energy"] ** 0.8, output["energy"] ** 0.8, output["energy"] ** 0.4, output["goods"] ** 0.8]
    demand = array(base["outputs"], "base_demand") * np.array(response)[:, None]
    assert array(energy["inputs"], "annual_demand") == pytest.approx(demand, rel=1e-9)
    assert array(energy["inputs"], "discount_rate") == array(macro["outputs"], "interest_rate")
    # a carbon tax makes energy dearer, and less of it is used than without the economy's response
    assert ratio > 1
    assert output["energy"] < 0.9
    assert output["goods"] == pytest.approx(1.0, abs=0.02)


def test_a_transition_path_starts_and_ends_as_it_should(tmp_path):
    """Dear energy from the first year on: prices move at once, capital and so interest only by and by."""
    program = """
import json, numpy as np
from pathlib import Path
from trivium.coupling.og_clews import macro
years = [2025, 2035, 2045, 2055]
found = macro.solve(
    {"energy_cost_ratio": np.full(4, 1.1), "carbon_tax_rate": np.zeros(4)}, {"transition": True, "years": years}
)
Path("found.json").write_text(json.dumps({name: value.tolist() for name, value in found.items()}))
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    argv = [sys.executable, "-c", program]
    subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=3000)
    found = {name: np.array(value) for name, value in json.loads((tmp_path / "found.json").read_text()).items()}
    assert found["price_ratio"][0] == pytest.approx(np.full(4, 1.1), rel=5e-3)
    assert found["price_ratio"][1] == pytest.approx(np.ones(4))
    assert found["output_ratio"][0] == pytest.approx(np.full(4, 1 / 1.1), rel=2e-2)
    assert found["interest_rate"].shape == (4,)
    assert ((found["interest_rate"] > 0.02) & (found["interest_rate"] < 0.06)).all()
