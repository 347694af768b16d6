"""Policies and baselines on the plant."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import minari
import numpy as np
import pytest

from tests.server import ROOT
from trivium.benchmark import result, submission
from trivium.benchmark.baselines import BASELINES, LookAheadPlayer, RandomPlayer, baseline
from trivium.benchmark.candidates import CANDIDATES
from trivium.benchmark.dataset import export
from trivium.benchmark.descent import STRICTNESS, Descent
from trivium.benchmark.oracle import Oracle
from trivium.benchmark.player import ConstantPlayer, ControllerPlayer, PlanPlayer, PolicyPlayer, play
from trivium.benchmark.predictive import PredictivePlayer
from trivium.benchmark.rehearsal import Rehearsal, planned, truth
from trivium.benchmark.report import markdown
from trivium.benchmark.run import Bench
from trivium.benchmark.score import excess
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed
from trivium.gym.tasks.task import KINDS
from trivium.plants.data_center.guideline36 import TrimAndRespond
from trivium.plants.data_center.loops import Loops
from trivium.plants.data_center.plant import STORES
from trivium.plants.data_center.rules import RuleBook

POLICY = """
import numpy as np

class Middle:
    def __init__(self, problem):
        self.shape = problem.action_space.shape
        assert len(problem.observation_names) == problem.observation_space.shape[0]

    def reset(self, observation, info):
        assert len(info["cost"]) == 6

    def act(self, observation):
        return np.zeros(self.shape, np.float32)

def make_policy(problem):
    return Middle(problem)
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def env(state):
    env = TaskEnv("DC-SetPoints-5A-5MW-v1", split="test", state_dir=state)
    yield env
    env.close()


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "middle.py"
    file.write_text(POLICY)
    return file


def test_a_rehearsal_earns_what_the_steps_then_earn(env):
    env.reset(seed=0, options={"start_time": 190 * 86400.0})
    plan = [{"TChiWatSupSet": 283.15 + k} for k in range(8)]
    earned = Rehearsal(env).value(planned(plan), len(plan))
    time = env.inner.plant.time
    assert sum(env.apply(commands)[1] for commands in plan) == pytest.approx(earned)
    assert env.inner.plant.time == time + 8 * 900.0


def test_a_rehearsal_of_a_controller_leaves_it_and_the_plant_alone(env):
    env.reset(seed=0, options={"start_time": 190 * 86400.0})
    controller = TrimAndRespond(env.nominal, 900.0)
    controller.reset(env.inner.values, env.inner.boundary)
    rehearsal = Rehearsal(env)
    first = rehearsal.value(rehearsal.continued(controller), 6)
    assert rehearsal.value(rehearsal.continued(controller), 6) == first


def test_what_is_missing_in_stores_counts_from_the_start_of_the_episode(state):
    """A hall that was let warm stays a debt, which staying warm does not pay."""
    env = TaskEnv("DC-SetPoints-5A-5MW-v1", split="test", objective="energy", state_dir=state)
    env.reset(seed=0, options={"start_time": 23 * 86400.0})
    cold, warm = (
        {"TChiWatSupSet": water, "TSupAirSet1": air, "TSupAirSet2": air}
        for water, air in ((283.15, 294.15), (289.15, 297.65))
    )
    for _ in range(8):
        env.apply(warm)
    start, plans = env.snapshot(), [[warm] * 8, [cold] * 8]
    rehearsed = [Rehearsal(env).value(planned(plan), len(plan)) for plan in plans]
    earned = []
    for plan in plans:
        env.reset(options={"snapshot": start})
        earned.append(sum(env.apply(commands)[1] for commands in plan))
    assert rehearsed[1] > rehearsed[0]
    assert rehearsed[1] - rehearsed[0] == pytest.approx(earned[1] - earned[0])
    env.close()


def test_the_stores_of_rehearsals_are_those_of_the_indicators(env):
    declared = tomllib.loads((env.folder / "testcase.toml").read_text(encoding="utf-8"))["kpi"]["stores"]
    assert {*STORES} == {store["signal"] for store in declared.values()}


def test_the_truth_is_known_only_while_it_is_asked_for(state):
    env = TaskEnv("DC-SetPoints-5A-5MW-v1", level="forecast", state_dir=state)
    env.reset(seed=0)
    names = ["TWetBul"]
    before = env.inner.plant.forecast(names, 7200.0, 3600.0)["TWetBul"]
    with truth(env):
        real = env.inner.plant.forecast(names, 7200.0, 3600.0)["TWetBul"]
    assert not np.array_equal(before, real)
    assert np.array_equal(env.inner.plant.forecast(names, 7200.0, 3600.0)["TWetBul"], before)
    env.close()


