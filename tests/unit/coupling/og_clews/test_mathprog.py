"""A classic OSeMOSYS case: every solver, the constant of the objective, what is coupled, against sums done by hand."""

from __future__ import annotations

import json
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
    assert f"constant term {constant:.9g}"[:22] in Path("stdout.log").read_text()
    assert optimum.solve(Path("model.mps"), name, 60.0).objective == pytest.approx(coal_only() - constant, rel=1e-7)
    assert found["base_demand"] == pytest.approx(DEMAND[None])
    assert found["electricity_cost"] == pytest.approx((40 + DEMAND * 8.5) / DEMAND)
    assert found["emissions"] == pytest.approx(0.24 * DEMAND[None])


def glpsol(*argv):
    done = subprocess.run(["glpsol", *argv, "-o", "out"], check=True, capture_output=True, text=True)
    return float(re.search(r"Objective:  cost = (\S+)", Path("out").read_text())[1]), done.stdout


def test_glpsol_alone_finds_the_same_objective():
    objective, printed = glpsol("-m", "small.mod", "-d", "small.dat")
    assert "not run" in printed
    assert mathprog.solve({}, OPTIONS)["objective"] == pytest.approx(objective, rel=1e-6)


def test_the_set_of_fuels_is_called_as_the_model_calls_it(folder):
    for name in ("small.mod", "small.dat"):
        (folder / name).write_text(re.sub(r"\bFUEL\b", "COMMODITY", (folder / name).read_text()))
    assert mathprog.solve({}, OPTIONS)["objective"] == pytest.approx(coal_only(), rel=1e-7)


@pytest.mark.parametrize("ready", [False, True], ids=["computed", "ready as in MUIO"])
def test_both_discount_rates_are_replaced(folder, ready):
    """A model with a rate of each technology: its optimum at 0.15 is that of glpsol where both are written by hand."""
    declared = "param DiscountRateIdv{r in REGION, t in TECHNOLOGY}, default DiscountRate[r];\n"
    factors = (
        " := (1 - (1 + DiscountRateIdv[r,t])^(-1)) / (1 - (1 + DiscountRateIdv[r,t])^(-OperationalLife[r,t]))",
        " := (1 - (1 + DiscountRate[r])^(-OperationalLife[r,t])) * (1 + DiscountRate[r]) / DiscountRate[r]",
    )
    for name, formula in zip(("CapitalRecoveryFactor", "PvAnnuity"), factors, strict=True):
        declared += f"param {name}{{r in REGION, t in TECHNOLOGY}}{'' if ready else formula};\n"
    model = (folder / "small.mod").read_text().replace("param First", f"{declared}param First")
    cost = "CapitalCost[r,t,y] * NewCapacity[r,t,y]"
    (folder / "small.mod").write_text(model.replace(cost, f"{cost} * CapitalRecoveryFactor[r,t] * PvAnnuity[r,t]"))
    data = (
        (folder / "small.dat")
        .read_text()
        .replace("ResidualCapacity default 0 := [R,*,*]", "ResidualCapacity default 0 := #")
    )
    data = re.sub(r"#: 2020 2021 2022 :=\s+MINE.*\n.*;", "R MINE 2020 1000 R MINE 2021 1000 R MINE 2022 1000;", data)

    def at(rate):
        lives = {"MINE": 1, "OLD-PLANT": 20, "WIND": 20}
        crf = " ".join(f"R {t} {(1 - 1 / (1 + rate)) / (1 - (1 + rate) ** -n)!r}" for t, n in lives.items())
        worth = " ".join(f"R {t} {(1 - (1 + rate) ** -n) * (1 + rate) / rate!r}" for t, n in lives.items())
        given = f"param CapitalRecoveryFactor := {crf};\nparam PvAnnuity := {worth};\n" if ready else ""
        own = "param DiscountRateIdv := " + " ".join(f"R {t} {rate}" for t in lives) + ";\n"
        return data.replace("DiscountRate default 0.05", f"DiscountRate default {rate}").replace(
            "end;", f"{own}{given}end;"
        )

    (folder / "high.dat").write_text(at(0.15))
    (folder / "small.dat").write_text(at(0.05))
    objective, _ = glpsol("-m", "small.mod", "-d", "high.dat")
    found = mathprog.solve({}, OPTIONS | {"discount_rate": 0.15})
    assert found["objective"] == pytest.approx(objective, rel=1e-6)
    assert found["objective"] < 0.95 * mathprog.solve({}, OPTIONS)["objective"]


