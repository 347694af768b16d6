"""Tasks: their ids, spaces, levels, costs and days."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import trivium.gym
from tests.server import ROOT
from trivium.errors import InvalidValueError
from trivium.gym.tasks import levels, periods, task
from trivium.gym.tasks.reward import WEIGHTS
from trivium.plants.data_center.constraints import Costs, costs
from trivium.plants.data_center.family.climates import CLIMATES
from trivium.plants.data_center.rules import RuleBook

DAY = 86400.0


@pytest.mark.parametrize("kind", task.KINDS)
def test_gymnasiums_own_check(make, kind):
    check_env(make(f"DC-{kind}-5A-5MW-v1", level="faults"), skip_render_check=True)


def test_every_task_is_registered(members):
    names = list(task.names())
    assert len(names) == 3 * 3 * len(CLIMATES)
    assert all(f"trivium/{name}" in gymnasium.registry for name in names)
    assert trivium.gym.ENV_ID in gymnasium.registry
    env = gymnasium.make("trivium/DC-SetPoints-5A-5MW-v1", state_dir=members, split="test")
    observation, info = env.reset(seed=3)
    assert observation.shape == env.observation_space.shape
    assert info["time"] / DAY in periods.days("test")
    env.close()


@pytest.mark.parametrize("name", list(task.names()))
def test_an_id_is_read_and_written(name):
    assert task.parse(name).name == name
    assert task.parse(f"trivium/{name}").name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [("DC-SetPoints-5A", "an id is"), ("DC-Setpoints-5A-5MW-v1", "SetPoints"), ("DC-Full-5A-5MW-v2", "version 1"),
     ("DC-Full-9Z-5MW-v1", "climate"), ("DC-Full-5A-3MW-v1", "size")],
)  # fmt: skip
def test_ids_that_are_none(name, message):
    with pytest.raises(InvalidValueError, match=message):
        task.parse(name)


@pytest.mark.parametrize(("option", "field"), [("level", "level"), ("split", "split"), ("objective", "objective")])
def test_options_that_are_none(make, option, field):
    with pytest.raises(InvalidValueError) as refused:
        make(**{option: "none"})
    assert refused.value.field == field


def test_no_day_is_in_two_splits_and_every_season_in_each():
    days = {split: set(periods.days(split)) for split in periods.SPLITS}
    assert not days["train"] & days["test"]
    assert not days["train"] & days["validation"]
    assert not days["validation"] & days["test"]
    for split in periods.SPLITS:
        seasons = [{day for day in days[split] if first <= day < first + 91} for first in (0, 91, 182, 273)]
        assert min(map(len, seasons)) > 10
        assert len({periods.day_of_seed(split, seed) for seed in range(len(days[split]))}) == len(days[split])


def test_the_rule_book_alone_is_what_an_agent_starts_from(make):
    env = make()
    env.reset(seed=0, options={"start_time": 100 * DAY})
    book = RuleBook(5e6, 900.0)
    book.reset(env.inner.values, env.inner.boundary)
    for _ in range(5):
        commands = book.action(env.inner.values, env.inner.boundary)
        env.apply({})
        assert {name: env.inner.values[name] for name in commands} == pytest.approx(commands)


def test_commands_of_an_agent_replace_those_of_the_rule_book(make):
    env = make()
    env.reset(seed=0)
    env.step(np.array([1.0, -1.0, -1.0, 1.0], np.float32))
    chosen = [env.inner.values[name] for name in ("TChiWatSupSet", "TSupAirSet1", "TSupAirSet2", "TLiqSupSet")]
    assert chosen == pytest.approx([293.15, 288.15, 288.15, 318.15])


def test_units_are_chosen_as_whole_numbers(make):
    env = make("DC-Staging-5A-5MW-v1")
    env.reset(seed=0)
    env.step(np.array([1, 0, 1, 0, 3, 2, 4]))
    chosen = [env.inner.values[name] for name in task.KINDS["Staging"].commands]
    assert chosen == [1, 0, 1, 0, 3, 2, 4]


def test_the_same_seed_gives_the_same_episode_and_another_another(make):
    def observed(seed):
        env.reset(seed=seed)
        return np.concatenate([env.step(np.zeros(4, np.float32))[0] for _ in range(4)])

    env = make(level="mismatch")
    assert np.array_equal(observed(1), observed(1))
    assert not np.array_equal(observed(1), observed(2))


def test_levels_add_to_each_other(make):
    def observed(level):
        env = make(level=level)
        observation, _ = env.reset(seed=5, options={"start_time": 200 * DAY})
        if level != "perfect":  # the present is measured, and knows nothing of the forecast's error
            measured = env.inner.plant.results(["TWetBul"], 200 * DAY, 200 * DAY)["TWetBul"][-1]
            assert env.inner.boundary["TWetBul"] == measured
        return dict(zip(env.observation_names, observation.tolist(), strict=True)), env.inner.values

    perfect, values = observed("perfect")
    forecast, same = observed("forecast")
    assert values == same
    ahead = [name for name in perfect if name.startswith("TWetBul+")]
    assert all(perfect[name] != forecast[name] for name in ahead)
    present = {"TWetBul", "TDryBul", "PItDem1", "PItDem2"}
    assert {name for name in perfect if perfect[name] != forecast[name]} <= {*ahead, *present}
    noise, same = observed("noise")
    assert values == same
    assert noise["TChiWatSup"] != forecast["TChiWatSup"]
    assert noise["cos(day)"] == forecast["cos(day)"]
    _, other = observed("mismatch")
    assert other["TChiWatSup"] != values["TChiWatSup"]


def test_a_drawn_plant_stays_within_its_range():
    level = levels.level("mismatch")
    nominal = dict.fromkeys(level.mismatch, 2.0)
    drawn = levels.drawn_plant(level, nominal, np.random.default_rng(0))
    assert all(2.0 * low <= drawn[name] <= 2.0 * high for name, (low, high) in level.mismatch.items())


def test_the_clock_is_observed(make):
    env = make()
    observation, _ = env.reset(seed=0, options={"start_time": 7 * DAY})
    assert observation[-4:] == pytest.approx([0, 1, 0, 1], abs=1e-6)
    for _ in range(24):
        observation, *_ = env.step(np.zeros(4, np.float32))
    assert observation[-4:-2] == pytest.approx([1, 0], abs=1e-6)


def test_an_episode_goes_on_from_a_snapshot(make):
    def rest():
        return [env.step(np.full(4, 0.3, np.float32)) for _ in range(3)]

    env = make(level="noise")
    env.reset(seed=0)
    env.step(np.zeros(4, np.float32))
    snapshot = env.snapshot()
    first = rest()
    env.reset(options={"snapshot": snapshot})
    again = rest()
    assert [step[1] for step in first] == [step[1] for step in again]
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(first, again, strict=True))


def test_a_hall_that_overheats_costs_more_than_it_saves(make):
    def day(commands):
        env.reset(seed=0, options={"start_time": 190 * DAY})
        steps = [env.apply(commands) for _ in range(96)]
        return sum(step[1] for step in steps), sum(step[4]["cost"] for step in steps)

    env = make()
    reward, violated = day({})
    off = {name: 0.0 for name in env.inner.plant.inputs if name[:4] in ("uChi", "nPum", "nTow", "yPum", "yFan")}
    lost, harm = day(off)
    assert lost < 5 * reward
    assert dict(zip(env.cost_names, violated, strict=True))["hall"] == 0
    assert dict(zip(env.cost_names, harm, strict=True))["work"] > 1000


def _reading(**changes):
    reading = {"PItUns": 0.0, "TLiqSup": 300.0, "mChiWat_flow": 1e3, "TInl1": 295.0, "TInl2": 295.0}
    reading |= {f"{stem}{unit}": 0.0 for stem in ("yChi", "uChi", "tLocChi") for unit in (1, 2, 3, 4)}
    return {**reading, **changes}


@pytest.mark.parametrize(
    ("before", "after", "name", "cost"),
    [
        ({}, {"PItUns": 4000.0}, "work", 1.0),
        ({"TInl1": 302.15}, {"TInl1": 302.15}, "hall", 0.5),
        ({}, {"TLiqSup": 315.15}, "supply", 0.5),
        ({"tLocChi2": 10.0}, {"uChi2": 1.0}, "lock", 1.0),
        ({}, {"TInl2": 300.1}, "rate", 0.1),
        ({}, {"uChi1": 1.0, "mChiWat_flow": 5.0}, "flow", 0.25),
    ],
)  # fmt: skip
def test_each_constraint_has_its_cost(before, after, name, cost):
    found = costs(_reading(**before), _reading(**after), 900.0, 5e6)
    assert getattr(found, name) == pytest.approx(cost)
    assert [value for other, value in found._asdict().items() if other != name] == [0] * 5


def test_the_page_has_every_cost_level_split_and_kind():
    page = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    for name in (*Costs._fields, *levels.LEVELS, *periods.SPLITS, *task.KINDS):
        assert f"`{name}`" in page, name
    for name, weight in WEIGHTS._asdict().items():
        assert f"| `{name}` |" in page
        assert f"| {weight:g} |" in page
