"""The level of tasks at which equipment, sensors and valves have faults."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.plants.data_center.faults import CAUSES, LABELS

DAY = 86400.0


def _begun(env, cause, day=200):
    """Begin an episode with a fault of a cause."""
    for seed in range(300):
        _, info = env.reset(seed=seed, options={"start_time": DAY * day})
        if env.fault == cause:
            assert info["fault"] == 0
            return seed
    raise AssertionError(cause)


def _day(env, steps=96):
    return [env.apply({}) for _ in range(steps)]


@pytest.fixture
def env(make):
    return make(level="faults", split="test")


def test_the_same_seed_gives_the_same_fault_and_labels(env):
    def labels(seed):
        env.reset(seed=seed, options={"start_time": DAY * 200})
        return env.fault, [step[4]["fault"] for step in _day(env)]

    seed = _begun(env, "fouled_tower")
    cause, first = labels(seed)
    assert (cause, first) == labels(seed)
    number = LABELS.index("fouled_tower")
    begin = first.index(number)
    assert begin >= 24
    assert first == [0] * begin + [number] * (96 - begin)


def test_a_fault_in_the_plant_is_in_its_results_and_gone_in_the_next_episode(env):
    _begun(env, "fouled_condenser")
    steps = _day(env)
    begin = next(k for k, step in enumerate(steps) if step[4]["fault"])
    results = env.inner.plant.results(["kCon"], 200 * DAY, 201 * DAY)
    size = env.inner.plant.scenario["faults"][0]["size"]
    during = results["time"] > 200 * DAY + 900 * (begin + 1)
    assert (results["kCon"][during] == size).all()
    assert (results["kCon"][results["time"] <= 200 * DAY + 900 * begin] == 1).all()
    _begun(env, "none")
    assert "faults" not in env.inner.plant.scenario


def test_a_biased_sensor_is_observed_and_the_real_value_is_off_the_other_way(env):
    seed = _begun(env, "biased_supply_sensor")
    _day(env, 90)
    shown, real = env.values["TChiWatSup"], env.inner.values["TChiWatSup"]
    assert 1.0 <= abs(shown - real) <= 3.0
    commanded, acting = env.values["TChiWatSupSet"], env.inner.values["TChiWatSupSet"]
    assert acting - commanded == pytest.approx(real - shown)
    env.reset(seed=seed, options={"start_time": DAY * 200})
    position = env.observation_names.index("TChiWatSup")
    low, high = env.inner.vector.low[position], env.inner.vector.high[position]
    observation = _day(env, 90)[-1][0]
    sensed = low + (observation[position] + 1) / 2 * (high - low)
    assert sensed == pytest.approx(shown, abs=0.8)  # the noise of the level has a deviation of 0.2 K


def test_an_episode_with_a_frozen_sensor_goes_on_from_a_snapshot(env):
    _begun(env, "frozen_condenser_sensor")
    _day(env, 80)
    snapshot = env.snapshot()
    first = _day(env, 5)
    shown = env.values["TConWatSup"]
    _begun(env, "none")
    env.reset(options={"snapshot": snapshot})
    again = _day(env, 5)
    assert env.fault == "frozen_condenser_sensor"
    assert env.values["TConWatSup"] == shown != env.inner.values["TConWatSup"]
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(first, again, strict=True))
    assert [step[4]["fault"] for step in first] == [step[4]["fault"] for step in again]


def test_other_levels_have_no_faults(make):
    env = make(level="mismatch")
    _, info = env.reset(seed=0)
    assert "fault" not in info
    assert env.fault == "none"
    assert env.values is env.inner.values
    assert env.fault_names == ("none", *CAUSES)