@pytest.mark.parametrize("name", ["glpsol", "cbc", "highs"])
def test_the_shadow_price_is_what_another_unit_of_demand_costs(name):
    options = OPTIONS | {"solver": solver(name), "fuels": ["ELC", "COAL"], "coupled": ["annual_demand"]}
    assert mathprog.describe(options)[1][-1].name == "shadow_price"
    found, more = (
        mathprog.solve({"annual_demand": DEMAND[None] + np.array([[0, step, 0]])}, options) for step in (0.0, 0.1)
    )
    paid = (more["objective"] - found["objective"]) / 0.1 * (1 + RATE) ** 1.5
    assert found["shadow_price"][0, 1] == pytest.approx(paid, rel=1e-6)
    assert found["shadow_price"][1] == pytest.approx([3.0] * 3)  # coal costs what the mine does
    assert found["fuel_cost"] == pytest.approx([float(found["levelised_cost"]), 3.0])


def test_capacity_is_paid_for_after_the_last_investment(folder):
    """Wind is built in the first year alone, and costs the same in all: 20 payments of its 1500, over half its output."""
    data = (folder / "small.dat").read_text()
    data = data.replace("MINE 1000 1000 1000", "MINE 0 0 0").replace("ELC 10 11 12", "ELC 10 10 10")
    (folder / "small.dat").write_text(data.replace("[R,WIND,*]", "[R,MINE,*] 2020 9e4 2021 9e4 2022 9e4 [R,WIND,*]"))
    found = mathprog.solve({}, OPTIONS)
    built = 12 / 10  # for 0.6 of the demand in half of the year, at 10 a unit of capacity
    payment = 1500 * RATE / (1 - (1 + RATE) ** -20) * built
    assert found["electricity_cost"] == pytest.approx([payment / 10] * 3, rel=1e-6)


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
    with pytest.raises(InvalidValueError, match="model is no OSeMOSYS: it has no parameter DiscountRate"):
        mathprog.solve({}, OPTIONS | {"model": "other.mod"})
    data = (folder / "small.dat").read_text()
    (folder / "small.dat").write_text("set REGION := R;")
    with pytest.raises(InvalidValueError, match=r"small.dat has no set YEAR"):
        mathprog.solve({}, OPTIONS)
    unit = "param CapacityToActivityUnit"
    (folder / "small.dat").write_text(data.replace(f"{unit} default 1", unit))
    with pytest.raises(ComponentError, match=r"glpsol ended with exit code 1; it printed last:\n(.*\n)*.*no value for"):
        mathprog.solve({}, OPTIONS)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "data package"])
def test_a_case_of_otoole_costs_what_its_data_file_does(folder, packed):
    """The small case, as CSV files and defaults: empty files, as otoole writes them, mean the default."""
    case = mathprog._read(mathprog.exchange.checked(mathprog.Options, OPTIONS))
    (folder / "csv").mkdir()
    config = ""
    for dim, name in case.declared.sets.items():
        members = "\n".join(map(str, case.data.coordinates(dim)))
        (folder / "csv" / f"{name}.csv").write_text(f"VALUE\n{members}\n")
        config += f"{name}: {{type: set, dtype: str}}\n"
    for name, dims in case.declared.parameters.items():
        if dims and case.data.has(name):
            parameter = case.data.parameter(name)
            parameter.table.rename(columns=str.upper).to_csv(folder / "csv" / f"{name}.csv", index=False)
            config += f"{name}: {{type: param, default: {parameter.default}}}\n"
    (folder / "config.yaml").write_text(config + "TotalDiscountedCost: {type: result, default: 0}\n")
    listed = [{"name": path.stem, "path": f"csv/{path.name}"} for path in (folder / "csv").iterdir()]
    (folder / "datapackage.json").write_text(json.dumps({"resources": listed}))
    data = "datapackage.json" if packed else "csv"
    assert mathprog.solve({}, OPTIONS | {"data": data})["objective"] == pytest.approx(coal_only(), rel=1e-7)
    with pytest.raises(InvalidValueError, match="config: none.yaml cannot be read"):
        mathprog.solve({}, OPTIONS | {"data": data, "config": "none.yaml"})


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
