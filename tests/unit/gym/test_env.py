"""The environment with the small plant, whose solution is known."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import trivium.gym
from tests import own_fmus
from tests.server import ROOT
from tests.small_plant import CONTROL_NAMES, FAILING, OUTPUT_NAMES, SET_POINT, disturbance, temperature
from tests.trap_fmu import expected
from trivium.errors import InvalidValueError
from trivium.extras import command
from trivium.gym import DataCenterCoolingEnv

SET = "Tchws_set_HEX"
IN_UNITS = {"normalise": False, "actions": [SET], "observations": ["Tchw_supply", SET, "Twb_outside"]}
pytestmark = pytest.mark.filterwarnings("ignore:.*symmetric and normalized space")


@pytest.mark.parametrize("actions", ["all", [SET, "CHI01"], "staging", "staging-flat"])
@pytest.mark.parametrize("normalise", [True, False])
def test_gymnasiums_own_check(make, actions, normalise):
    forecast = {"point_names": ["Mchw"], "horizon": 900.0, "interval": 300.0}
    check_env(make(actions=actions, normalise=normalise, forecast=forecast), skip_render_check=True)


def test_it_is_registered(small_resources, state_dir):
    assert trivium.gym.ENV_ID == "trivium/DataCenterCooling-v0"
    env = gymnasium.make(trivium.gym.ENV_ID, resources=small_resources, state_dir=state_dir)
    observation, info = env.reset(seed=0)
    assert observation.shape == (len(OUTPUT_NAMES) + 3,)
    assert env.action_space.shape == (len(CONTROL_NAMES),)
    assert info == {"time": 0.0}  # the only midnight with a day of data after it
    env.close()


def test_without_gymnasium_the_extra_is_named():
    code = "import sys; sys.modules['gymnasium'] = None; import trivium.gym"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert f"ImportError: Gymnasium is not installed; install it with: {command('gym')}" in done.stderr


def test_every_argument_stands_in_the_docs():
    told = (ROOT / "docs" / "gym.md").read_text(encoding="utf-8")
    for name in inspect.signature(DataCenterCoolingEnv).parameters:
        assert name == "render_mode" or re.search(rf"`\b{name}\b", told), name


def test_the_numbers_are_those_of_the_plant(make):
    env = make(**IN_UNITS)
    observation, info = env.reset()
    supply = temperature(300.0)  # the plant begins an interval before
    assert info == {"time": 600.0}
    assert observation == pytest.approx([supply, SET_POINT, disturbance(2)["Twb_outside"]], rel=1e-6)
    for k, set_point in enumerate((284.0, 284.0, 300.0), start=3):
        observation, reward, terminated, truncated, info = env.step(np.array([set_point], dtype=np.float32))
        supply = temperature(300.0, set_point, supply)
        assert observation == pytest.approx([supply, set_point, disturbance(k)["Twb_outside"]], rel=1e-6)
        assert (terminated, truncated, info["time"]) == (False, False, 300.0 * k)
        assert info["terms"]["violation"] == pytest.approx(25.5 / 12.0)  # its pumps give no head: water stands
        wear = 0.2 * info["terms"]["starts"]
        assert reward == pytest.approx(-0.01 * info["terms"]["energy"] - 10.0 * info["terms"]["violation"] - wear)
    assert reward < -1.0


def test_ahead_comes_point_by_point(make):
    forecast = {"point_names": ["Mchw", "Twb_outside"], "horizon": 1800.0, "interval": 600.0}
    env = make(normalise=False, observations=["Tchw_r"], forecast=forecast)
    assert env.observation_names == (
        "Tchw_r", "Mchw+600s", "Mchw+1200s", "Mchw+1800s", "Twb_outside+600s", "Twb_outside+1200s", "Twb_outside+1800s",
    )  # fmt: skip
    observation, _ = env.reset()
    rows = [disturbance(2 + k) for k in (2, 4, 6)]
    expected = [disturbance(2)["Tchw_r"], *(r["Mchw"] for r in rows), *(r["Twb_outside"] for r in rows)]
    assert observation == pytest.approx(expected, rel=1e-6)


def test_a_longer_warmup_begins_earlier(make):
    observation, _ = make(warmup=600.0, **IN_UNITS).reset()
    assert observation[0] == pytest.approx(temperature(600.0), rel=1e-6)


def test_an_episode_is_truncated_at_its_length(make):
    env = make(episode=3 * 900.0, step=900.0, **IN_UNITS)
    env.reset()
    ends = [env.step(np.array([285.0], dtype=np.float32))[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    with pytest.raises(InvalidValueError, match="reset"):
        env.step(np.array([285.0], dtype=np.float32))


def test_a_plant_that_fails_terminates_and_can_begin_anew(make):
    env = make(normalise=False, actions=[FAILING], failure_reward=-7.0)
    env.reset()
    fine = env.step(np.array([0.0], dtype=np.float32))
    observation, reward, terminated, truncated, info = env.step(np.array([1.0], dtype=np.float32))
    assert (reward, terminated, truncated) == (11 * min(-7.0, fine[1]), True, False)
    assert np.array_equal(observation, fine[0])
    assert info["time"] == 900.0
    assert info["error"]
    env.reset()
    assert np.array_equal(env.step(np.array([0.0], dtype=np.float32))[0], fine[0])


def test_the_seed_draws_the_starts(make):
    starts = [300.0 * k for k in range(2, 200)]
    env, other = make(start_times=starts), make(start_times=starts)

    def drawn(of):
        return [of.reset(seed=11)[1]["time"], *(of.reset()[1]["time"] for _ in range(9))]

    first = drawn(env)
    assert len(set(first)) > 5
    assert set(first) <= set(starts)
    assert drawn(other) == first == drawn(env)
    assert env.reset(seed=12)[1]["time"] != first[0]
    assert env.reset(options={"start_time": 900.0})[1] == {"time": 900.0}


def test_an_episode_goes_on_from_a_snapshot(make):
    env = make(**IN_UNITS)
    env.reset()
    env.step(np.array([285.0], dtype=np.float32))
    taken = env.snapshot()
    actions = [np.array([value], dtype=np.float32) for value in (284.0, 290.0, 283.0)]
    once = [env.step(action) for action in actions]
    for _ in range(2):
        observation, info = env.reset(options={"snapshot": taken})
        assert info == {"time": 900.0}
        assert observation[1] == 285.0
        for action, (told, *rest) in zip(actions, once, strict=True):
            again, *others = env.step(action)
            assert np.array_equal(again, told)
            assert others == rest


def test_a_start_that_was_made_before_is_restored(make):
    """The plant stores starts; from the third on they are served, with the same numbers."""
    env = make(normalise=False)
    first = [env.reset()[0] for _ in range(4)]
    assert all(np.array_equal(one, first[0]) for one in first)
    env.action_space.seed(2)
    action = np.clip(env.action_space.sample(), 0.0, 0.5)
    told = env.step(action)[0]
    env.reset()
    assert np.array_equal(env.step(action)[0], told)


def test_a_reward_of_ones_own(make):
    seen = []

    def reward(transition):
        seen.append(transition)
        return transition.after["Tchw_supply"] - transition.before["Tchw_supply"]

    env = make(reward=reward, **IN_UNITS)
    env.reset()
    _, told, _, _, info = env.step(np.array([285.0], dtype=np.float32))
    (transition,) = seen
    start = temperature(300.0)
    assert told == pytest.approx(temperature(300.0, 285.0, start) - start, abs=1e-4)
    assert (transition.time, transition.step) == (900.0, 300.0)
    assert transition.boundary == {"Twb_outside": disturbance(2)["Twb_outside"]}
    assert "terms" not in info


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_any_fmu(make, own_fmu, version):
    env = make(
        resources=own_fmu("linear", version, "cs"), observations=["x"], actions=["u"], normalise=False, start_times=None,
        bounds={"x": (-10.0, 10.0), "u": (-5.0, 5.0)}, step=2.0, episode=6.0, start_values={"tau": 4},
        reward=lambda transition: -abs(transition.after["x"]),
    )  # fmt: skip
    for tau, options in ((4.0, None), (20.0, {"start_values": {"tau": 20.0}}), (4.0, None)):
        observation, _ = env.reset(options=options)
        x, ends = 1.0, []
        assert observation == pytest.approx([x])
        for u in (3.0, -1.0, 0.5):
            x = own_fmus.state(2.0, u, start=x, tau=tau)
            observation, reward, terminated, truncated, _ = env.step(np.array([u], dtype=np.float32))
            assert observation == pytest.approx([x], rel=1e-4)
            assert reward == pytest.approx(-abs(x), rel=1e-4)
            ends.append((terminated, truncated))
        assert ends == [(False, False), (False, False), (False, True)]


def test_inputs_that_are_switches_and_counts(make, own_fmu):
    env = make(
        resources=own_fmu("overwrite", "2.0", "cs"), observations=["power"], bounds={"power": (0, 200)}, start_times=0.0,
        actions=["n", "power_activate"], step=1.0, episode=30.0, reward=lambda _: 0.0,
    )  # fmt: skip
    env.reset()
    env.action_space.seed(1)
    seen = set()
    for _ in range(30):
        *_, terminated, truncated, _ = env.step(env.action_space.sample())
        assert not terminated
        seen.add((env.values["n"], env.values["power_activate"]))
    assert truncated
    assert seen == {(n, on) for n in range(4) for on in (0, 1)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plant": "somewhere"}, "in-process, host"),
        ({"episode": 400.0}, "multiple of the control step"),
        ({"episode": 0.0}, "multiple of the control step"),
        ({"observations": ["nonsense"]}, "no point nonsense"),
        ({"observations": ["Tchw_supply"], "bounds": {"Tchw_supply": (1.0, 0.0)}}, "finite bounds"),
        ({"actions": ["Tchw_supply"]}, "no point Tchw_supply"),
        ({"forecast": {"point_names": ["CHI01"], "horizon": 600.0, "interval": 300.0}}, "no point CHI01"),
        ({"reward": {"comfort": 1.0}}, "comfort"),
        ({"kpis": ["comfort"]}, "comfort"),
        ({"start_times": []}, "no time where an episode could start"),
        ({"start_times": None, "episode": 10 * 86400.0}, "no time where an episode could start"),
    ],
)
def test_what_is_wrong_is_told(make, options, message):
    with pytest.raises(InvalidValueError, match=message):
        make(**options)


def test_an_unknown_option_is_refused(make):
    env = make()
    with pytest.raises(InvalidValueError, match="no option start"):
        env.reset(options={"start": 300.0})


def test_an_end_beyond_the_data_is_refused_by_the_plant(make):
    env = make(start_times=1e9)
    with pytest.raises(InvalidValueError):
        env.reset()


def test_an_fmu_that_remembers_earlier_instances_begins_alike_in_every_episode(make, trap_resources):
    env = make(**IN_UNITS, resources=trap_resources(static_memory=True), start_times=0.0)
    episodes = []
    for _ in range(2):
        env.reset()
        episodes.append([env.step(np.array([286.0], np.float32))[0][0] for _ in range(3)])
    assert episodes[0] == episodes[1]
    assert episodes[0] == pytest.approx([expected(300.0 * k, 286.0) for k in (1, 2, 3)], rel=1e-6)


def test_an_fmu_that_ends_the_simulation_terminates_the_episode(make, trap_resources):
    env = make(**IN_UNITS, resources=trap_resources(ends=600.0), start_times=0.0)
    env.reset()
    action = np.array([286.0], np.float32)
    assert [env.step(action)[2] for _ in range(2)] == [False, False]
    _, reward, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["ended"]) == (True, False, True)
    assert reward <= -100.0 * 10  # as much as to go on in the worst way for the rest of the hour
    env.reset()
    assert not env.step(action)[2]


def test_an_episode_is_linearized(make):
    env, other = make("in-process", **IN_UNITS), make("host", **IN_UNITS)
    for each in (env, other):
        each.reset(seed=0)
        each.step(np.array([285.0]))
    linear, there = (
        each.linearize("discrete", input_names=[SET], point_names=["Tchw_supply"]) for each in (env, other)
    )
    assert (linear.kind, linear.time, linear.step) == ("discrete", 900.0, 300.0)
    moved = env.snapshot()
    ends = []
    for value in linear.inputs[SET].around(285.0, 0.01):
        env.reset(options={"snapshot": moved})
        env.step(np.array([value]))
        ends.append((value, env.values["Tchw_supply"]))
    (low, cold), (high, warm) = ends
    assert linear.D[0, 0] == pytest.approx((warm - cold) / (high - low), rel=1e-4)
    np.testing.assert_array_equal(linear.D, there.D)