@pytest.mark.slow
def test_the_oracle_serves_and_is_at_least_as_good_as_what_it_begins_with(env, monkeypatch):
    monkeypatch.setattr("trivium.benchmark.descent._MOVES", (-0.2, 0.2))
    players = [ConstantPlayer(), ControllerPlayer(TrimAndRespond), LookAheadPlayer(2.0)]
    played = [play(env, player, 0, 190) for player in players]
    serving = [each for each in played if excess(each.costs, played[0].costs, env.nominal) <= 0.0]
    best = play(env, Oracle(players, env), 0, 190)
    assert excess(best.costs, played[0].costs, env.nominal) <= 0.0
    assert best.reward >= max(each.reward for each in serving)
    assert best == play(env, Oracle(players, env), 0, 190)


@pytest.mark.parametrize(("kind", "day"), [("Staging", 108), pytest.param("SetPoints", 190, marks=pytest.mark.slow)])
def test_predictive_control_serves_and_saves_more_than_what_it_begins_with(state, kind, day):
    env = TaskEnv(f"DC-{kind}-5A-5MW-v1", split="test", state_dir=state)
    rules = play(env, ConstantPlayer(), 0, day)
    begun = [play(env, ControllerPlayer(make), 0, day) for make in CANDIDATES[kind]]
    planned = play(env, PredictivePlayer(env, hours=2.0), 0, day)
    assert excess(planned.costs, rules.costs, env.nominal) <= 0.0
    assert planned.reward > max(each.reward for each in begun)
    env.close()


def test_a_plan_is_never_made_worse(env):
    env.reset(seed=0, options={"start_time": 190 * 86400.0})
    rehearsal, plan = Rehearsal(env), [{name: env.values[name] for name in env.task.kind.commands}] * 6
    better = Descent(env).improved(rehearsal, plan)
    earned, before = (rehearsal.value(planned(each), len(each), STRICTNESS) for each in (better, plan))
    assert earned > before
    assert better[4:] == plan[4:]  # beyond the first hour nothing changes
    assert plan[0] == plan[5]


@pytest.mark.parametrize("kind", [pytest.param("Full", marks=pytest.mark.slow), "SetPoints", "Staging"])
def test_no_two_candidates_of_a_task_are_alike_in_it(state, kind):
    env = TaskEnv(f"DC-{kind}-5A-5MW-v1", split="test", state_dir=state)
    rewards = [
        tuple(round(play(env, ControllerPlayer(make), 0, day).reward, 6) for day in (105, 191, 247))
        for make in CANDIDATES[kind]
    ]
    assert len({*rewards}) == len(rewards)
    env.close()


def test_each_kind_of_task_has_candidates_and_the_rule_book_is_the_first():
    assert set(CANDIDATES) == set(KINDS)
    assert all(type(candidates[0](5e6, 900.0)) is RuleBook for candidates in CANDIDATES.values())


@pytest.mark.parametrize("level", ["noise", "mismatch"])
def test_the_commands_of_an_episode_give_the_same_episode(state, level):
    env = TaskEnv("DC-SetPoints-5A-5MW-v1", level=level, split="test", state_dir=state)
    played = play(env, ControllerPlayer(TrimAndRespond), 3, 190)
    assert len(played.commands) == 96
    assert play(env, PlanPlayer(played.commands), 3, 190) == played
    env.close()


def test_chance_is_worse_than_the_rule_book_and_guideline_36_better(env):
    rules, chance, trim = (
        play(env, player, 1, 190).reward
        for player in (ConstantPlayer(), RandomPlayer(), ControllerPlayer(TrimAndRespond))
    )
    assert chance < rules < trim


def test_loops_leave_to_the_rule_book_what_the_task_does_not_ask(env):
    # the set points of both are the same, and speeds are the rule book's in this task
    assert play(env, ControllerPlayer(Loops), 1, 190).reward == play(env, ConstantPlayer(), 1, 190).reward


def test_a_policy_from_a_file_and_from_a_folder(env, policy, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "policy.py").write_text(POLICY)
    alone, packed = submission.Submission(policy), submission.Submission(folder)
    assert (alone.name, packed.name) == ("middle", "folder")
    assert alone.sha256 == packed.sha256
    (folder / "weights.txt").write_text("1")
    assert submission.Submission(folder).sha256 != packed.sha256
    played = [play(env, PolicyPlayer(each.policy(env, "perfect")), 0, 21) for each in (alone, packed)]
    assert played[0] == played[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines no function make_policy"),
        ("1 / 0", "ZeroDivisionError"),
        ("def make_policy(p): 1 / 0", "Zero"),
    ],
)
def test_a_policy_that_cannot_be_made(env, tmp_path, text, message):
    file = tmp_path / "policy.py"
    file.write_text(text)
    with pytest.raises(submission.PolicyError, match=message):
        submission.Submission(file).policy(env, "perfect")


