"""The terms of the reward, computed by hand."""

from __future__ import annotations

import pytest

from trivium.errors import InvalidValueError
from trivium.gym.reward import DEFAULT_WEIGHTS, MEASURED_WEIGHTS, Reward, Transition, default_weights
from trivium.plants.cooling.agent import CHILLERS, POWER


def transition(step=900.0, supply=288.65, price=0.3, **changes):
    after = {**dict.fromkeys(POWER, 25e3), **dict.fromkeys(CHILLERS, 0.0), "Tchw_supply": supply}
    before = {**after, "CHI01": 1.0}
    return Transition(1800.0, step, before, after | changes, {"price": price}, {"ener_tot": 24.0})


def test_each_term():
    reward = Reward({"energy": 1.0, "violation": 1.0, "cost": 1.0, "starts": 1.0}, price="price")
    terms = reward.terms(transition(CHI02=1.0, CHI05=0.9))
    assert terms == pytest.approx(
        {
            "energy": 25.0,  # 100 kW for a quarter of an hour
            "violation": 0.25,  # 1 K above 287.65 K for a quarter of an hour
            "cost": 7.5,
            "starts": 2.0,  # chillers 2 and 5; chiller 1 went off
        }
    )


def test_the_reward_is_minus_their_weighted_sum():
    reward = Reward({"energy": 0.01, "violation": 10.0})
    assert reward(transition()) == pytest.approx(-(0.25 + 2.5))
    assert reward(transition(supply=287.6)) == pytest.approx(-0.25)


def test_a_price_may_be_a_number():
    reward = Reward({"cost": 2.0}, price=0.2)
    assert reward.boundary == ()
    assert reward(transition()) == pytest.approx(-10.0)
    assert Reward({"cost": 2.0}, price="price").boundary == ("price",)


def test_a_limit_of_ones_own():
    assert Reward({"violation": 1.0}, limit=285.65, band=0.0)(transition()) == pytest.approx(-0.75)


def test_an_indicator_counts_what_it_gained():
    reward = Reward({"ener_tot": 0.01, "violation": 1.0})
    assert reward.kpis == ("ener_tot",)
    assert reward.terms(transition()) == pytest.approx({"ener_tot": 24.0, "violation": 0.25})
    assert reward(transition()) == pytest.approx(-0.49)


def test_while_no_pump_gives_head_the_worst_temperature_counts():
    reward = Reward({"violation": 1.0})
    heads = {f"H_CHWP{i}": 0.0 for i in range(1, 7)}
    assert reward(transition(supply=280.0, **heads)) == pytest.approx(-25.5 / 4)
    assert reward(transition(supply=280.0, **{**heads, "H_CHWP3": 12.0})) == 0.0


def test_the_default_follows_what_the_test_case_defines():
    assert default_weights({*DEFAULT_WEIGHTS, "pue"}) is DEFAULT_WEIGHTS
    assert default_weights({"ener_tot"}) is MEASURED_WEIGHTS


@pytest.mark.parametrize("weights", [DEFAULT_WEIGHTS, MEASURED_WEIGHTS, {"tdis_tot": 1e4}, {"cost": 1.0}])
@pytest.mark.parametrize("step", [60.0, 300.0, 3600.0])
def test_no_step_is_worse_than_the_worst(weights, step):
    """All machines at their limits, all units started, boiling water and no heat removed of all that there can be."""
    hours = step / 3600.0
    kpi = {"ener_tot": 12_100 * hours, "tdis_tot": 60 * hours, "unserved_tot": 24_000 * hours}
    kpi |= {name: 6.0 for name in DEFAULT_WEIGHTS if name.startswith("starts")}
    worst = transition(step, 348.0, price=0.1, **dict.fromkeys(POWER, 3.0e6), **dict.fromkeys(CHILLERS, 1.0))
    worst = worst._replace(before={**worst.after, **dict.fromkeys(CHILLERS, 0.0)}, kpi=kpi)
    reward = Reward(weights, price=0.01)
    assert reward.worst(step) < reward(worst)


def test_a_plant_that_does_not_measure_what_is_needed_is_refused():
    with pytest.raises(InvalidValueError, match="needs P_Chillers_sum"):
        Reward({"energy": 1.0}).check({"Tchw_supply": None})
    Reward({"violation": 1.0}).check({"Tchw_supply": None})
    Reward({"starts": 1.0}).check({})
