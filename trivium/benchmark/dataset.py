"""Data sets for offline learning, by Minari: episodes of baselines on the training days of a task."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from trivium.benchmark.baselines import baseline, names
from trivium.benchmark.player import Player
from trivium.extras import missing
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed
from trivium.gym.tasks.task import NAMESPACE, Task

#: Names that data sets have in the field, with the baseline that plays them.
QUALITIES = {"expert": "look-ahead", "medium": "trim-and-respond", "simple": "rules", "random": "random"}


def export(env: TaskEnv, quality: str, level: str, episodes: int, progress: Callable[[], object] = lambda: None) -> str:
    """Write a data set into Minari's folder (``MINARI_DATASETS_PATH``), and return its id.

    Parameters
    ----------
    env : TaskEnv
        Of the training days.
    quality : str
        Key of `QUALITIES`, or the name of a baseline.
    level : str
        Of the environment.
    episodes : int
    progress : Callable
        Called after each episode.

    Raises
    ------
    MissingExtraError
        When Minari is not installed.
    InvalidValueError
        When there is no such baseline.
    """
    try:
        import minari
        from minari.data_collector.episode_buffer import EpisodeBuffer
    except ImportError as error:
        raise missing("Minari", "datasets") from error
    name = QUALITIES.get(quality, quality)
    player = baseline(name, env)
    buffers = []
    for seed in range(episodes):
        buffers.append(EpisodeBuffer(**_episode(env, player, seed), id=seed, seed=seed))
        progress()
    dataset = identifier(env.task, level, quality)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the author and the code of who publishes
        minari.create_dataset_from_buffers(
            dataset_id=dataset,
            buffer=buffers,
            observation_space=env.observation_space,
            action_space=env.action_space,
            algorithm_name=name if name in names(env.task) else quality,
            description=f"{env.task.name}, level {level}: {name} on the training days. Infos hold the costs "
            f"{', '.join(env.cost_names)}.",
        )
    return dataset


def identifier(task: Task, level: str, quality: str) -> str:
    """Return the id of a data set, as Minari has them: namespace, name and version."""
    return f"{NAMESPACE}/{task.name.removesuffix('-v1').lower()}-{level}/{quality}-v0"


def _episode(env: TaskEnv, player: Player, seed: int) -> dict[str, Any]:
    """Play an episode, and return its parts as Minari's buffer takes them."""
    observation, info = env.reset(seed=seed, options={"start_time": 86400.0 * day_of_seed("train", seed)})
    player.begin(env, observation, info)
    observations, costs = [observation], [info["cost"]]
    actions, rewards, terminations, truncations = [], list[float](), list[bool](), list[bool]()
    while not (terminations and (terminations[-1] or truncations[-1])):
        observation, reward, terminated, truncated, info = player.play(env, observation)
        actions.append(env.action_of(env.values))
        observations.append(observation)
        costs.append(info["cost"])
        rewards.append(reward)
        terminations.append(terminated)
        truncations.append(truncated)
    return {
        "observations": observations,
        "actions": actions,
        "rewards": rewards,
        "terminations": terminations,
        "truncations": truncations,
        "infos": {"cost": np.array(costs)},
    }
