"""Key performance indicators, scenarios, forecasts and rehearsals of a test case as a whole."""

from pathlib import Path

import numpy as np
import pytest

from trivium.errors import InvalidValueError
from trivium.evaluation.testcase import TestCase
from trivium.session.local import open_testcase

POWERS = ("P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum")
CHILLERS = [f"CHI0{i}" for i in range(1, 7)]


@pytest.fixture
def case(resources: Path, state_dir: Path):
    case = open_testcase(resources, state_dir)
    yield case
    case.close()


def drive(case: TestCase, steps: int) -> dict[str, float]:
    """Some steps with something happening: a chiller is switched off and on, the supply gets too warm."""
    for k in range(steps):
        observation = case.advance({"CHI01": (k // 2) % 2, "Tchws_set_CHI": 287.0 + k / 10})
    return observation


def computed(case: TestCase, start: float, end: float) -> dict[str, float]:
    """The same with pandas, from what `/results` answers."""
    names = [
        *POWERS,
        "Mchw",
        "Mchw_real",
        "cw_share",
        "chiller_share",
        "Tchw_r",
        "Tchw_supply",
        "VolumeFlowRate_cw",
        "Tcw_returnPipe",
        "Tcw_supply",
        *CHILLERS,
    ]
    frame = case.results(names, start, end).frame()
    hours = frame.index.to_series().diff().iloc[1:] / 3600
    of = frame.iloc[1:]
    energy = (of[list(POWERS)].sum(axis=1) / 1000 * hours).sum()
    shares = of.cw_share * of.chiller_share
    demand = of.Mchw * 4.186 * (of.Tchw_r - 287.15)
    removed = shares * of.Mchw_real * 4.186 * (of.Tchw_r - of.Tchw_supply)
    heat = (removed.clip(upper=demand) * hours).sum()
    served = (shares * of.Mchw_real / of.Mchw).clip(0, 1)
    hall = served * of.Tchw_supply + (1 - served) * 313.15
    violation = (hall - 287.65).clip(lower=0) + (286.65 - hall).clip(lower=0)
    vapour = (997 * of.VolumeFlowRate_cw * 4180 * (of.Tcw_returnPipe - of.Tcw_supply) * hours * 3600).sum() / 2.4417e6
    return {
        "ener_tot": energy,
        "ener_fans": (of.P_CTfans_sum / 1000 * hours).sum(),
        "heat_tot": heat,
        "unserved_tot": (demand * hours).sum() - heat,
        "pue": 1 + energy / heat,
        "cer": heat / energy,
        "tdis_tot": (violation * hours).sum(),
        "water_tot": vapour * 4 / 3 / 0.997 + (of.VolumeFlowRate_cw * hours).sum() * 3.6e6 * 1e-4,
        "cost_tot": energy * 0.0804,
        "starts_chillers": frame[CHILLERS].diff().eq(1).to_numpy().sum(),
        "stops_chillers": frame[CHILLERS].diff().eq(-1).to_numpy().sum(),
    }


@pytest.mark.parametrize("start", [0, 8553600])
def test_indicators_agree_with_pandas(case: TestCase, start: int) -> None:
    case.initialize(start)
    drive(case, 15)
    expected = computed(case, start, start + 15 * 300)
    assert expected["tdis_tot"] > 0 or start == 0
    assert expected["starts_chillers"] > 0
    assert case.kpis(list(expected)) == pytest.approx(expected)
    window = computed(case, start + 1200, start + 3000)
    assert case.kpis(list(expected), start + 1200, start + 3000) == pytest.approx(window)


def test_they_begin_with_the_test_and_a_warm_up_does_not_count(case: TestCase) -> None:
    drive(case, 3)
    assert case.kpis(["ener_tot"])["ener_tot"] > 0
    case.initialize(7200, None, 3600)
    assert case.kpis(["ener_tot", "starts_chillers"]) == {"ener_tot": 0.0, "starts_chillers": 0.0}
    case.advance({})
    power = case.results(POWERS, 7500, 7500)
    energy = sum(power[name][0] for name in POWERS) / 12e3
    assert case.kpis()["ener_tot"] == pytest.approx(energy)


def test_they_come_back_with_a_state(case: TestCase) -> None:
    case.set_scenario(electricity_price="dynamic")
    drive(case, 4)
    stored, before = case.state(), case.kpis(["ener_tot", "cost_tot", "pele_tot"])
    drive(case, 5)
    case.set_scenario(electricity_price="constant")
    case.set_state(stored)
    assert case.kpis(["ener_tot", "cost_tot", "pele_tot"]) == before
    assert case.scenario["electricity_price"] == "dynamic"
    twin = case.twin()
    twin.set_state(stored, case.history_rows())
    assert twin.kpis(["ener_tot", "cost_tot", "pele_tot"]) == before
    twin.close()


@pytest.mark.parametrize(
    "arguments", [(["nonsense"],), (5,), ([["ener_tot"]],), (None, 600, 300), (None, "soon", None), (None, None, "nan")]
)
def test_what_cannot_be_asked_is_refused(case: TestCase, arguments: tuple) -> None:
    with pytest.raises(InvalidValueError) as error:
        case.kpis(*arguments)
    assert error.value.field in ("names", "start_time", "final_time")


def test_every_indicator_has_a_point(case: TestCase) -> None:
    points = case.kpi_points
    case.advance({})
    case.advance({})
    case.advance({})
    found = {name for name, value in case.kpis().items() if value is not None}
    assert found == set(points) | {"time_rat"}


def test_the_time_ratio_is_that_of_the_client(case: TestCase, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("trivium.evaluation.testcase.perf_counter", lambda: clock["now"])
    assert case.kpis(["time_rat"]) == {"time_rat": None}
    for thought in (3.0, 6.0, 9.0):
        case.advance({})
        clock["now"] += thought
    case.advance({})
    assert case.kpis(["time_rat"])["time_rat"] == pytest.approx((3 + 6 + 9) / 3 / 300)


def test_a_time_period_initializes_and_ends_the_test(case: TestCase) -> None:
    period = case.evaluation.periods["peak_heat"]
    said = case.set_scenario(time_period="peak_heat", electricity_price="highly_dynamic")
    assert said["time_period"].time == case.time == period.start
    assert said["electricity_price"] == "highly_dynamic"
    assert case.scenario["time_period"] == "peak_heat"
    case.set_step(period.end - period.start - 300)
    case.advance({})
    case.set_step(600)
    reply = case.advance({}, clamp=True)
    assert reply.time == period.end
    assert case.advance({}, clamp=True) == {}
    wet_bulb = case.results(["Twb_outside"], period.start, period.end)["Twb_outside"]
    assert wet_bulb.mean() > 295  # 22 degC: a hot fortnight
    case.initialize(0)
    assert case.scenario["time_period"] is None
    assert case.scenario["electricity_price"] == "highly_dynamic"


def test_a_refused_scenario_changes_nothing(case: TestCase) -> None:
    drive(case, 2)
    before = case.state()
    for given in ({"time_period": "winter", "electricity_price": "free"}, {"seed": -3}, {"nonsense": 1}):
        with pytest.raises(InvalidValueError):
            case.set_scenario(**given)
    assert case.state() == before


def test_prices_are_forecast_too(case: TestCase) -> None:
    points = case.forecast_points
    assert points["PriceElectricPowerDynamic"].unit == "currency/kWh"
    ahead = case.forecast(["PriceElectricPowerDynamic", "Twb_outside"], 86400, 1800)
    assert list(ahead) == ["time", "PriceElectricPowerDynamic", "Twb_outside"]
    assert len(set(ahead["PriceElectricPowerDynamic"])) == 3
    assert np.ptp(ahead["Twb_outside"]) > 1


def test_a_forecast_may_err_and_the_plant_does_not_know(case: TestCase) -> None:
    true = case.forecast(["Twb_outside", "Mchw"], 86400, 3600)
    case.set_scenario(temperature_uncertainty="high", seed=1)
    one = case.forecast(["Twb_outside", "Mchw"], 86400, 3600)
    assert np.array_equal(one["Mchw"], true["Mchw"])
    assert 0.5 < np.abs(one["Twb_outside"] - true["Twb_outside"]).max() < 12
    again = case.forecast(["Twb_outside"], 86400, 3600)
    assert np.array_equal(one["Twb_outside"], again["Twb_outside"])
    case.set_scenario(seed=2)
    assert not np.array_equal(case.forecast(["Twb_outside"], 86400, 3600)["Twb_outside"], one["Twb_outside"])
    case.advance({})
    assert case.results(["Twb_outside"], 300, 300)["Twb_outside"][0] == true["Twb_outside"][0]


def test_a_rehearsal_foretells_and_changes_nothing(case: TestCase) -> None:
    observation = drive(case, 3)
    before = case.state()

    def policy(observation, boundary):
        too_warm = observation["Tchw_supply"] > 287.5
        return {
            "Tchws_set_CHI": 286.0 if too_warm else 288.0 + (boundary["Twb_outside"] - 280) / 50,
            "CHI02": float(too_warm),
        }

    seen = case.rehearse(policy, 12)
    assert case.state() == before
    for _ in range(12):
        observation = case.advance(policy(observation, case.boundary()))
    assert np.array_equal(seen, case.history_rows(3), equal_nan=True)


def test_a_rehearsal_believes_the_forecast(case: TestCase) -> None:
    case.set_scenario(temperature_uncertainty="high", seed=1)
    believed = []
    rows = case.rehearse(lambda observation, boundary: believed.append(boundary["Twb_outside"]) or {}, 24)
    ahead = case.forecast(["Twb_outside"], 23 * 300, 300)["Twb_outside"]
    assert np.allclose(believed, ahead)
    assert np.allclose(rows[1:, case.stepper.history.columns.index("Twb_outside")], ahead)


def test_a_rehearsal_ends_with_the_simulation(case: TestCase) -> None:
    case.initialize(0, 900)
    assert len(case.rehearse(lambda observation, boundary: {}, 50)) == 4
    case.advance({})
    case.advance({})
    case.advance({})
    assert len(case.rehearse(lambda observation, boundary: {}, 50)) == 1


def test_a_window_of_length_zero_holds_no_energy(case: TestCase) -> None:
    case.initialize(0)
    drive(case, 6)
    names = ["ener_tot", "pele_tot", "pue", "starts_chillers"]
    indicators = case.evaluation.values(case.history_rows, names, 900.0, 900.0)
    assert indicators == {"ener_tot": 0.0, "pele_tot": None, "pue": None, "starts_chillers": 0.0}
    with pytest.raises(InvalidValueError, match="must not be less than start_time"):
        case.evaluation.values(case.history_rows, names, 900.0, 899.0)
