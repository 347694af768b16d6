"""The bridge between the two models, against sums done by hand and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytest.importorskip("pint", reason="units are pint's (extra coupling)")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from pydantic import ValidationError  # noqa: E402

from trivium.coupling.og_clews import bridge, schemas  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402


def table(columns, *rows):
    return pd.DataFrame(list(rows), columns=columns.split())


def results(style):
    """Two technologies, two years; investments of 100 and 60 over two years, at no interest 50 and 30 a year."""
    own = "REGION TECHNOLOGY YEAR VALUE" if style == "own" else None
    return {
        "CapitalInvestment": table(own or "r t y CapitalInvestment", ["R", "A", 2020, 100.0], ["R", "B", 2021, 60.0]),
        "AnnualFixedOperatingCost": table(
            own or "r t y AnnualFixedOperatingCost", ["R", "A", 2020, 7.0], ["R", "A", 2021, 7.0]
        ),
        "AnnualVariableOperatingCost": table(
            own or "r t y AnnualVariableOperatingCost", ["R", "A", 2020, 3.0], ["R", "B", 2021, 5.0]
        ),
        "AnnualTechnologyEmission": table(
            "REGION TECHNOLOGY EMISSION YEAR VALUE" if own else "r t e y AnnualTechnologyEmission",
            ["R", "A", "CO2", 2020, 2.0],
            ["R", "A", "NOX", 2020, 9.0],
            ["R", "B", "CO2", 2021, 0.5],
        ),
    }


@pytest.mark.parametrize("style", ["own", "muio"])
@pytest.mark.parametrize("as_files", [False, True], ids=["frames", "files"])
def test_costs_and_tax_become_series(style, as_files, tmp_path):
    given_ = results(style)
    if as_files:
        for name, frame in given_.items():
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        given_ = {name: tmp_path / f"{name}.csv" for name in given_}
    found = bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {"CO2": 50.0})
    assert found.years == [2020, 2021]
    # 50 + 7 + 3, then 50 + 7 and 30 + 5
    assert found.energy_cost_index == pytest.approx([1.0, 92 / 60])
    assert found.carbon_tax_revenue == pytest.approx([100.0, 25.0])


def test_trade_is_paid_at_its_price_and_exports_earn():
    trade = table(
        "r rr l f y Trade",
        ["R", "S", "L1", "gas", 2020, -4.0],
        ["R", "S", "L2", "gas", 2020, 1.0],
        ["R", "S", "L1", "oil", 2021, 2.0],
    )
    given_ = bridge.read(results("muio") | {"Trade": trade})
    cost = bridge.annual_cost(given_, 0.0, {"A": 2, "B": 2}, {"gas": 10.0, "oil": 3.0})
    by = cost.set_index(["technology", "year"])["VALUE"]
    assert (by["TRADE-gas", 2020], by["TRADE-oil", 2021]) == (30.0, -6.0)
    with pytest.raises(InvalidValueError, match="column fuel, row 1: oil is traded and has no price"):
        bridge.annual_cost(given_, 0.0, {"A": 2, "B": 2}, {"gas": 10.0})


def test_what_results_lack_is_named():
    with pytest.raises(InvalidValueError, match="there is no result AnnualFixedOperatingCost"):
        bridge.annual_cost({"CapitalInvestment": results("own")["CapitalInvestment"]}, 0.0, {})
    with pytest.raises(InvalidValueError, match="column technology, row 1: B has no life of at least a year"):
        bridge.to_macro(results("own"), 0.0, {"A": 2}, {})
    broken = results("muio")
    broken["CapitalInvestment"] = broken["CapitalInvestment"].drop(columns="t")
    with pytest.raises(InvalidValueError, match="CapitalInvestment: column technology: Field required"):
        bridge.to_macro(broken, 0.0, {"A": 2, "B": 2}, {})


def test_a_fuel_costs_what_its_makers_cost_with_the_fuels_they_use():
    """Coal at 2 makes electricity at 40 % for 1 more; a grid adds 0.5 and loses a tenth."""
    cost = table("technology year VALUE", ["mine", 2020, 2.0 * 25], ["plant", 2020, 10.0], ["grid", 2020, 0.5 * 9])
    made = table(
        "technology fuel year VALUE",
        ["mine", "coal", 2020, 25.0],
        ["plant", "elc", 2020, 10.0],
        ["grid", "home", 2020, 9.0],
    )
    used = table("technology fuel year VALUE", ["plant", "coal", 2020, 25.0], ["grid", "elc", 2020, 10.0])
    found = bridge.unit_cost(cost, made, used).set_index("fuel")["VALUE"]
    assert found["coal"] == pytest.approx(2.0)
    assert found["elc"] == pytest.approx(2.0 * 2.5 + 1.0)
    assert found["home"] == pytest.approx(6.0 / 0.9 + 0.5)


@given(st.lists(st.floats(0.1, 50), min_size=9, max_size=9))
def test_all_costs_end_in_the_fuels_that_nobody_uses(numbers):
    """Whatever flows where: what final users pay is what technologies cost. The network pumps with its own product."""
    k, flow = numbers[:4], numbers[4:]
    make, plant, second, pump, heat = flow
    cost = table(
        "technology year VALUE", *[[t, 1, c] for t, c in zip(("mine", "plant", "second", "boiler"), k, strict=True)]
    )
    made = table(
        "technology fuel year VALUE",
        ["mine", "coal", 1, make],
        ["plant", "elc", 1, plant + pump],
        ["second", "elc", 1, second],
        ["plant", "heat", 1, heat],
    )
    used = table(
        "technology fuel year VALUE",
        ["plant", "coal", 1, 0.7 * make],
        ["second", "coal", 1, 0.3 * make],
        ["mine", "elc", 1, 0.3 * (plant + pump)],
    )
    price = bridge.unit_cost(cost[:3], made, used).set_index("fuel")["VALUE"]
    final = price["elc"] * (plant + pump + second - 0.3 * (plant + pump)) + price["heat"] * heat
    assert final == pytest.approx(sum(k[:3]), rel=1e-9)


def test_the_levelised_cost_is_the_ratio_of_present_values():
    price = table("year VALUE", [2020, 10.0], [2021, 20.0], [2022, 0.0])
    amount = table("year VALUE", [2020, 1.0], [2021, 3.0], [2022, 2.0])
    worth = np.array([1.0, 1 / 1.05, 1 / 1.05**2])
    wanted = (worth * [10.0, 60.0, 0.0]).sum() / (worth * [1.0, 3.0, 2.0]).sum()
    assert bridge.levelised(price, amount, 0.05) == pytest.approx(wanted)


@pytest.mark.parametrize("columns", ["REGION FUEL YEAR VALUE", "r f y SpecifiedAnnualDemand"])
def test_demand_follows_activity_by_the_elasticity_of_its_sector(columns):
    demand = table(columns, ["R", "homes", 2020, 10.0], ["R", "industry", 2020, 20.0])
    found = bridge.to_energy(demand, {"homes": 0.81, "industry": 1.21}, {"homes": 0.5, "industry": 0.0}, [0.03, 0.05])
    assert dict(zip(found.fuel, found.SpecifiedAnnualDemand, strict=True)) == pytest.approx(
        {"homes": 9.0, "industry": 20.0}
    )
    assert found.DiscountRate == pytest.approx(0.04)
    with pytest.raises(InvalidValueError, match="annual demand: column ratio, row 0: .*greater than or equal to 0.1"):
        bridge.to_energy(demand, {"homes": 0.009, "industry": 1.0}, {"homes": 0.5, "industry": 0.0}, 0.03)
    with pytest.raises(InvalidValueError, match="annual demand: column DiscountRate"):
        bridge.to_energy(demand, {"homes": 1.0, "industry": 1.0}, {"homes": 0.5, "industry": 0.0}, -0.01)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (
            schemas.ClewsOutputSchema,
            {"iteration": 0, "AnnualEmissions": [1.0], "TotalDiscountedCostByTechnology": [1.0]},
        ),
        (
            schemas.ClewsOutputSchema,
            {"iteration": 1, "AnnualEmissions": [-1.0], "TotalDiscountedCostByTechnology": [1.0]},
        ),
        (
            schemas.ClewsOutputSchema,
            {"iteration": 1, "AnnualEmissions": [1.0], "TotalDiscountedCostByTechnology": [-1.0]},
        ),
        (
            schemas.OgCoreInputSchema,
            {"years": [2021, 2020], "energy_cost_index": [1.0, 1.0], "carbon_tax_revenue": [0.0, 0.0]},
        ),
        (
            schemas.OgCoreInputSchema,
            {"years": [2020], "energy_cost_index": [float("nan")], "carbon_tax_revenue": [0.0]},
        ),
        (schemas.OgCoreInputSchema, {"years": [2020], "energy_cost_index": [1.0, 2.0], "carbon_tax_revenue": [0.0]}),
        (schemas.OgCoreOutputSchema, {"iteration": 0, "gdp_growth_rate": 0.0}),
        (schemas.OgCoreOutputSchema, {"iteration": 1, "gdp_growth_rate": float("inf")}),
    ],
)
def test_the_published_bounds_hold(kind, fields):
    with pytest.raises(ValidationError):
        kind(**fields)


def test_what_is_not_traded_needs_no_price():
    trade = table("r rr l f y Trade", ["R", "R", "L1", "gas", 2020, -0.0], ["R", "S", "L1", "oil", 2020, -2.0])
    cost = bridge.annual_cost(bridge.read(results("muio") | {"Trade": trade}), 0.0, {"A": 2, "B": 2}, {"oil": 3.0})
    assert set(cost["technology"]) == {"A", "B", "TRADE-oil"}


def test_a_folder_of_results_is_read(tmp_path):
    for name, frame in results("muio").items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "Demand.csv").write_text("r,l,f,y,Demand\n")
    assert bridge.to_macro(tmp_path, 0.0, {"A": 2, "B": 2}, {}).years == [2020, 2021]
    (tmp_path / "AnnualTechnologyEmission.csv").write_text("r,t,e,y,AnnualTechnologyEmission\n")
    with pytest.raises(InvalidValueError, match="there is no result AnnualTechnologyEmission"):
        bridge.to_macro(tmp_path, 0.0, {"A": 2, "B": 2}, {})
    with pytest.raises(InvalidValueError, match="has no CSV files"):
        bridge.to_macro(tmp_path / "none", 0.0, {}, {})


def test_a_tax_on_what_nobody_emits_is_refused():
    with pytest.raises(InvalidValueError, match="carbon_tax: the case has no emission SO2; it has: CO2, NOX"):
        bridge.to_macro(results("own"), 0.0, {"A": 2, "B": 2}, {"SO2": 50.0})


def test_a_system_must_emit_unless_it_is_said_to_have_sinks():
    given_ = results("own")
    forest = pd.DataFrame([["R", "FOREST", "CO2", 2020, -3.0]], columns=given_["AnnualTechnologyEmission"].columns)
    given_["AnnualTechnologyEmission"] = pd.concat([given_["AnnualTechnologyEmission"], forest])
    with pytest.raises(InvalidValueError, match=r"emissions of CO2 in 2020 are negative, -1, because of FOREST \(-3\)"):
        bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {"CO2": 50.0})
    found = bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {"CO2": 50.0}, sinks=True)
    assert found.carbon_tax_revenue == pytest.approx([-50.0, 25.0])


def test_an_index_of_earnings_names_who_earns():
    given_ = results("own")
    crops = pd.DataFrame(
        [["R", "LAND1", 2020, -99.0], ["R", "LAND2", 2020, -1.0]], columns=["REGION", "TECHNOLOGY", "YEAR", "VALUE"]
    )
    given_["AnnualVariableOperatingCost"] = pd.concat([given_["AnnualVariableOperatingCost"], crops])
    with pytest.raises(InvalidValueError, match=r"in 2020 all costs together are -40, because of LAND1 \(-99\), LAND2"):
        bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {})
    found = bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {}, technologies=["A", "B*"])
    assert found.energy_cost_index == pytest.approx([1.0, 92 / 60])
    with pytest.raises(InvalidValueError, match="no technology is called PWR"):
        bridge.to_macro(given_, 0.0, {"A": 2, "B": 2}, {}, technologies=["PWR*"])
