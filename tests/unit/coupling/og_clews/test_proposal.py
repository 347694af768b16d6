"""The proposal's classes, defaults and files, over the functions that do the work."""

from __future__ import annotations

import json

import pytest

pd = pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytest.importorskip("pint", reason="units are pint's (extra coupling)")
pytest.importorskip("plotly", reason="reports are drawn by plotly (extra coupling)")

from trivium.coupling.og_clews import bridge, proposal  # noqa: E402
from trivium.coupling.og_clews.proposal import ConvergingOrchestrator, DimensionalityBridge  # noqa: E402
from trivium.coupling.spec import Case  # noqa: E402
from trivium.environment import ROOT  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402
from trivium.jobs import converge  # noqa: E402
from trivium.settings import Settings  # noqa: E402

MODELS = """
import numpy as np

def energy(inputs, options):
    emissions = np.array([[2.0, options["last"]]])
    return {"price": 1 + 0.5 * inputs["demand"], "emissions": emissions, "discounted_cost": np.array([7.0, 8.0])}

def economy(inputs, options):
    return {"demand": 2 - 0.5 * inputs["price"], "gdp_ratio": np.array([0.98, 0.96])}
"""
OUTPUTS = {
    "energy": {
        "price": {"unit": "1"},
        "emissions": {"unit": "Mt", "dims": {"emission": ["CO2"], "year": [2030, 2031]}},
        "discounted_cost": {"unit": "MUSD", "dims": {"technology": ["A", "B"]}},
    },
    "economy": {"demand": {"unit": "1"}, "gdp_ratio": {"unit": "1", "dims": {"year": [2030, 2031]}}},
}


@pytest.fixture
def case(tmp_path):
    """Price 1 + d / 2 and demand 2 - p / 2, whose fixed point is p = 1.6, d = 1.2."""
    components = {
        name: {
            "kind": "python",
            "callable": f"models:{name}",
            "options": {"last": 1.5},
            "process": False,
            "inputs": {wanted: {"unit": "1", "initial": 1.0}},
            "outputs": OUTPUTS[name],
        }
        for name, wanted in (("energy", "demand"), ("economy", "price"))
    }
    connections = [
        {"from": "energy.price", "to": "economy.price"},
        {"from": "economy.demand", "to": "energy.demand"},
    ]
    folder = tmp_path / "pair"
    folder.mkdir()
    (folder / "models.py").write_text(MODELS)
    (folder / "case.json").write_text(json.dumps({"components": components, "connections": connections}))
    return folder


def test_the_orchestrator_has_the_defaults_of_the_proposal(case, tmp_path):
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    orchestrator = ConvergingOrchestrator(case)
    assert (orchestrator.case.alpha, orchestrator.case.tolerance, orchestrator.case.max_iterations) == (0.2, 1e-4, 20)
    assert (orchestrator.case.method, converge.PR24["alpha"]) == ("constant", proposal.ALPHA)
    assert {"tolerance": proposal.TOLERANCE, "max_iterations": proposal.ITERATIONS}.items() <= converge.PR24.items()
    result = ConvergingOrchestrator(case, alpha=0.8, max_iterations=60).run(tmp_path / "out", settings)
    assert result.converged
    assert float(result.evaluations["energy"].outputs["price"]) == pytest.approx(1.6, abs=1e-3)
    files = proposal.write(result, tmp_path / "out", strict=True)
    content = {name: json.loads(path.read_text()) for name, path in files.items()}
    assert content["clews_results"] == {
        "iteration": len(result.iterations),
        "AnnualEmissions": [2.0, 1.5],
        "TotalDiscountedCostByTechnology": [7.0, 8.0],
    }
    assert content["ogcore_macro"]["gdp_growth_rate"] == pytest.approx(-0.03)


def test_the_profile_is_what_the_proposal_takes_where_a_case_does_not_say_otherwise():
    content = json.loads((ROOT / "examples" / "muio" / "case.json").read_text()) | {"profile": "pr24"}
    own = Case.model_validate(content)
    assert (own.alpha, own.tolerance, own.max_iterations) == (0.2, 1e-6, 20)
    assert own.components["energy"].options["carbon_tax"] == {"CO2": 80}
    assert own.connections[1].transform[1].of == {"ELC2": 0.8, "CRP": 0.4}
    del content["tolerance"], content["components"]["energy"]["options"]["carbon_tax"]
    content["connections"][1]["transform"][1] = {"kind": "elasticity"}
    case = Case.model_validate(content)
    assert (case.alpha, case.tolerance, case.max_iterations) == (0.2, 1e-4, 20)
    assert case.components["energy"].options["carbon_tax"] == {"CO2*": 50.0}
    assert "carbon_tax" not in case.components["base"].options
    assert case.connections[1].transform[1].of == 0.8
    assert case.with_settings(alpha=0.5).components["energy"] == case.components["energy"]


def test_what_the_proposal_forbids_is_an_error_in_its_profile_only(case, tmp_path):
    text = (case / "case.json").read_text()
    (case / "case.json").write_text(text.replace('"last": 1.5', '"last": -1.5'))
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    result = ConvergingOrchestrator(case, alpha=0.8, max_iterations=60).run(tmp_path / "out", settings)
    assert list(proposal.write(result, tmp_path / "out")) == ["ogcore_macro"]
    with pytest.raises(InvalidValueError, match="clews_results: column AnnualEmissions, row 1"):
        proposal.write(result, tmp_path / "out", strict=True)


def test_the_bridge_has_the_defaults_of_the_proposal():
    rows = {
        "CapitalInvestment": [["A", 2020, 0.0]],
        "AnnualFixedOperatingCost": [["A", 2020, 10.0]],
        "AnnualVariableOperatingCost": [["A", 2021, 20.0]],
    }
    results = {name: pd.DataFrame(each, columns=["TECHNOLOGY", "YEAR", "VALUE"]) for name, each in rows.items()}
    emitted = [["A", "CO2", 2020, 2.0]]
    results["AnnualTechnologyEmission"] = pd.DataFrame(emitted, columns=["TECHNOLOGY", "EMISSION", "YEAR", "VALUE"])
    found = DimensionalityBridge().clews_to_ogcore(results, 0.05, {"A": 1})
    assert (found.energy_cost_index, found.carbon_tax_revenue) == ([1.0, 2.0], [100.0, 0.0])
    demand = pd.DataFrame([["ELC", 2020, 10.0]], columns=["FUEL", "YEAR", "VALUE"])
    back = DimensionalityBridge().ogcore_to_clews(demand, {"ELC": 1.1}, 0.04)
    assert back.SpecifiedAnnualDemand == pytest.approx([10 * 1.1**0.8])
    cost = bridge.discounted_cost(bridge.read(results), 0.05, 2020).set_index("technology")["VALUE"]
    assert cost["A"] == pytest.approx(10 / 1.05**0.5 + 20 / 1.05**1.5)
