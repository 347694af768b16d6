"""Networks that decide, and the baselines that learn."""

from __future__ import annotations

import gymnasium
import minari
import numpy as np
import pytest
import stable_baselines3
import torch

from trivium.benchmark import network, submission, train
from trivium.benchmark.baselines import baseline
from trivium.benchmark.dataset import export
from trivium.benchmark.network import Network
from trivium.benchmark.offline import QUALITIES
from trivium.benchmark.online import Online
from trivium.benchmark.player import ConstantPlayer, PolicyPlayer, play
from trivium.benchmark.shaping import Shaping
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv

TASK = "DC-SetPoints-5A-5MW-v1"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def env(state):
    env = TaskEnv(TASK, state_dir=state)
    yield env
    env.close()


def drawn(head, choices=(), size=65, outputs=4):
    random = np.random.default_rng(1)
    shapes = ((size, 16), (16, 16), (16, sum(choices) or outputs))
    layers = [(random.standard_normal(shape) / 4, random.standard_normal(shape[1]) / 4) for shape in shapes]
    return Network(np.full(size, 0.1), np.full(size, 0.5), layers, head, choices, {"task": TASK})


def test_a_network_acts_as_pytorch_has_it():
    policy = drawn("tanh")
    modules = []
    for weights, biases in policy.layers:
        layer = torch.nn.Linear(*weights.shape).double()
        layer.load_state_dict({"weight": torch.tensor(weights.T.copy()), "bias": torch.tensor(biases)})
        modules += [layer, torch.nn.ReLU()]
    same = torch.nn.Sequential(*modules[:-1], torch.nn.Tanh())
    for observation in np.random.default_rng(2).uniform(-1.0, 1.0, (20, 65)).astype(np.float32):
        expected = same((torch.tensor(observation.astype(np.float64)) - 0.1) / 0.5).detach().numpy()
        assert policy.act(observation) == pytest.approx(expected, abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["sac", "ppo"])
def test_the_network_of_an_agent_acts_as_the_agent(env, algorithm):
    learner = Online(algorithm, env, 0)
    policy = Network(learner.mean, learner.deviation, learner.layers(), learner.head)
    observation, _ = env.reset(seed=3)
    scaled = ((observation - learner.mean) / learner.deviation).astype(np.float32)
    expected, _ = learner._agent.predict(scaled, deterministic=True)
    assert isinstance(learner._agent, getattr(stable_baselines3, algorithm.upper()))
    assert policy.act(observation) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("head", "choices"), [("tanh", ()), ("clip", ()), ("choices", (2, 2, 5))])
def test_a_network_is_the_same_from_its_file(tmp_path, head, choices):
    policy, file = drawn(head, choices), tmp_path / "policy.npz"
    file.write_bytes(policy.as_bytes())
    again = network.read(file)
    observation = np.linspace(-1.0, 1.0, 65, dtype=np.float32)
    assert again.act(observation) == pytest.approx(policy.act(observation), abs=1e-5)
    assert (again.head, again.choices, again.training) == (head, choices, {"task": TASK})
    space = gymnasium.spaces.MultiDiscrete(choices) if choices else gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
    assert space.contains(policy.act(observation))


@pytest.mark.parametrize("content", [b"", b"PK", b"{}"])
def test_a_file_that_holds_no_network(tmp_path, content):
    file = tmp_path / "policy.npz"
    file.write_bytes(content)
    with pytest.raises(InvalidValueError, match=r"policy\.npz holds no network"):
        network.read(file)


@pytest.mark.slow
def test_a_network_is_a_submission_for_its_task_alone(env, state, tmp_path):
    file = tmp_path / "policy.npz"
    file.write_bytes(drawn("tanh").as_bytes())
    sent = submission.Submission(file)
    assert sent.name == "policy"
    assert play(env, PolicyPlayer(sent.policy(env, "perfect")), 0, 100).kpis["ener_tot"] > 0.0
    other = TaskEnv("DC-Full-5A-5MW-v1", state_dir=state)
    with pytest.raises(submission.PolicyError, match=f"was trained for {TASK}"):
        sent.policy(other, "perfect")
    other.close()


