"""A task with several agents."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from tests.server import ROOT
from trivium.gym.tasks.multiagent import AGENTS, parallel_env
from trivium.gym.tasks.task import KINDS

FULL = "DC-Full-5A-5MW-v1"


@pytest.mark.parametrize("kind", KINDS)
def test_pettingzoos_own_check(members, kind):
    env = parallel_env(f"DC-{kind}-5A-5MW-v1", state_dir=members)
    parallel_api_test(env, num_cycles=300)
    env.close()


def test_the_same_seed_gives_the_same_episode(members):
    parallel_seed_test(lambda: parallel_env(FULL, state_dir=members, level="mismatch"), num_cycles=5)


def test_every_command_belongs_to_one_agent():
    commands = [name for names in AGENTS.values() for name in names]
    assert sorted(commands) == sorted(KINDS["Full"].commands)


def test_the_agents_together_do_what_one_agent_does(members, make):
    several, one = parallel_env(FULL, state_dir=members), make(FULL)
    several.reset(seed=1)
    one.reset(seed=1)
    random = np.random.default_rng(0)
    actions = {agent: random.uniform(-1, 1, several.action_space(agent).shape) for agent in several.agents}
    _, rewards, *_ = several.step(actions)
    shares = {name: share for agent, names in AGENTS.items() for name, share in zip(names, actions[agent], strict=True)}
    _, reward, *_ = one.step(np.array([shares[name] for name in KINDS["Full"].commands]))
    assert set(rewards) == set(AGENTS)
    assert all(each == pytest.approx(reward) for each in rewards.values())
    several.close()


def test_without_pettingzoo_the_extra_is_named():
    code = "import sys; sys.modules['pettingzoo'] = None; import trivium.gym.tasks.multiagent"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "ImportError: PettingZoo is not installed; install it with:" in done.stderr
