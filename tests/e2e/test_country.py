"""OG-Core's model of the Philippines in an environment of its own, and what MUIOGO publishes of it (docs/og-clews.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from trivium.experiment.contract import evaluated
from trivium.experiment.kinds import make
from trivium.experiment.spec import Python
from trivium.settings import Settings

PYTHON, GOLDEN = os.environ.get("TRIVIUM_OGPHL"), os.environ.get("TRIVIUM_OGPHL_GOLDEN")
#: Change of GDP in the steady state [%] and its tolerance [percentage points]: MUIOGO, oglink/tests/test_coupled_gate.py.
COUPLED_Y_SS, TOLERANCE = -0.13847519360527663, 5e-3
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(PYTHON is None, reason="TRIVIUM_OGPHL names no Python with OG-PHL"),
]


def evaluate(folder, inputs, options):
    where = "trivium.coupling.og_clews.country"
    fields = {
        "kind": "python",
        "callable": f"{where}:solve",
        "describe": f"{where}:describe",
        "interpreter": str(Path(PYTHON).absolute()),
        "options": {**options, "cache": str(folder / "cache")},
        "timeout": 6 * 3600.0,
    }
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(folder / "state")})
    experiment = make(Python.model_validate(fields), folder, settings, "philippines", "components.philippines")
    (folder / "run").mkdir()
    return evaluated(experiment, {name: np.array(value) for name, value in inputs.items()}, folder / "run")


def test_dear_energy_in_the_philippines(tmp_path):
    """One industry of Cobb-Douglas firms with public capital: where r holds, w goes by Z^(1 / labour's share)."""
    inputs, options = {"energy_cost_ratio": 1.2, "public_investment": 0.0}, {"package": "ogphl", "energy_share": [0.04]}
    found = evaluate(tmp_path, inputs, options)
    labour = 1 - 0.53785 - 0.05
    assert found["wage_ratio"] == pytest.approx((1 / (1 + 0.04 * 0.2)) ** (1 / labour), rel=3e-3)
    assert found["output_ratio"] == pytest.approx([float(found["gdp_ratio"])], rel=1e-6)
    assert found["gdp_ratio"] < 0.99


@pytest.mark.skipif(GOLDEN is None, reason="TRIVIUM_OGPHL_GOLDEN names no file with the inputs of MUIOGO's coupled run")
def test_the_philippines_coupled_are_what_muiogo_publishes(tmp_path):
    given = json.loads(Path(GOLDEN).read_text())
    found = evaluate(tmp_path, given["inputs"], given["options"])
    change = 100 * (np.ravel(found["gdp_ratio"])[-1] - 1)
    assert change == pytest.approx(COUPLED_Y_SS, abs=TOLERANCE)
