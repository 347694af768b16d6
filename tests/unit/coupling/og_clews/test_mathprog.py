"""A classic OSeMOSYS case: every solver, the constant of the objective, what is coupled, against sums done by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytest.importorskip("pint", reason="units are pint's (extra coupling)")
pytestmark = pytest.mark.skipif(shutil.which("glpsol") is None, reason="GLPK's glpsol is not installed (glpk-utils)")

from trivium.coupling.og_clews import mathprog, optimum  # noqa: E402
from trivium.errors import ComponentError, InvalidValueError  # noqa: E402

OPTIONS = {"model": "small.mod", "data": "small.dat", "solver": "glpsol"}
DEMAND = np.array([10.0, 11.0, 12.0])
RATE = 0.05


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in ("small.mod", "small.dat"):
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solver(name):
    if name == "highs":
        pytest.importorskip("highspy", reason="HiGHS is not installed (extra ogclews)")
    elif shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def coal_only(demand=DEMAND, rate=RATE, tax=0.0):
    """Return the cost of what stands: all demand from the old plant, in the middle of each year."""
    yearly = 40 + demand * (1 + 2.5 * 3 + 0.24 * tax)
    return (yearly / (1 + rate) ** (np.arange(3) + 0.5)).sum()


@pytest.mark.parametrize("name", ["glpsol", "cbc", "highs"])
def test_every_solver_finds_the_cost_with_its_constant(name):
    found = mathprog.solve({}, OPTIONS | {"solver": solver(name)})
    assert found["objective"] == pytest.approx(coal_only(), rel=1e-7)
    # the fixed cost of the residual capacity, which no solver was told of
    constant = (40 / (1 + RATE) ** (np.arange(3) + 0.5)).sum()
    assert mathprog.objective_constant(Path("model.lp")) == pytest.approx(constant, rel=1e-9)
    assert optimum.solve(Path("model.mps"), name, 60.0).objective == pytest.approx(coal_only() - constant, rel=1e-7)
    assert found["base_demand"] == pytest.approx(DEMAND[None])
    assert found["electricity_cost"] == pytest.approx((40 + DEMAND * 8.5) / DEMAND)
    assert found["emissions"] == pytest.approx(0.24 * DEMAND[None])


def test_glpsol_alone_finds_the_same_objective():
    told = subprocess.run(
        ["glpsol", "-m", "small.mod", "-d", "small.dat", "-o", "out"], check=True, capture_output=True, text=True
    )
    assert "not run" in told.stdout
    objective = float(re.search(r"Objective:  cost = (\S+)", Path("out").read_text())[1])
    assert mathprog.solve({}, OPTIONS)["objective"] == pytest.approx(objective, rel=1e-6)


def test_demand_and_discount_rate_come_from_elsewhere():
    coupled = OPTIONS | {"coupled": ["annual_demand", "discount_rate"]}
    inputs, outputs = mathprog.describe(coupled)
    assert [(one.name, one.unit, dict(one.dims)) for one in inputs] == [
        ("annual_demand", "PJ", {"fuel": ("ELC",), "year": (2020, 2021, 2022)}),
        ("discount_rate", "1", {}),
    ]
    wanted = np.array([[5.0, 12.0, 13.0]])
    found = mathprog.solve({"annual_demand": wanted, "discount_rate": np.array(0.02)}, coupled)
    assert found["objective"] == pytest.approx(coal_only(wanted[0], 0.02), rel=1e-7)
    assert found["base_demand"] == pytest.approx(DEMAND[None])
    assert {one.name: one.shape for one in outputs} == {name: value.shape for name, value in found.items()}
    with pytest.raises(InvalidValueError, match="annual demand: column ratio, row 0"):
        mathprog.solve({"annual_demand": wanted / 10, "discount_rate": np.array(0.02)}, coupled)


def test_a_demand_that_begins_later_stays_zero_until_then(folder):
    data = folder / "small.dat"
    data.write_text(data.read_text().replace("ELC 10 11 12", "ELC 0 11 12"))
    coupled = OPTIONS | {"coupled": ["annual_demand"]}
    assert mathprog.describe(coupled)[0][0].shape == (1, 3)
    found = mathprog.solve({"annual_demand": np.array([[0.0, 5.5, 24.0]])}, coupled)
    assert found["emissions"] == pytest.approx(0.24 * np.array([[0.0, 5.5, 24.0]]))
    with pytest.raises(InvalidValueError, match="column fuel, row 0: ELC has no demand in the base"):
        mathprog.solve({"annual_demand": np.array([[1.0, 5.5, 24.0]])}, coupled)


def test_a_carbon_tax_is_paid_and_told_apart_from_costs():
    found = mathprog.solve({}, OPTIONS | {"carbon_tax": {"CO2": 10.0}})
    assert found["objective"] == pytest.approx(coal_only(tax=10.0), rel=1e-7)
    assert found["carbon_tax_revenue"] == pytest.approx(0.24 * DEMAND * 10)
    assert found["electricity_cost"] == pytest.approx((40 + DEMAND * 8.5) / DEMAND)
    assert found["electricity_tax"] == pytest.approx([2.4] * 3)
    high = mathprog.solve({}, OPTIONS | {"carbon_tax": {"CO2": 5000.0}})
    assert high["emissions"] == pytest.approx(np.zeros((1, 3)), abs=1e-9)  # wind is built instead
    with pytest.raises(InvalidValueError, match="carbon_tax: the case has no emission SO2"):
        mathprog.solve({}, OPTIONS | {"carbon_tax": {"SO2": 1.0}})


@pytest.mark.parametrize("name", ["glpsol", "cbc", "highs"])
def test_a_case_without_solution_is_told(name, folder):
    data = folder / "small.dat"
    makers = r"\[R,[A-Z-]+,ELC,\*,\*\]: 2020 2021 2022 := 1 1 1 1"
    data.write_text(re.sub(makers, "", data.read_text()))
    with pytest.raises(ComponentError, match="found no optimal solution"):
        mathprog.solve({}, OPTIONS | {"solver": solver(name)})


def test_what_is_no_case_is_told(folder):
    with pytest.raises(InvalidValueError, match=r"model: Field required|data: Field required"):
        mathprog.solve({}, {"solver": "cbc"})
    with pytest.raises(ComponentError, match="none.mod cannot be read"):
        mathprog.solve({}, OPTIONS | {"model": "none.mod"})
    (folder / "other.mod").write_text("var x >= 1; minimize z: x; end;")
    with pytest.raises(InvalidValueError, match="other.mod is no OSeMOSYS: it has no parameter DiscountRate"):
        mathprog.solve({}, OPTIONS | {"model": "other.mod"})
    (folder / "small.dat").write_text("set REGION := R;")
    with pytest.raises(ComponentError, match=r"glpsol ended with exit code 1; it printed last:\n(.*\n)*.*no value for"):
        mathprog.solve({}, OPTIONS)


@pytest.mark.skipif(
    "TRIVIUM_OSEMOSYS" not in os.environ,
    reason="TRIVIUM_OSEMOSYS names no folder with osemosys_fast.txt and utopia.txt",
)
@pytest.mark.parametrize("name", ["cbc", "highs"])
def test_the_model_of_osemosys_finds_its_published_optimum(name, folder):
    """Utopia costs 29446.861, as its README for GAMS says."""
    for one in ("osemosys_fast.txt", "utopia.txt"):
        shutil.copy(Path(os.environ["TRIVIUM_OSEMOSYS"]) / one, folder)
    found = mathprog.solve({}, {"model": "osemosys_fast.txt", "data": "utopia.txt", "solver": solver(name)})
    assert found["objective"] == pytest.approx(29446.861, abs=0.01)
