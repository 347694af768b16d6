"""The environment with the default plant: wherever it runs, its limits, vectors, and the reference's own environment."""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason="the environment needs the extra 'gym'")

import gymnasium

from tests.processes import kill
from tests.server import Server
from trivium.gym import DataCenterCoolingEnv, Reward
from trivium.gym.spaces import bounds_of
from trivium.session.local import open_testcase

PRICE = "PriceElectricPowerConstant"
START = 16_900_200.0
FORECAST = {"point_names": ["Twb_outside", "Mchw"], "horizon": 7200.0, "interval": 3600.0}


@pytest.fixture(scope="module")
def server(resources, state_dir):
    with Server(resources, state_dir) as server:
        yield server


def episode(env, seed=5, steps=40):
    """Observations and rewards under random actions, as bytes; then the same again after a restore."""
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed, options={"start_time": START})
    told, actions, taken = [observation.tobytes()], [env.action_space.sample() for _ in range(steps)], None
    for k, action in enumerate(actions):
        if k == steps // 2:
            taken = env.snapshot()
        observation, reward, terminated, truncated, info = env.step(action)
        told.append((observation.tobytes(), reward, terminated, truncated, json.dumps(info)))
    env.reset(options={"snapshot": taken})
    for k, action in enumerate(actions[steps // 2 :], start=steps // 2 + 1):
        observation, reward, *_ = env.step(action)
        assert observation.tobytes() == told[k][0]
        assert reward == pytest.approx(told[k][1], rel=1e-12)  # sums of indicators are rounded in another order
    return told


UNCERTAIN = {"temperature_uncertainty": "medium", "seed": 3, "electricity_price": "dynamic"}


@pytest.mark.parametrize(
    "options",
    [
        {"actions": "all", "step": 600.0},
        pytest.param(
            {
                "actions": ["Tchws_set_CHI", "Tchws_set_HEX", "CDWP01_rpm"],
                "kpis": ["ener_tot", "pue", "starts_chillers"],
            },
            marks=pytest.mark.slow,
        ),
        {"actions": "staging-flat", "reward": {"cost_tot": 1.0, "violation": 10.0}, "scenario": UNCERTAIN},
    ],
)
def test_wherever_the_plant_runs_the_numbers_are_the_same(server, resources, state_dir, options):
    told = []
    for where in ("in-process", "host", server.url):
        env = DataCenterCoolingEnv(where, resources=resources, state_dir=state_dir, forecast=FORECAST, **options)
        try:
            told.append(episode(env))
        finally:
            env.close()
    assert told[0] == told[1] == told[2]
    assert len({observation for observation, *_ in told[0][1:]}) > 30


@pytest.mark.parametrize("where", ["host", pytest.param("server", marks=pytest.mark.slow)])
def test_an_episode_survives_kills(server, resources, state_dir, where):
    """The process of the plant is killed between steps, twice: the agent does not notice."""
    options = {"resources": resources, "state_dir": state_dir, "actions": ["Tchws_set_CHI", "Tchws_set_HEX"]}
    undisturbed = DataCenterCoolingEnv(**options)
    env = DataCenterCoolingEnv(server.url if where == "server" else where, **options)
    env.action_space.seed(2)
    for each in (undisturbed, env):
        each.reset(options={"start_time": START})
    killed = []
    for k in range(10):
        if k in (3, 7):
            pids = server.hosts() if where == "server" else [env._plant.host_state().pid]
            killed += pids
            kill(*pids)
        action = env.action_space.sample()
        (expected, *one), (observation, *other) = undisturbed.step(action), env.step(action)
        assert observation.tobytes() == expected.tobytes()
        assert one == other
    assert len(set(killed)) >= 2
    undisturbed.close()
    env.close()


def test_the_terms_of_the_reward_are_what_the_indicators_gained(resources, state_dir):
    """With a control step of one interval both say the same; with a longer one the indicators see every interval."""
    pairs = {"energy": "ener_tot", "cost": "cost_tot"}
    terms = [*pairs, *pairs.values(), "violation", "tdis_tot", "starts", "starts_chillers"]
    reward = Reward(dict.fromkeys(terms, 1.0), price=PRICE)
    options = {
        "resources": resources,
        "state_dir": state_dir,
        "actions": "staging-flat",
        "reward": reward,
        "kpis": ["pue"],
    }
    env = DataCenterCoolingEnv(**options)
    env.action_space.seed(1)
    env.reset(seed=1)
    total = dict.fromkeys(reward.weights, 0.0)
    for _ in range(60):
        *_, info = env.step(env.action_space.sample())
        for name, value in info["terms"].items():
            total[name] += value
    assert 1.0 < total["violation"] < total["tdis_tot"]  # which also counts water that a real plant would not have
    assert total["starts"] == total["starts_chillers"] > 5
    for term, indicator in pairs.items():
        assert total[term] == pytest.approx(total[indicator], rel=1e-9)
    assert set(info["kpi"]) == {"pue"}
    assert info["kpi"]["pue"] > 1.0
    truncated = False
    while not truncated:
        *_, truncated, info = env.step(env.action_space.sample())
    energy = sum(info["kpi"][f"ener_{group}"] for group in ("chillers", "condenser_pumps", "chilled_pumps", "fans"))
    assert info["kpi"]["ener_tot"] == pytest.approx(energy)
    assert info["kpi"]["tdis_tot"] >= total["violation"]
    env.close()
    env = DataCenterCoolingEnv(**options, step=900.0)
    env.action_space.seed(1)
    env.reset(seed=1)
    *_, info = env.step(env.action_space.sample())
    assert info["terms"]["energy"] != pytest.approx(info["terms"]["ener_tot"], rel=1e-9)
    env.close()


def test_episodes_of_a_time_period_start_with_it(server, resources, state_dir):
    scenario = {"time_period": "peak_heat", "electricity_price": "highly_dynamic"}
    told = []
    for where in ("in-process", server.url):
        env = DataCenterCoolingEnv(
            where, resources=resources, state_dir=state_dir, scenario=scenario, observations=["Twb_outside"],
            normalise=False, episode=14 * 86400.0,
        )  # fmt: skip
        told.append([env.reset(seed=k)[1]["time"] for k in range(3)])
        warm = env.reset()[0][0]
        env.close()
    assert told[0] == told[1]
    assert len(set(told[0])) == 1
    assert warm > 292.0  # wet bulb at midnight [K]


def test_sessions_end_with_their_environments(server, resources, state_dir):
    before = server.request("GET", "/sessions")[1]["payload"]
    for _ in range(2):
        env = DataCenterCoolingEnv(server.url)
        env.reset(seed=1)
        env.close()
        env.close()
    with pytest.raises(Exception, match="no point"):
        DataCenterCoolingEnv(server.url, observations=["nonsense"])
    assert len(server.request("GET", "/sessions")[1]["payload"]) == len(before)


@pytest.mark.slow
@pytest.mark.parametrize("actions", ["all", "staging"])
def test_the_plant_stays_within_the_limits_that_spaces_are_made_of(resources, state_dir, actions):
    """Random actions all over the year, as rough as the space allows: what is clipped is not observed."""
    env = DataCenterCoolingEnv(resources=resources, state_dir=state_dir, actions=actions, episode=30 * 300.0)
    points = env._plant.measurements
    low, high = (np.array(ends) for ends in bounds_of(points, list(points), {}))
    slack = 1e-6 * (high - low)
    least, most = np.full(len(points), np.inf), np.full(len(points), -np.inf)
    env.action_space.seed(3)
    for k in range(25):
        env.reset(seed=k)
        for _ in range(30):
            *_, terminated, truncated, _ = env.step(env.action_space.sample())
            values = np.array([env.values[name] for name in points])
            least, most = np.minimum(least, values), np.maximum(most, values)
            assert not terminated
        assert truncated
    env.close()
    names = np.array(list(points))
    assert names[(least < low - slack) | (most > high + slack)].tolist() == []


def test_the_year_lies_within_the_bounds_of_the_boundary_data(resources, state_dir):
    case = open_testcase(resources, state_dir)
    points = case.forecast_points
    told = case.forecast([name for name in points if name in ("Twb_outside", "Mchw", "Tchw_r")], 1e9, 300.0)
    for name, values in told.items():
        if name != "time":
            assert points[name].minimum <= values.min() < values.max() <= points[name].maximum
    case.close()


@pytest.mark.parametrize("mode", [pytest.param("async", marks=pytest.mark.slow), "sync"])
def test_a_vector_gives_the_numbers_of_single_environments(resources, state_dir, mode):
    options = {"resources": resources, "state_dir": state_dir, "episode": 10 * 300.0, "actions": "staging-flat"}
    vector = gymnasium.make_vec("trivium/DataCenterCooling-v0", num_envs=2, vectorization_mode=mode, **options)
    vector.action_space.seed(4)
    actions = [vector.action_space.sample() for _ in range(15)]
    observations, _ = vector.reset(seed=[7, 8])
    told = [(observations.copy(), None)]
    for action in actions:
        observations, rewards, *_ = vector.step(action)
        told.append((observations.copy(), rewards.copy()))
    vector.close()
    for i, seed in enumerate((7, 8)):
        env = DataCenterCoolingEnv(**options)
        observation, _ = env.reset(seed=seed)
        assert np.array_equal(told[0][0][i], observation)
        over = False
        for action, (observations, rewards) in zip(actions, told[1:], strict=True):
            if over:  # a vector begins the next episode in the step after the last
                observation, reward, over = env.reset()[0], 0.0, False
            else:
                observation, reward, _, over, _ = env.step(action[i])
            assert np.array_equal(observations[i], observation)
            assert rewards[i] == reward
        env.close()


def test_the_references_own_environment_works_unmodified(server, resources, monkeypatch):
    """Its folder lies where TRIVIUM_REFERENCE_GYM says; its step returns four values, as it always did."""
    folder = os.environ.get("TRIVIUM_REFERENCE_GYM", "")
    if not folder:
        pytest.skip("TRIVIUM_REFERENCE_GYM does not name the folder AlphaDataCenterCooling_Gym of the reference")
    monkeypatch.syspath_prepend(str(Path(folder).parent))
    if not (Path(folder) / "utils.py").exists():
        utils = types.ModuleType("AlphaDataCenterCooling_Gym.utils")
        utils.read_json = lambda path: json.loads(Path(path).read_text())
        monkeypatch.setitem(sys.modules, utils.__name__, utils)
    module = importlib.import_module("AlphaDataCenterCooling_Gym.alphaDataCenterCoolingEnv")
    schema = json.loads((Path(folder) / "schema.json").read_text())
    env = module.AlphaDataCenterCoolingEnv(
        schema, url=server.url, simulation_start_time=START, simulation_end_time=START + 1200, seconds_per_step=600
    )
    first = env.reset()
    ours = DataCenterCoolingEnv(
        resources=resources, state_dir=server.state_dir, observations=env.active_observations, step=600.0,
        actions=env.action_names, normalise=False, episode=1200.0, start_times=START,
        bounds=dict(zip(env.active_observations, zip(env.observation_space.low, env.observation_space.high, strict=True), strict=True)),
    )  # fmt: skip
    observation, _ = ours.reset()
    assert first.shape == env.observation_space.shape
    assert np.array_equal(np.clip(first, env.observation_space.low, env.observation_space.high), observation)
    action = np.array([ours.values[name] for name in env.action_names])
    for done in (False, True):
        theirs, reward, over, info = env.step(action)
        observation, *_ = ours.step(action)
        assert np.array_equal(np.clip(theirs, env.observation_space.low, env.observation_space.high), observation)
        assert (reward, over, info) == (0, done, {})
    ours.close()
