"""Specifications that forms write, and what they will cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from trivium.dashboard import forms, measured
from trivium.errors import InvalidValueError
from trivium.jobs import kinds
from trivium.settings import Settings

pytest.importorskip("distributed")
pytest.importorskip("optuna")
SET_POINT = {"name": "T", "unit": "K", "minimum": 276.15, "maximum": 290.0, "start": 288.15}
CHOICE = forms.Choice(
    "testcase:cooling", 0, 86400, 300, "rules",
    {"Tchws_set_CHI": forms.Range(285.15, 288.15, 4), "Tchws_set_HEX": forms.Range(287.15, 287.15, 1)},
    (("ener_tot", "kpi"), ("Tchw_supply", "max")), ("Tchw_supply",),
)  # fmt: skip
OFFER = {"beginning": 0.5, "seconds": 0.01, "variables": [{}] * 86}


def parsed(spec, kind="sweep"):
    return kinds.parse(kinds.find(kind), spec, Settings(environ={}))


def test_a_grid():
    spec = parsed(CHOICE.study())
    assert spec.values(Path())["Tchws_set_CHI"].listed.tolist() == [285.15, 286.15, 287.15, 288.15]
    assert [*spec.metrics] == ["ener_tot", "Tchw_supply.max"]
    assert forms.cost_of(spec, OFFER).runs == 4


def test_what_a_study_costs():
    cost = forms.cost_of(parsed({**CHOICE.study(), "max_concurrent": 1}), OFFER)
    assert cost.steps == 288
    assert cost.seconds == pytest.approx(4 * (0.5 + 2.88))
    assert 4 * 289 * 4 < cost.size - 60_000 < 4 * 289 * 4 + 1000
    assert str(cost).startswith("4 runs of 288 steps. About 14 s by a measurement")


def test_a_sample_an_optimization_and_a_search():
    sample = forms.replace(CHOICE, sampling="sobol", runs=16)
    assert forms.cost_of(parsed(sample.study()), OFFER).runs == 16
    best = parsed(sample.optimization("ener_tot", "minimize"), "optimize")
    assert (best.optimize.minimize, forms.cost_of(best, OFFER).runs) == (["ener_tot"], 16)
    sought = parsed(CHOICE.search("Tchws_set_CHI", "Tchw_supply.max <= 290"))
    assert (sought.find.between, [*sought.simulation_parameters]) == ((285.15, 288.15), ["Tchws_set_HEX"])
    with pytest.raises(InvalidValueError, match="Tick the parameter"):
        CHOICE.search("", "ener_tot <= 1")


def test_a_calibration():
    fit = {"folder": "fuel_cycle", "calibrate": {"data": "measured.csv", "measured": {"x": {"column": "x"}}}}
    ranges = {"bz.TBR": forms.Range(1.0, 1.5)}
    spec = parsed(
        forms.replace(CHOICE, model="file:fuel_cycle/FuelCycle.fmu", ranges=ranges).calibration(fit), "calibrate"
    )
    assert (str(spec.package), spec.simulation_parameters) == ("FuelCycle.fmu", {"bz.TBR": "range:1:1.5"})
    assert not spec.metrics
    cost = forms.cost_of_rounds(spec, OFFER)
    assert cost.startswith("Rounds of up to 3 runs of 288 steps, about ")
    with pytest.raises(InvalidValueError, match="Choose what was measured"):
        CHOICE.calibration(None)


def test_columns_are_proposed_for_the_variables_that_are_called_so():
    variables = [{"name": name} for name in ("sds.inventory", "inventory.x", "T")]
    assert measured.proposed(("inventory", "T", "other"), variables) == {"sds.inventory": "inventory", "T": "T"}


def test_ranges_lie_about_the_start_within_the_bounds():
    assert forms.proposed_range(SET_POINT) == (286.15, 290.0, 3)
    assert forms.proposed_range({**SET_POINT, "unit": "1", "start": 0.0, "minimum": None, "maximum": 5.0})[:2] == (0, 5)
    assert forms.proposed_range({**SET_POINT, "unit": "W", "start": 10.0, "minimum": None, "maximum": None})[:2] == (
        9,
        11,
    )


def test_specifications_are_json_or_toml():
    assert forms.parse_text('{"end_time": 60}') == forms.parse_text("end_time = 60")
    for wrong in ("{", "[1]", "end_time"):
        with pytest.raises(InvalidValueError):
            forms.parse_text(wrong)
