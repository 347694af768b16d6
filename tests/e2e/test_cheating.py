"""Policies that cheat: each is worse than to hold the inputs, and than the rule book, however it is looked at.

All are judged over two days together, in which `hold` serves: one of chillers and one of free cooling.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason="the environment needs the extra 'gym'")

from tests.server import Server
from trivium.client import Client
from trivium.control import commands
from trivium.control.controller import Hold
from trivium.errors import InvalidValueError
from trivium.gym import DataCenterCoolingEnv
from trivium.plants.cooling.plant import BOUNDS
from trivium.plants.cooling.rules import INPUTS, RuleBasedController, Rules
from trivium.session.local import open_testcase

DAY, STEP = 86400.0, 300.0
STARTS = (97 * DAY, 286 * DAY)
FANS = [name for name in INPUTS if name.startswith("Ffan")]
VALVES = [name for name in INPUTS if "_CW" in name or "_CHW" in name]
SET_POINTS = ("Tchws_set_CHI", "Tchws_set_HEX")
LIMITS = {name: next((low, high) for pattern, low, high in BOUNDS if pattern.fullmatch(name)) for name in INPUTS}

Inputs = dict[str, float]
#: Changes what the rule book decides: takes that, the boundary data, and the step and how many there are.
Trick = Callable[[Inputs, Mapping[str, float], int, int], Inputs]


def put(names: Any, value: float) -> Trick:
    return lambda inputs, *_: {**inputs, **dict.fromkeys(names, value)}


def speed(kind: str, rpm: float) -> Trick:
    return put([f"{kind}0{i}_rpm" for i in range(1, 7)], rpm)


def all_on(kind: str, rpm: float) -> Trick:
    on = put([f"{kind}0{i}_ONOFF" for i in range(1, 7)], 1.0)
    return both(on, speed(kind, rpm))


def both(*tricks: Trick) -> Trick:
    def trick(inputs: Inputs, boundary: Mapping[str, float], k: int, n: int) -> Inputs:
        for each in tricks:
            inputs = each(inputs, boundary, k, n)
        return inputs

    return trick


def near_return(offset: float) -> Trick:
    return lambda inputs, boundary, *_: {**inputs, **dict.fromkeys(SET_POINTS, boundary["Tchw_r"] + offset)}


def only(trick: Trick, when: Callable[[int, int], bool]) -> Trick:
    return lambda inputs, boundary, k, n: trick(inputs, boundary, k, n) if when(k, n) else inputs


def constant(seed: int) -> Trick:
    random = np.random.default_rng(seed)
    drawn = {name: random.uniform(*LIMITS[name]) for name in INPUTS}
    drawn = {name: round(value) if name == "CWP_activatedNumber" else value for name, value in drawn.items()}
    return lambda *_: drawn


def bounds(end: int) -> Trick:
    return lambda *_: {name: limits[end] for name, limits in LIMITS.items()}


OFF = bounds(0)
TOLD = both(put(["CWP_speedInput"], 1500.0), put(["CWP_activatedNumber"], 6.0))
FREE_SET_POINT = 287.64  # within the band, where the hall is not too warm
TRICKS: dict[str, Trick] = {
    "everything off": OFF,
    "chillers and fans off": both(put([f"CHI0{i}" for i in range(1, 7)], 0.0), put(FANS, 0.0)),
    "chilled pumps off": put([f"CHWP0{i}_ONOFF" for i in range(1, 7)], 0.0),
    "condenser pumps off": put([f"CDWP0{i}_ONOFF" for i in range(1, 7)], 0.0),
    "condenser pumps starved": all_on("CDWP", 300.0),
    "chilled pumps starved": all_on("CHWP", 300.0),
    "both starved, warm in the band": both(
        all_on("CDWP", 300.0), all_on("CHWP", 300.0), put(SET_POINTS, FREE_SET_POINT)
    ),
    "one chilled pump at 50 rpm": both(
        put([f"CHWP0{i}_ONOFF" for i in range(2, 7)], 0.0), put(["CHWP01_ONOFF"], 1.0), speed("CHWP", 50.0)
    ),
    "frozen loop": put(VALVES, 0.0),
    "told to the law, not to the pumps": both(speed("CDWP", 300.0), TOLD),
    "flip-flop": only(OFF, lambda k, _: k % 2 == 1),
    "chillers flip-flop": only(put([f"CHI0{i}" for i in range(1, 7)], 0.0), lambda k, _: k % 2 == 1),
    "a pause now and then": only(OFF, lambda k, _: k % 12 == 11),
    "set points at their lower bound": put(SET_POINTS, LIMITS[SET_POINTS[0]][0]),
    "set points at their upper bound": put(SET_POINTS, LIMITS[SET_POINTS[0]][1]),
    "set points warm in the band": put(SET_POINTS, FREE_SET_POINT),
    "set points just below the return": near_return(-1e-3),
    "set points just above the return": near_return(1e-3),
    "fans at 0.3": put(FANS, 0.3),
    "fans off": put(FANS, 0.0),
    "drift in the last hour": only(OFF, lambda k, n: k >= n - 12),
    "warm in the last hour": only(put(SET_POINTS, 295.0), lambda k, n: k >= n - 12),
    "far above all bounds": lambda *_: dict.fromkeys(INPUTS, 1e9),
    "far below all bounds": lambda *_: dict.fromkeys(INPUTS, -1e9),
    **{f"constant at random, {seed}": constant(seed) for seed in range(3)},
}
#: Tricks of the rule book's figures: one train for all load.
BOOKS = {"one unit for all load": Rules(train_load=(4e7, 3e7), train_flow=(4e4, 3e4))}


def honest(inputs: Inputs, *_: Any) -> Inputs:
    return inputs


class Cheating:
    """The rule book, with a trick."""

    def __init__(self, name: str, steps: int) -> None:
        self._trick, self._steps = TRICKS.get(name, honest), steps
        self._rules = RuleBasedController(BOOKS.get(name))
        self._k = 0

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        self._rules.reset(observation, boundary)
        self._k = 0

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> Inputs:
        decided = self._trick(self._rules.action(observation, boundary), boundary, self._k, self._steps)
        self._k += 1
        return {name: min(max(value, LIMITS[name][0]), LIMITS[name][1]) for name, value in decided.items()}


def policy(name: str, steps: int) -> Any:
    return Hold() if name == "hold" else Cheating(name, steps)


HONEST = ("rules", "hold")
CHEATS = [*TRICKS, *BOOKS]
#: One of each kind: nothing runs, too little flows, the chillers are warm, all changes, the last hour.
QUICK = {
    "everything off",
    "both starved, warm in the band",
    "told to the law, not to the pumps",
    "flip-flop",
    "set points warm in the band",
    "drift in the last hour",
    "one unit for all load",
}


def played(
    env: DataCenterCoolingEnv, name: str, starts: Sequence[float] = STARTS, episode: float = DAY
) -> tuple[float, list[dict[str, float]]]:
    """Return the sum of the rewards of both days, or of other starts, and the indicators of each."""
    total, indicators = 0.0, []
    for start in starts:
        env.reset(options={"start_time": start})
        by = policy(name, round(episode / STEP))
        by.reset(env.values, env.boundary)
        over = False
        while not over:
            inputs = {**{key: env.values[key] for key in INPUTS}, **by.action(env.values, env.boundary)}
            action = np.array([inputs[key] for key in INPUTS], dtype=np.float32)
            _, reward, terminated, truncated, info = env.step(action)
            total += reward
            over = terminated or truncated
        indicators.append(info["kpi"])
    return total, indicators


def environment(plant: str, **options: Any) -> DataCenterCoolingEnv:
    return DataCenterCoolingEnv(
        plant, actions=list(INPUTS), normalise=False, warmup=DAY,
        observations=["Tchw_supply", "Twb_outside", "Mchw", "Tchw_r"], **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def env(resources, state_dir):
    env = environment("in-process", resources=resources, state_dir=state_dir)
    yield env
    env.close()


@pytest.fixture(scope="module")
def usual(env):
    return {name: played(env, name) for name in HONEST}


def test_who_is_honest_serves(usual):
    for _, indicators in usual.values():
        assert [day["serves"] for day in indicators] == [1.0, 1.0]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CHEATS]
)
def test_no_cheat_is_better_than_honest_policies_in_rewards_and_indicators(env, usual, name):
    total, indicators = played(env, name)
    for reward, served in usual.values():
        assert total < reward
        worse = [
            cheat["unserved_tot"] > day["unserved_tot"] or cheat["tdis_tot"] > day["tdis_tot"]
            for cheat, day in zip(indicators, served, strict=True)
        ]
        saved = sum(day["ener_tot"] for day in served) - sum(cheat["ener_tot"] for cheat in indicators)
        assert any(worse) or saved < 0.0
    assert 0.0 in [day["serves"] for day in indicators]


def test_what_is_no_number_is_refused_and_changes_nothing(env):
    for actions in (list(INPUTS), "staging-flat", "staging"):
        own = env if actions == list(INPUTS) else DataCenterCoolingEnv(actions=actions, start_times=STARTS[0])
        own.reset(options={"start_time": STARTS[0]})
        before = own.values
        action = copy.deepcopy(own.action_space.sample())
        (action["set_points"] if isinstance(action, dict) else action)[0] = np.nan
        with pytest.raises(InvalidValueError, match="no number"):
            own.step(action)
        assert own.values == before
        if own is not env:
            own.close()


def test_an_episode_does_not_end_better_by_failing(env, usual):
    """A set point that equals the return temperature is refused; the action must be of 32 bits."""
    env.reset(options={"start_time": STARTS[0]})
    ahead = env._plant.forecast(["Tchw_r"], DAY, STEP)["Tchw_r"]
    step = next(k for k, value in enumerate(ahead) if float(np.float32(value)) == value)
    everything_off = played(env, "everything off")[0]
    env.reset(options={"start_time": STARTS[0]})
    total, terminated = 0.0, False
    for k in range(step + 1):
        inputs = {key: env.values[key] for key in INPUTS}
        if k == step:
            inputs["Tchws_set_CHI"] = ahead[k]
        _, reward, terminated, _, info = env.step(np.array(list(inputs.values()), dtype=np.float32))
        total += reward
    assert terminated
    assert "must not equal the return temperature" in info["error"]
    assert total < min(reward for reward, _ in usual.values())
    remaining = round(DAY / STEP) - step
    assert reward <= -100.0 * remaining
    assert reward / remaining < everything_off / (2 * DAY / STEP)


def test_comparisons_mark_each_cheat_and_show_no_saving(resources, state_dir, monkeypatch):
    monkeypatch.setattr(commands, "controller", lambda name, _: policy(name, round(0.5 * DAY / STEP)))
    with open_testcase(resources, state_dir) as case:
        cheats = [name for name in CHEATS if name not in BOOKS]  # one unit is enough for this day
        compared = commands.compare(case, ["rules", "hold", *cheats], ["peak_heat"], 0.5, {})
    lines = {line.split(" | ")[1]: line for line in commands.table(compared).splitlines()[2:]}
    assert lines["rules"].endswith("| 0.0 % |")
    assert lines["hold"].endswith(" % |")
    for name in cheats:
        assert lines[name].endswith("| does not serve |"), lines[name]


def test_an_environment_at_a_server_pays_and_judges_cheats_alike(resources, state_dir):
    """Rewards and indicators of three hours, to the last bit."""
    start, episode = STARTS[:1], 3 * 3600.0
    with Server(resources, state_dir) as server, contextlib.ExitStack() as stack:
        here, there = (
            stack.enter_context(contextlib.closing(environment(plant, episode=episode, **files)))
            for plant, files in (("in-process", {"resources": resources, "state_dir": state_dir}), (server.url, {}))
        )
        outcomes = {name: played(there, name, start, episode) for name in (*HONEST, *sorted(QUICK))}
        assert outcomes == {name: played(here, name, start, episode) for name in outcomes}
    worst = min(outcomes[name][0] for name in HONEST)
    for name in QUICK - set(BOOKS):  # one unit is enough for these hours
        total, [indicators] = outcomes[name]
        assert total < worst
        assert indicators["serves"] == 0.0


@pytest.mark.slow
def test_the_same_over_http(resources, state_dir):
    """Indicators of eight hours; sessions at a server."""
    steps = 96

    def over_http(session: Any, name: str, start: float) -> dict[str, float]:
        values = session.initialize(start, warmup_period=DAY)
        by = policy(name, steps)
        names = ["Twb_outside", "Mchw", "Tchw_r"]
        boundary = session.forecast(names, steps * STEP, STEP)
        rows = [{key: float(boundary[key][k]) for key in names} for k in range(steps)]
        by.reset(values, rows[0])
        for row in rows:
            values = session.advance(by.action(values, row))
        return session.kpis(["serves", "unserved_tot", "tdis_tot", "ener_tot"])

    with Server(resources, state_dir) as server, Client(server.url) as client, client.select() as session:
        for start in STARTS:
            usual = [over_http(session, name, start) for name in HONEST]
            assert [values["serves"] for values in usual] == [1.0, 1.0]
            for name in ("everything off", "both starved, warm in the band", "told to the law, not to the pumps",
                         "flip-flop", "drift in the last hour", "set points warm in the band", "frozen loop"):  # fmt: skip
                values = over_http(session, name, start)
                assert values["serves"] == 0.0, name
                assert values["unserved_tot"] > 10 * max(honest["unserved_tot"] for honest in usual), name
