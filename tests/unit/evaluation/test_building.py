"""A test case inside an FMU: indicators, scenarios and forecasts, against pandas and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import trivium
from tests import boptest_case
from tests.boptest_case import HOUR, WEATHER, YEAR, held
from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.building import Building
from trivium.evaluation.kpi import Data, Declaration, Kpis

DAY = 86400
AREA = boptest_case.CONFIG["area"]


@pytest.fixture(scope="module")
def path(own_fmu, tmp_path_factory):
    return boptest_case.write(own_fmu("room", "2.0"), tmp_path_factory.mktemp("case") / "wrapped.fmu")


@pytest.fixture
def case(path, state_dir):
    with trivium.open(path, state=state_dir) as case:
        yield case


def expected(frame: pd.DataFrame, tariff: str = "Constant") -> dict[str, float]:
    """Return the indicators of rows by the definitions of BOPTEST, with pandas."""
    times = frame.index.to_numpy(float)
    trapezoid = lambda values: float(np.trapezoid(values, times))  # noqa: E731
    below = np.clip(held("LowerSetp[north]", times) - frame.rea_T_y, 0, None)
    above = np.clip(frame.rea_T_y - held("UpperSetp[north]", times), 0, None)
    powers = {"ElectricPower": frame.rea_P_y, "GasPower": frame.rea_gas_y, "DistrictHeatingPower": frame.rea_dih_y}
    joule = 3.6e6 * AREA
    peaks = {
        name: float(powers[source].set_axis(pd.to_timedelta(times, "s")).resample("15min").mean().max() / AREA / 1000)
        for name, source in (("pele_tot", "ElectricPower"), ("pgas_tot", "GasPower"), ("pdih_tot", "DistrictHeatingPower"))
    }  # fmt: skip
    price = {"ElectricPower": f"PriceElectricPower{tariff}"}
    return {
        "tdis_tot": (trapezoid(below) + trapezoid(above)) / 3600,
        "idis_tot": trapezoid(np.clip(frame.rea_CO2_y - held("UpperCO2[north]", times), 0, None)) / 3600,
        "ener_tot": sum(map(trapezoid, powers.values())) / joule,
        "cost_tot": sum(trapezoid(p * held(price.get(s, f"Price{s}"), times)) for s, p in powers.items()) / joule,
        "emis_tot": sum(trapezoid(p * held(f"Emissions{s}", times)) for s, p in powers.items()) / joule,
        **peaks,
    }


def test_a_session_stands_where_the_case_says(case):
    assert (case.name, case.step, case.time) == ("own_room", 900.0, 7200.0)
    results = case.results()
    assert (results["time"][0], results["time"][-1]) == (3600.0, 7200.0)
    assert (results["rea_T_y"][0], results["heat_u"][0]) == (290.0, 500.0)  # as it was initialized
    # T relaxes to what the heater of the model itself gives, from 290 K an hour before
    half, start = math.exp(-0.5), 290.0
    middle = 290.0 + (start - 290.0) * half
    assert results["rea_T_y"][-1] == pytest.approx(296.0 + (middle - 296.0) * half)
    assert set(case.kpis()) == {
        "tdis_tot", "idis_tot", "ener_tot", "cost_tot", "emis_tot", "pele_tot", "pgas_tot", "pdih_tot", "time_rat",
    }  # fmt: skip
    assert case.kpis(["ener_tot", "tdis_tot"]) == {"ener_tot": 0.0, "tdis_tot": 0.0}  # the warm-up does not count


@pytest.mark.parametrize("tariff", ["constant", "dynamic", "highly_dynamic"])
def test_indicators_are_those_of_pandas(case, tariff):
    case.set_scenario(electricity_price=tariff)
    case.set_step(30)
    for heat in (None, 1700.0, 0.0, None):
        case.advance({"heat_activate": heat is not None, "heat_u": heat or 0.0}, steps=137)
    first = case.results(start_time=7200.0).frame()
    ending = {"constant": "Constant", "dynamic": "Dynamic", "highly_dynamic": "HighlyDynamic"}[tariff]
    want = expected(first, ending)
    got = case.kpis()
    assert got.reasons == {}
    assert {name: got[name] for name in want} == pytest.approx(want)
    assert all(want.values())  # none is right by being 0
    # rows are added to the sums as they come: asked often, the answer is the same
    case.advance({}, steps=50)
    want = expected(case.results(start_time=7200.0).frame(), ending)
    assert {name: case.kpis()[name] for name in want} == pytest.approx(want)
    window = case.kpis(None, 9000.0, 12600.0)
    want = expected(case.results(start_time=9000.0, final_time=12600.0).frame(), ending)
    assert {name: window[name] for name in want} == pytest.approx(want)


def test_what_acts_is_shown_for_an_overwrite(case):
    assert "heat_y" not in case.measurements
    assert set(case.inputs) == {"heat_u", "heat_activate"}
    observation = case.advance({})
    assert "heat_y" not in observation
    assert observation["heat_u"] == 500.0 if case.time % HOUR < 1800 else 800.0
    assert case.advance({"heat_u": 1200.0})["heat_u"] in (500.0, 800.0)  # not switched on
    assert case.advance({"heat_activate": 1})["heat_u"] == 1200.0
    assert case.advance_many(2, action={"heat_u": 300.0}).columns["heat_u"].tolist() == [300.0, 300.0]
    results = case.results(["heat_u", "heat_y", "heat_activate"])
    assert results["heat_u"].tolist() == results["heat_y"].tolist()
    assert results["heat_u"][-1] == 300.0
    assert "heat_y" not in case.results()


def test_no_test_begins_before_the_year(case):
    for field in ("start_time", "warmup_period"):
        with pytest.raises(InvalidValueError, match=f"for parameter {field}. Value must not be negative"):
            case.initialize(**{field: -3600.0})
    assert case.initialize(1800, None, 86400).time == 1800
    assert case.results()["time"][0] == 0.0


def test_periods_by_name(case):
    observation = case.set_scenario(time_period="warm_day", electricity_price="dynamic")["time_period"]
    assert (case.time, observation.warmup) == (193 * DAY, 7 * DAY)
    assert case.results()["time"][0] <= 186 * DAY + 900
    assert case.scenario == {
        "electricity_price": "dynamic", "time_period": "warm_day", "temperature_uncertainty": None,
        "solar_uncertainty": None, "seed": None,
    }  # fmt: skip
    case.set_step(8 * DAY)
    assert case.advance({}, clamp=True).time == 201 * DAY
    assert case.advance({}, clamp=True).time == 207 * DAY  # the end of the two weeks
    assert case.advance({}, clamp=True) == {}
    with pytest.raises(InvalidValueError, match=r"should be one of the following: .*cold_day.*warm_day"):
        case.set_scenario(time_period="summer")
    assert case.set_scenario(time_period="first_day")["time_period"].time == 0.0


def test_forecasts_are_linear_for_weather_and_held_for_the_rest(case):
    names = ["TDryBul", "HGloHor", "PriceElectricPowerDynamic", "LowerSetp[north]", "Vacancy[north]"]
    ahead = case.forecast(names, 6 * HOUR, 450)
    times = 7200.0 + 450.0 * np.arange(49)
    assert ahead["time"].tolist() == times.tolist()
    rows = np.arange(40.0)
    for name in ("TDryBul", "HGloHor"):
        assert ahead[name] == pytest.approx(np.interp(times, rows * HOUR, WEATHER[name](rows)))
    for name in names[2:]:
        assert ahead[name].tolist() == held(name, times).tolist()
    points = case.forecast_points
    assert (points["TDryBul"].unit, points["LowerSetp[north]"].unit, points["Vacancy[north]"].unit) == (
        "K",
        "K",
        "desk",
    )
    assert points["Vacancy[north]"].description == "Free desks of the zone"


def test_a_forecast_goes_over_the_turn_of_the_year(case):
    case.initialize(YEAR - 1800)
    ahead = case.forecast(["TDryBul", "PriceElectricPowerHighlyDynamic"], 7200, 900)
    assert ahead["time"][-1] == YEAR + 5400
    end = 280.0 + 8760 % 7  # where the year ends; then it is its first day again
    before = 280.0 + 8759 % 7
    assert ahead["TDryBul"].tolist() == pytest.approx(
        [(before + end) / 2, before + 0.75 * (end - before), end, 280.25, 280.5, 280.75, 281, 281.25, 281.5]
    )
    assert ahead["PriceElectricPowerHighlyDynamic"].tolist() == pytest.approx([0.33] * 2 + [0.1] * 4 + [0.11] * 3)
    case.set_step(3600)
    case.advance({})
    assert case.kpis(["cost_tot"])["cost_tot"] > 0
    assert case.forecast(["TDryBul"], 0, 1)["TDryBul"].tolist() == [280.5]


def test_forecasts_of_the_weather_can_be_uncertain(case):
    names = ["TDryBul", "HGloHor", "PriceGasPower"]
    case.initialize(10 * HOUR)
    real = case.forecast(names, 2 * DAY, HOUR)
    case.set_scenario(temperature_uncertainty="medium", solar_uncertainty="high", seed=5)
    ahead, again = (case.forecast(names, 2 * DAY, HOUR) for _ in range(2))
    assert all(np.array_equal(ahead[name], again[name]) for name in names)
    assert np.array_equal(ahead["PriceGasPower"], real["PriceGasPower"])
    assert np.abs(ahead["TDryBul"] - real["TDryBul"]).max() > 0.1
    assert (ahead["HGloHor"] >= 0.2 * real["HGloHor"] - 1e-9).all()
    assert (ahead["HGloHor"] <= 2 * real["HGloHor"] + 1e-9).all()
    assert np.abs(ahead["HGloHor"] - real["HGloHor"]).max() > 1
    case.set_scenario(solar_uncertainty="none", temperature_uncertainty="none")
    assert np.array_equal(case.forecast(names, 2 * DAY, HOUR)["HGloHor"], real["HGloHor"])
    with pytest.raises(InvalidValueError, match="solar_uncertainty is huge"):
        case.set_scenario(solar_uncertainty="huge")


def test_an_indicator_without_data_is_null_and_says_why(own_fmu, tmp_path, state_dir):
    points = '{"AirZoneTemperature[south]": ["rea_T_y"], "ElectricPower": ["rea_P_y"], "GasPower": ["nowhere_y"]}'
    room = own_fmu("room", "2.0")
    path = boptest_case.write(room, tmp_path / "x.fmu", **{"kpis.json": points, "config.json": None})
    with trivium.open(path, state=state_dir) as case:
        case.set_step(1800)
        case.advance({})
        kpis = case.kpis()
        assert kpis["pele_tot"] == pytest.approx(800 / 3 / 1000)  # in all, without an area
        assert case.kpi_points["ener_tot"].unit == "kWh"
        assert kpis.reasons == {
            "tdis_tot": "the data of the test case has no column LowerSetp[south]",
            "idis_tot": "the test case names no signals for it",
            "ener_tot": "the model has no output nowhere_y",
            "cost_tot": "the model has no output nowhere_y",
            "emis_tot": "the model has no output nowhere_y",
            "pgas_tot": "the model has no output nowhere_y",
            "pdih_tot": "the test case names no signals for it",
        }
        assert {name for name, value in kpis.items() if value is None} == {*kpis.reasons, "time_rat"}


def test_zones_share_the_discomfort_and_water_has_a_price():
    columns = ("time", "a", "b", "c", "w")
    points = {"AirZoneTemperature[1]": ["a"], "OperativeZoneTemperature[2]": ["b", "c"], "FreshWaterFlowRate": ["w"]}
    declaration = Declaration(columns, {"building": {"points": points, "area": 2}})
    data = {"LowerSetp[1]": 20.0, "UpperSetp[1]": 22.0, "LowerSetp[2]": 10.0, "UpperSetp[2]": 12.0, "PriceFreshWaterFlowRate": 3.0}  # fmt: skip
    kpis = Kpis(declaration, Data(series=lambda name, times: np.full(len(times), data[name]) if name in data else None))
    rows = np.array([[0, 19, 13, 11, 1], [3600, 19, 15, 11, 1], [7200, 25, 11, 9, 3.0]])
    values = kpis.values(lambda first: rows[first:], kpis.wanted(["tdis_tot", "cost_tot"]))
    # zone 1: 1 K for an hour, then from -1 to +3; zone 2: b from 1 to 3, then to 0, c from 0 to 1 below
    assert values["tdis_tot"] == pytest.approx((1 + (1 + 3) / 2 + 2 + 1.5 + 0.5) / 2)
    assert values["cost_tot"] == pytest.approx((3600 + 7200) * 3 / 2)


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        (3, "must be a table"),
        ({"volume": 1}, "must be a table of area and points"),
        ({"points": {"ElectricPower": "a"}}, "table of lists"),
        ({"points": []}, "table of lists"),
        ({"area": 0}, "area must be a number greater than 0"),
        ({"area": True}, "area must be"),
    ],
)
def test_a_wrong_declaration_is_refused(declaration, said):
    with pytest.raises(ResourcesError, match=said):
        Building(("time",), declaration)


def test_two_tables_may_not_define_one_indicator():
    tables = {"building": {"points": {"ElectricPower": ["a"]}}, "power": {"all": ["a"]}}
    with pytest.raises(ResourcesError, match="two tables of kpi define"):
        Declaration(("time", "a"), tables)
