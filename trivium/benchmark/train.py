"""Train the baselines that learn.

They learn on the training days of a task. Of the policies that come up during a training, the best on validation days
is the result; the test days are never played.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from trivium.benchmark.network import Floats, Head, Layers, Network
from trivium.benchmark.offline import Offline
from trivium.benchmark.online import Online
from trivium.benchmark.player import PolicyPlayer, play
from trivium.benchmark.shaping import strict
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed
from trivium.suggestions import near_or_all

#: How long each algorithm learns by default: control steps of agents, updates from data sets.
STEPS: Mapping[str, int] = {"sac": 30_000, "ppo": 100_000, "iql": 15_000}
#: Validation days that policies are chosen by, and how many policies of a training are compared.
_DAYS, _COMPARED = 24, 16

#: Gets the steps so far and the mean value of a validation day, whenever a policy was judged.
Progress = Callable[[int, float], object]


class Learner(Protocol):
    """What learns."""

    head: Head
    mean: Floats
    deviation: Floats

    def learn(self, steps: int) -> int:
        """Learn for so many more steps, and return how many they were in all."""

    def layers(self) -> Layers:
        """Return the weights and biases of the layers that decide."""


def train(
    algorithm: str,
    task: str,
    seed: int = 0,
    steps: int | None = None,
    level: str = "perfect",
    state_dir: Path | None = None,
    progress: Progress = lambda _steps, _value: None,
) -> Network:
    """Train a policy.

    Parameters
    ----------
    algorithm : str
        Key of `STEPS`.
    task : str
        Its id.
    seed : int
    steps : int, optional
        How long it learns. Default: as `STEPS` has it.
    level : str
        Level of the training days.
    state_dir : Path, optional
        Where the member's test case is kept.
    progress : Callable

    Raises
    ------
    InvalidValueError
        When there is no such algorithm, it does not suit the task's actions, or a data set is not there.
    MissingExtraError
        When what it needs is not installed.
    """
    if algorithm not in STEPS:
        raise InvalidValueError(f"there is no algorithm {algorithm!r}.{near_or_all(algorithm, STEPS)}", "algorithm")
    steps = steps or STEPS[algorithm]
    days = contextlib.closing(TaskEnv(task, level=level, split="train", state_dir=state_dir))
    judged = contextlib.closing(TaskEnv(task, level=level, split="validation", state_dir=state_dir))
    with days as env, judged as validation:
        learner: Learner = Offline(env, level, seed) if algorithm == "iql" else Online(algorithm, env, seed)
        training = {"algorithm": algorithm, "task": env.task.name, "level": level, "seed": seed, "steps": steps}
        policies, learned = list[tuple[float, Network]](), 0
        while learned < steps:
            learned = learner.learn(-(-steps // _COMPARED))
            network = Network(
                learner.mean, learner.deviation, learner.layers(), learner.head, env.task.kind.choices, training
            )
            policies.append((_value(validation, network), network))
            progress(learned, policies[-1][0])
    return max(policies, key=lambda policy: policy[0])[1]


def _value(env: TaskEnv, network: Network) -> float:
    """Return the mean reward of the validation days, where violations count more."""
    player, values = PolicyPlayer(network), list[float]()
    for seed in range(_DAYS):
        episode = play(env, player, seed, day_of_seed("validation", seed))
        values.append(strict(env, episode.reward, np.array(list(episode.costs.values()))))
    return float(np.mean(values))
