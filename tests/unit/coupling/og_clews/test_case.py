"""A user's own case in MathProg, coupled by a case file: to the fixed point that SciPy finds of its formula."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytest.importorskip("pint", reason="units are pint's (extra coupling)")
pytestmark = pytest.mark.skipif(shutil.which("glpsol") is None, reason="GLPK's glpsol is not installed (glpk-utils)")

from trivium.coupling.problem import prepare  # noqa: E402
from trivium.coupling.run import run_case  # noqa: E402
from trivium.coupling.spec import load_case  # noqa: E402
from trivium.settings import Settings  # noqa: E402

ECONOMY = "def respond(inputs, options):\n    return {'activity': [inputs['price'] ** options['exponent']]}\n"
RATE, DEMAND, EXPONENT = 0.05, np.array([10.0, 11.0, 12.0]), -0.6


def energy(coupled):
    return {
        "kind": "python",
        "callable": "trivium.coupling.og_clews.mathprog:solve",
        "describe": "trivium.coupling.og_clews.mathprog:describe",
        "files": ["small.mod", "small.dat"],
        "options": {"model": "small.mod", "data": "small.dat", "solver": "glpsol", "coupled": coupled},
    }


CASE = {
    "components": {
        "base": energy([]),
        "energy": energy(["annual_demand"]),
        "economy": {
            "kind": "python",
            "callable": "economy:respond",
            "options": {"exponent": EXPONENT},
            "inputs": {"price": {"unit": "1", "initial": 2.0, "lower": 0.01}},
            "outputs": {"activity": {"unit": "1", "dims": {"fuel": ["ELC"]}}},
        },
    },
    "connections": [
        {
            "from": "energy.levelised_cost",
            "to": "economy.price",
            "transform": [{"kind": "scale", "factor": 0.1, "unit": "PJ/MUSD"}],
        },
        {
            "from": "economy.activity",
            "to": "energy.annual_demand",
            "transform": [
                {"kind": "elasticity", "of": {"ELC": 0.8}, "dim": "fuel"},
                {"kind": "multiply", "by": "base.base_demand"},
            ],
        },
    ],
    "tolerance": 1e-5,
}


@pytest.mark.slow
def test_a_case_in_mathprog_is_coupled(tmp_path):
    for name in ("small.mod", "small.dat"):
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    (tmp_path / "economy.py").write_text(ECONOMY)
    (tmp_path / "case.json").write_text(json.dumps(CASE))
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    _, result, _ = run_case(load_case(tmp_path / "case.json"), tmp_path, tmp_path / "out", settings, lambda done: None)
    assert result.converged, result.reason

    def price(ratio):
        worth = 1 / (1 + RATE) ** np.arange(3)
        return (worth * (40 + 8.5 * ratio * DEMAND)).sum() / (worth * ratio * DEMAND).sum()

    ratio = brentq(lambda ratio: (0.1 * price(ratio)) ** (EXPONENT * 0.8) - ratio, 0.1, 3.0)
    found = result.evaluations["energy"]
    assert found.inputs["annual_demand"] == pytest.approx(ratio * DEMAND[None], rel=1e-4)
    assert found.outputs["levelised_cost"] == pytest.approx(price(ratio), rel=1e-4)


def test_a_run_goes_on_only_with_the_tables_it_began_with(tmp_path):
    case = {
        "components": {
            "economy": CASE["components"]["economy"] | {"outputs": {"activity": {"unit": "1"}}},
        },
        "connections": [
            {
                "from": "economy.activity",
                "to": "economy.price",
                "transform": [{"kind": "ratio", "by": {"file": "base.csv", "unit": "1"}}],
            }
        ],
    }
    (tmp_path / "economy.py").write_text(ECONOMY)
    (tmp_path / "case.json").write_text(json.dumps(case))
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    fingerprints = []
    for value in (1.0, 1.0, 2.0):
        (tmp_path / "base.csv").write_text(f"VALUE\n{value}\n")
        fingerprints.append(prepare(load_case(tmp_path / "case.json"), tmp_path, settings).fingerprint)
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
