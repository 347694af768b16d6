"""Environments of tasks, closed at the end of a test."""

from __future__ import annotations

import pytest

from trivium.gym.tasks.env import TaskEnv


@pytest.fixture(scope="session")
def members(tmp_path_factory):
    """Where the test cases of members are made, once."""
    return tmp_path_factory.mktemp("members")


@pytest.fixture
def make(members):
    """Make environments of tasks."""
    made = []

    def env(task="DC-SetPoints-5A-5MW-v1", **options):
        made.append(TaskEnv(task, state_dir=members, **options))
        return made[-1]

    yield env
    for each in made:
        each.close()
