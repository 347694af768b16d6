from dataclasses import replace

import numpy as np
import pytest

from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.forecast_error import (
    LEVELS,
    SOLAR_LEVELS,
    solar_forecast,
    solar_spread,
    temperature_error,
    temperature_spread,
)
from trivium.evaluation.scenario import Scenario, Scenarios
from trivium.simulation.boundary import Disturbances

DAY = 86400


def year(days: int = 100) -> Disturbances:
    """A signal that rises by 1 a day, but for a cold spell and a heat wave."""
    day = np.arange(days * 24) // 24
    values = day.astype(float)
    values[(day >= 60) & (day < 65)] = -50
    values[(day >= 30) & (day < 35)] = 500
    return Disturbances(("T", "other"), 0.0, 3600.0, np.column_stack((values, 0 * values)))


GIVEN = {"signal": "T", "days": 5, "warmup_days": 2, "uncertain": ["T"]}


def signals() -> Disturbances:
    hours = np.arange(48.0)
    names = ("PriceElectricPowerConstant", "PriceElectricPowerDynamic", "PriceElectricPowerHighlyDynamic")
    return Disturbances(
        (*names, "EmissionsElectricPower"), 0.0, 3600.0, np.column_stack((0 * hours + 1, hours, 10 * hours, -hours))
    )


def test_periods_are_where_the_rule_says() -> None:
    found = Scenarios(GIVEN, year(), None).periods
    assert {name: period.start / DAY for name, period in found.items()}.items() >= {
        "winter": 60,
        "peak_heat": 30,
    }.items()
    assert all(period.end - period.start == 5 * DAY and period.warmup == 2 * DAY for period in found.values())
    # a third of the windows are colder than the mild one, half than the typical one: brute force over all windows
    values = year().values[:, 0]
    means = {day: values[24 * day : 24 * (day + 5)].mean() for day in range(2, 96)}
    for name, share in (("mild", 1 / 3), ("typical", 1 / 2)):
        mean = means[found[name].start / DAY]
        colder = sum(other < mean for other in means.values()) / len(means)
        assert colder == pytest.approx(share, abs=0.03)


def test_a_year_that_is_too_short_has_no_periods() -> None:
    assert Scenarios(GIVEN, year(6), None).periods == {}


def test_prices_hold_from_their_time_on() -> None:
    scenarios = Scenarios({}, None, signals())
    times = np.array([0.0, 3599.0, 3600.0, 7300.0, 1e9])
    assert scenarios.price(Scenario("dynamic"), times).tolist() == [[0, 0, 1, 2, 47], [0, 0, -1, -2, -47]]
    assert scenarios.price(Scenario(), times)[0].tolist() == [1] * 5
    assert Scenarios({}, None, None).price(Scenario(), times) is None


def test_what_was_chosen_is_kept() -> None:
    scenarios = Scenarios(GIVEN, year(), signals())
    first, said = scenarios.parse({"electricity_price": "dynamic", "time_period": None}, Scenario())
    assert first == Scenario("dynamic")
    assert said["electricity_price"] == "dynamic"
    assert said["time_period"] is None
    second, _ = scenarios.parse({"temperature_uncertainty": "high", "seed": 7}, first)
    assert second == replace(first, temperature_uncertainty="high", seed=7)
    assert scenarios.parse({"temperature_uncertainty": "none"}, second)[0] == replace(
        second, temperature_uncertainty=None
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"electricity_price": "free"}, "electricity_price is free, but should be one of the following: .*'dynamic'"),
        ({"time_period": "summer"}, "time_period is summer, but should be one of the following: .*peak_heat"),
        ({"temperature_uncertainty": "huge"}, "temperature_uncertainty is huge"),
        ({"solar_uncertainty": "low"}, "solar_uncertainty is low"),
        ({"seed": -1}, "seed is -1, but should be a non-negative integer"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": True}, "seed is "),
        ({"time_period": ["winter"]}, "time_period is "),
        ({"weather": "nice"}, "Unknown parameter"),
    ],
)
def test_what_cannot_be_chosen_is_refused(given: dict, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said) as error:
        Scenarios(GIVEN, year(), signals()).parse(given, Scenario())
    assert error.value.field == next(iter(given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signal": "X"}, "no column X"),
        ({"signal": "T", "days": 0}, "scenario.days must be an integer of at least 1"),
        ({"signal": "T", "warmup_days": "1"}, "scenario.warmup_days"),
        ({"season": 1}, "unknown key scenario.season"),
    ],
)
def test_a_wrong_declaration_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ResourcesError, match=said):
        Scenarios(given, year(), None)