def test_what_is_learned_from_counts_violations_more_and_prices_less(env):
    observation, _ = env.reset(seed=0, options={"start_time": 190 * 86400.0})
    shaping, before = Shaping(env), observation
    observation, reward, *_, info = env.apply({})
    assert not info["cost"].any()
    learned = shaping.reward(before, reward, info["cost"])
    assert abs(learned) < abs(reward)
    warm = info["cost"] + np.eye(6)[1] * 0.1  # a tenth of a kelvin hour
    assert shaping.reward(before, reward, warm) < learned - 20.0 * 0.1


@pytest.mark.parametrize(
    ("algorithm", "message"), [("sak", "Did you mean sac"), ("dqn", "there is no algorithm 'dqn'")]
)
def test_an_algorithm_that_there_is_not(algorithm, message):
    with pytest.raises(InvalidValueError, match=message):
        train.train(algorithm, TASK)


@pytest.mark.parametrize("algorithm", ["sac", "iql"])
def test_whole_numbers_suit_ppo_alone(algorithm, state):
    with pytest.raises(InvalidValueError, match="whole numbers"):
        train.train(algorithm, "DC-Staging-5A-5MW-v1", state_dir=state)


def test_data_sets_that_are_not_there(state, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InvalidValueError, match="trivium bench dataset expert --task DC-SetPoints-5A-5MW-v1"):
        train.train("iql", TASK, state_dir=state)


@pytest.mark.slow
def test_a_policy_is_trained_from_data_sets(env, state, tmp_path, monkeypatch):
    """Few updates: what is seen is that it comes near the data, and that the same seed gives the same policy."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.setattr(train, "_DAYS", 2)
    monkeypatch.setattr(train, "_COMPARED", 2)
    for quality in QUALITIES:
        export(env, "trim-and-respond" if quality == "expert" else quality, "perfect", 2)
        if quality == "expert":
            (tmp_path / "trivium" / "dc-setpoints-5a-5mw-perfect" / "trim-and-respond-v0").rename(
                tmp_path / "trivium" / "dc-setpoints-5a-5mw-perfect" / "expert-v0"
            )
    values = []
    policy = train.train("iql", TASK, 0, 300, state_dir=state, progress=lambda _, value: values.append(value))
    assert len(values) == 2
    assert train.train("iql", TASK, 0, 300, state_dir=state).layers[0][0] == pytest.approx(policy.layers[0][0])
    data = minari.load_dataset("trivium/dc-setpoints-5a-5mw-perfect/expert-v0")[0]
    errors = [
        np.abs(policy.act(seen) - acted).mean() for seen, acted in zip(data.observations, data.actions, strict=False)
    ]
    assert np.mean(errors) < 0.4


@pytest.mark.parametrize("name", network.LEARNED)
def test_a_shipped_policy_earns_more_than_the_rule_book(env, name):
    """And its file has what trained it."""
    policy = network.read(network.checkpoint(env.task, name))
    assert policy.training["algorithm"] == name
    assert policy.training["task"] == TASK
    learned, rules = (
        sum(play(env, player, 0, day).reward for day in (110, 190, 250))
        for player in (baseline(name, env), ConstantPlayer())
    )
    assert learned > 0.95 * rules


@pytest.mark.slow
def test_an_agent_learns_to_cost_less_than_the_rule_book(env, state, monkeypatch):
    monkeypatch.setattr(train, "_DAYS", 6)
    policy = train.train("ppo", TASK, 0, 4000, state_dir=state)
    assert policy.training["steps"] == 4000
    days = (20, 110, 200)
    rules, learned = (
        sum(play(env, player, 0, day).reward for day in days) for player in (ConstantPlayer(), PolicyPlayer(policy))
    )
    assert learned > rules
