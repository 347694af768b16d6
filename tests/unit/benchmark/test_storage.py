"""When the battery is charged, and what that is worth."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.benchmark.baselines import baseline
from trivium.benchmark.player import ConstantPlayer, Episode, play
from trivium.benchmark.storage import StoragePlayer, battery_schedule
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv

HOURS, DISCHARGE, EFFICIENCY = 24, 7200.0, 0.95


def charges(commands, begin):
    """Return the states of charge after each hour."""
    rates = np.where(commands > 0.0, EFFICIENCY * commands, commands / EFFICIENCY)
    return begin + np.cumsum(rates) * 3600.0 / DISCHARGE


def test_a_schedule_buys_cheap_and_sells_dear_within_the_battery():
    prices = 0.1 + 0.05 * np.sin(2 * np.pi * np.arange(HOURS) / HOURS)
    commands = battery_schedule(prices, 0.5, DISCHARGE, EFFICIENCY)
    assert prices @ commands < 0.0
    assert prices[commands > 0.1].mean() < 0.8 * prices[commands < -0.1].mean()
    after = charges(commands, 0.5)
    assert after.min() > 0.1
    assert after.max() < 0.9
    assert after[-1] >= 0.5 - 1e-5


def test_prices_that_do_not_pay_for_the_losses_leave_the_battery_alone():
    prices = np.where(np.arange(HOURS) % 12 < 6, 0.1, 0.1 * 0.95)
    assert not battery_schedule(prices, 0.5, DISCHARGE, EFFICIENCY).any()


@pytest.mark.parametrize("begin", [0.0, 0.05, 0.95, 1.0])
def test_a_battery_near_an_end_has_a_schedule(begin):
    prices = np.linspace(0.05, 0.3, HOURS)
    after = charges(battery_schedule(prices, begin, DISCHARGE, EFFICIENCY), begin)
    assert after.min() >= min(begin, 0.1) - 1e-5
    assert after.max() <= max(begin, 0.9) + 1e-5


def test_no_schedule_is_cheaper_than_that_of_the_program():
    random = np.random.default_rng(5)
    prices = random.uniform(0.02, 0.3, HOURS)
    best = prices @ battery_schedule(prices, 0.5, DISCHARGE, EFFICIENCY)
    for _ in range(500):
        commands = random.uniform(-1.0, 1.0, HOURS)
        after = charges(commands, 0.5)
        if after.min() >= 0.11 and after.max() <= 0.89 and after[-1] >= 0.5:
            assert prices @ commands >= best
    low, high = int(prices.argmin()), int(prices.argmax())
    pair = np.zeros(HOURS)
    pair[[low, high]] = (0.7, -0.7 * EFFICIENCY**2)
    assert charges(pair, 0.5)[-1] == pytest.approx(0.5)
    assert prices @ pair >= best


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


def played(state, objective: str, days) -> list[Episode]:
    env = TaskEnv("DC-Full-5A-5MW-v1", split="test", objective=objective, state_dir=state)
    episodes = [play(env, StoragePlayer(), seed, day) for seed, day in enumerate(days)]
    env.close()
    return episodes


@pytest.mark.slow
def test_the_best_for_cost_and_for_energy_differ_by_more_than_a_twentieth_of_the_cost(state):
    days = (25, 110, 193, 277)
    cost, energy = (
        {
            name: sum(episode.kpis[name] for episode in played(state, objective, days))
            for name in ("cost_tot", "ener_tot")
        }
        for objective in ("cost", "energy")
    )
    assert cost["cost_tot"] < 0.95 * energy["cost_tot"]
    assert energy["ener_tot"] < 0.99 * cost["ener_tot"]


def test_a_day_with_a_schedule_serves_and_leaves_the_battery_as_it_was(state):
    env = TaskEnv("DC-Full-5A-5MW-v1", split="test", state_dir=state)
    episode = play(env, StoragePlayer(), 0, 193)
    assert env.values["socBat"] == pytest.approx(0.5, abs=2e-3)
    assert episode.costs["work"] == 0.0
    env.close()


def test_a_task_without_a_battery_has_no_such_baseline(state):
    env = TaskEnv("DC-SetPoints-5A-5MW-v1", state_dir=state)
    with pytest.raises(InvalidValueError, match="there is no baseline 'storage' for DC-SetPoints-5A-5MW-v1"):
        baseline("storage", env)
    assert play(env, StoragePlayer(), 0, 190).kpis["cost_tot"] < play(env, ConstantPlayer(), 0, 190).kpis["cost_tot"]
    env.close()
