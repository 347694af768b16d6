"""The example's energy system against other solvers and against sums done by hand."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.optional import needs

needs("tz.osemosys", "tz-osemosys is not installed (extra ogclews)")

from trivium.coupling.og_clews import energy  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402

CASE = Path(__file__).parents[4] / "examples" / "og_clews" / "energy.yaml"
OPTIONS = {"case": "energy.yaml"}
YEARS = np.arange(2025, 2051)
pytestmark = pytest.mark.filterwarnings("ignore")  # of xarray, linopy and what they rest on


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    shutil.copy(CASE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return the answers without a tax; solved once."""
    place = tmp_path_factory.mktemp("base")
    shutil.copy(CASE, place)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.chdir(place)
        return energy.solve({}, OPTIONS)


def test_the_example_is_what_it_says():
    inputs, outputs = energy.describe(OPTIONS | {"coupled": ["annual_demand", "discount_rate"]})
    assert [one.name for one in inputs] == ["annual_demand", "discount_rate"]
    assert dict(inputs[0].dims) == {
        "fuel": ("ELC-INDUSTRY", "ELC-HOMES", "HEAT", "TRANSPORT"),
        "year": tuple(YEARS.tolist()),
    }
    assert {one.name: one.unit for one in outputs}["levelised_cost"] == "MUSD/PJ"


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["glpsol", "cbc"])
def test_other_solvers_find_the_same_cost(solver, base):
    if shutil.which(solver) is None:
        pytest.skip(f"{solver} is not installed")
    energy.Case.read("energy.yaml").build()._m.to_file(Path("case.lp"))
    if solver == "glpsol":
        subprocess.run(["glpsol", "--lp", "case.lp", "-o", "out"], check=True, capture_output=True)
        found = float(re.search(r"Objective: .* = (\S+)", Path("out").read_text())[1])
    else:
        subprocess.run(["cbc", "case.lp", "solve", "solution", "out"], check=True, capture_output=True)
        found = float(Path("out").read_text().split("\n", 1)[0].split()[-1])
    # the program does not hold the fixed cost of the plants that stand already, paid in the middle of each year
    falling = {"20": (5.0 * 45 + 3.0 * 22 + 9.0 * 6), "12": 110.0 * 3}
    left = {life: np.maximum(0, 1 - (YEARS - 2025) / float(life)) for life in falling}
    fixed = sum(cost * left[life] for life, cost in falling.items()) + 1.0 * 50
    constant = (fixed / 1.05 ** (YEARS - 2025 + 0.5)).sum()
    assert found + constant == pytest.approx(float(base["objective"]), rel=1e-6)


@pytest.mark.slow
def test_demand_is_met_and_a_tax_changes_what_meets_it(base, folder):
    taxed = energy.solve({}, OPTIONS | {"carbon_tax": {"CO2": 50.0}})
    co2 = dict(zip(("CO2", "NOX"), taxed["emissions"], strict=True))["CO2"]
    assert co2.sum() < 0.8 * base["emissions"][0].sum()
    assert taxed["carbon_tax_revenue"] == pytest.approx(50.0 * co2)
    assert taxed["objective"] > base["objective"]
    assert base["levelised_tax"] == 0.0 < taxed["levelised_tax"]
    # what was paid for electricity lies between its dearest and its cheapest year
    for name in ("cost", "tax"):
        series = taxed[f"electricity_{name}"]
        assert series.min() < taxed[f"levelised_{name}"] < series.max()
    assert base["base_demand"][0] == pytest.approx(120 * 1.02 ** (YEARS - 2025))
    assert len(list((folder / "results").iterdir())) == 6


@pytest.mark.slow
def test_what_is_coupled_replaces_the_case_s_own(base):
    coupled = OPTIONS | {"coupled": ["annual_demand", "discount_rate"]}
    less = energy.solve({"annual_demand": 0.5 * base["base_demand"], "discount_rate": np.array(0.05)}, coupled)
    assert 0.4 * base["objective"] < less["objective"] < 0.55 * base["objective"]
    assert less["base_demand"] == pytest.approx(base["base_demand"])
    cheap = energy.solve({"annual_demand": base["base_demand"], "discount_rate": np.array(0.02)}, coupled)
    assert cheap["objective"] > base["objective"]  # the future counts more
    assert cheap["levelised_cost"] < base["levelised_cost"]  # and capital costs less


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "case: Field required"),
        ({"case": "none.yaml"}, "none.yaml cannot be read"),
        pytest.param(
            {"case": "energy.yaml", "carbon_tax": {"SO2": 1.0}},
            "carbon_tax: the case has no emission SO2",
            marks=pytest.mark.slow,
        ),
        ({"case": "energy.yaml", "electricity": "STEAM"}, "electricity: the case has no fuel STEAM"),
        ({"case": "energy.yaml", "discount_rate": 0.0}, "discount_rate: Input should be greater than 0"),
        ({"case": "empty.yaml"}, "empty.yaml cannot be read"),
    ],
)
def test_what_is_wrong_is_named(options, said, folder):
    (folder / "empty.yaml").write_text("id: empty\n")
    with pytest.raises(InvalidValueError, match=said):
        energy.solve({}, options)