def test_a_policy_that_is_not_there(tmp_path):
    with pytest.raises(InvalidValueError, match="there is no file"):
        submission.Submission(tmp_path / "absent.py")


def test_a_result_has_what_it_depends_on_and_nothing_of_the_machine(env, policy):
    player = PolicyPlayer(submission.Submission(policy).policy(env, "perfect"))
    played, rules, best = (
        [play(env, each, 0, 190)] for each in (player, ConstantPlayer(), ControllerPlayer(TrimAndRespond))
    )
    found = result.document(env, "perfect", {"name": "middle", "sha256": "0"}, played, rules, best)
    assert set(found["sha256"]) == {"DataCenterCooling.fmu", "Disturbance.csv", "Signals.csv", "testcase.toml"}
    assert found["episodes"][0]["day"] == 190
    assert -1 <= found["score"] <= 1.5
    assert str(ROOT).encode() not in result.as_bytes(found)
    again = result.document(env, "perfect", {"name": "middle", "sha256": "0"}, played, rules, best)
    assert result.as_bytes(found) == result.as_bytes(again)


def test_a_baseline_that_is_none(env):
    with pytest.raises(InvalidValueError, match="look-ahead"):
        baseline("look-ahaed", env)
    assert "rules" in BASELINES


@pytest.mark.long
def test_a_result_is_verified_by_the_commands(policy, tmp_path, state, monkeypatch):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state))

    def trivium(*words):
        command = [sys.executable, "-m", "trivium", "bench", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)

    file = tmp_path / "results" / "result.json"
    file.parent.mkdir()
    task = ("--task", "DC-SetPoints-5A-5MW-v1", "--seeds", "2")
    done = trivium("run", "--policy", str(policy), *task, "--out", str(file))
    assert done.returncode == 0, done.stderr
    assert trivium("verify", str(file), "--policy", str(policy)).returncode == 0
    assert trivium("page", str(file.parent), "--out", str(tmp_path / "page.html")).returncode == 0
    assert "middle" in (tmp_path / "page.html").read_text(encoding="utf-8")
    policy.write_text(POLICY + "\n# another\n")
    done = trivium("verify", str(file), "--policy", str(policy))
    assert done.returncode == 1
    assert "differs from what its policy gives: policy" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_no_baseline_that_serves_is_better_than_the_oracle_on_any_day(state, kind):
    bench = Bench(f"DC-{kind}-5A-5MW-v1", seeds=range(4), state_dir=state)
    results = [bench.baseline(name) for name in bench.names]
    bench.close()
    assert results[-1]["serves"]
    for day in zip(*(each["episodes"] for each in results), strict=True):
        best = day[-1]["reward"]
        assert all(episode["reward"] <= best + 1e-9 * abs(best) for episode in day if episode["serves"])
    assert "earns more than the oracle: 0 of 4" in markdown(results)


@pytest.mark.long
def test_what_was_played_once_is_kept(tmp_path, monkeypatch):
    for name, value in (("descent._MOVES", (-0.2,)), ("oracle._STARTS", 1), ("oracle._HORIZON", 3600.0)):
        monkeypatch.setattr(f"trivium.benchmark.{name}", value)  # a short search
    bench = Bench("DC-Staging-5A-5MW-v1", seeds=(0,), state_dir=tmp_path)
    first = bench.baseline("trim-and-respond")
    assert bench.baseline("trim-and-respond") == first
    bench.close()


@pytest.mark.parametrize("kind", ["SetPoints", "Staging"])
def test_a_data_set_holds_what_was_played(state, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    env = TaskEnv(f"DC-{kind}-5A-5MW-v1", state_dir=state)
    name = export(env, "medium", "perfect", 2)
    dataset = minari.load_dataset(name)
    assert dataset.total_episodes == 2
    assert dataset.total_steps == 2 * 96
    assert dataset.action_space == env.action_space
    episode = dataset[1]
    assert episode.infos["cost"].shape == (97, 6)
    played = play(env, ControllerPlayer(TrimAndRespond), 1, day_of_seed("train", 1))
    assert sum(episode.rewards) == pytest.approx(played.reward)
    # the actions lead to the same rewards
    env.reset(seed=1, options={"start_time": 86400.0 * day_of_seed("train", 1)})
    again = [env.step(action)[1] for action in episode.actions[:10]]
    assert again == pytest.approx(episode.rewards[:10], rel=1e-4)
    env.close()