def test_errors_have_the_moments_of_the_process() -> None:
    """Mean and variance of an AR(1) process after k steps, over many seeds."""
    level, hours = LEVELS["medium"], np.arange(0, 25) * 3600.0
    errors = np.array([temperature_error(level, seed, 0.0, hours) for seed in range(4000)])
    f, k = level.carried, 24
    mean = level.mean_first * f**k
    variance = level.deviation_first**2 * f ** (2 * k) + level.deviation**2 * (1 - f ** (2 * k)) / (1 - f**2)
    assert errors[:, 0].mean() == pytest.approx(level.mean_first, abs=0.06)
    assert errors[:, 0].std() == pytest.approx(level.deviation_first, rel=0.05)
    assert errors[:, k].mean() == pytest.approx(mean, abs=0.08)
    assert errors[:, k].std() == pytest.approx(np.sqrt(variance), rel=0.05)


@pytest.mark.parametrize("name", LEVELS)
def test_the_spread_of_a_forecast_is_that_of_many_seeds(name: str) -> None:
    level, times = LEVELS[name], 5400.0 + 900.0 * np.arange(60)  # from half past one on, made at one
    errors = np.array([temperature_error(level, seed, 5400.0, times) for seed in range(4000)])
    mean, deviation = temperature_spread(level, 5400.0, times)
    assert np.abs(errors.mean(axis=0) - mean).max() < 0.12
    assert errors.std(axis=0) == pytest.approx(deviation, rel=0.06)


def test_errors_are_a_function_of_seed_and_hour() -> None:
    level = LEVELS["high"]
    times = 7200.0 + 300 * np.arange(100)
    long = temperature_error(level, 3, 7200.0, times)
    assert np.array_equal(long[:20], temperature_error(level, 3, 7200.0, times[:20]))
    assert np.array_equal(long, temperature_error(level, 3, 7200.0 + 1800, times))  # made at the full hour
    assert not np.array_equal(long, temperature_error(level, 4, 7200.0, times))
    assert not np.array_equal(long[12:], temperature_error(level, 3, 10800.0, times[12:]))
    assert long[6] == pytest.approx((long[0] + long[12]) / 2)
    assert temperature_error(level, 3, 0.0, np.empty(0)).size == 0


@pytest.mark.parametrize("level", SOLAR_LEVELS.values(), ids=SOLAR_LEVELS)
def test_the_radiation_is_as_often_where_its_spread_says(level):
    inner, outer, hours = 0, 0, 0
    for day in range(40):
        chance = np.random.default_rng(day)
        clear, now = chance.uniform(0.3, 1.0), 86400.0 * day + 3600.0 * chance.integers(6, 14)

        def truth(times, clear=clear):
            return np.maximum(0.0, 900.0 * clear * np.sin(np.pi * (times / 3600.0 % 24.0 - 6.0) / 12.0))

        times = now + 3600.0 * np.arange(7)
        forecast = solar_forecast(level, day, now, times, truth)
        ends = solar_spread(level, now, times, forecast, (0.05, 0.25, 0.75, 0.95))
        real = truth(times)
        sunny = real > 50.0
        hours += sunny.sum()
        inner += ((ends[1] <= real) & (real <= ends[2]))[sunny].sum()
        outer += ((ends[0] <= real) & (real <= ends[3]))[sunny].sum()
        assert np.allclose(ends[:, real == 0.0], 0.0)
    assert 0.42 < inner / hours < 0.68
    assert 0.88 < outer / hours < 0.98
