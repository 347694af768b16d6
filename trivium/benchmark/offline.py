"""A policy that learns from data sets alone: implicit Q-learning (Kostrikov, Nair and Levine, ICLR 2022), by PyTorch.

It imitates the actions of the data, the more the better they turned out, and never asks what another action would be
worth. It never acts on the plant while it learns.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from trivium.benchmark.dataset import identifier
from trivium.benchmark.network import Head, Layers
from trivium.benchmark.shaping import DISCOUNT, Shaping, scaled, scales
from trivium.errors import InvalidValueError
from trivium.extras import require
from trivium.gym.tasks.env import TaskEnv

#: The data sets that it learns from, by their quality.
QUALITIES = ("expert", "medium", "random")
#: As published: the expectile of the worth of actions that is the worth of a state, how sharply better actions weigh
#: more, the most that one weighs, and how fast targets follow.
_EXPECTILE, _SHARPNESS, _MOST, _FOLLOW = 0.7, 3.0, 100.0, 0.005
_BATCH, _RATE, _NEURONS = 256, 3e-4, 64


class Offline:
    """A policy that learns from the data sets of a task in Minari's folder.

    Parameters
    ----------
    env : TaskEnv
        Of the training days.
    level : str
        Of the data sets.
    seed : int

    Raises
    ------
    InvalidValueError
        When the task's actions are whole numbers, or a data set is not there.
    MissingExtraError
        When Minari or PyTorch is not installed.
    """

    head: Head = "tanh"

    def __init__(self, env: TaskEnv, level: str, seed: int) -> None:
        if env.task.kind.choices:
            raise InvalidValueError(
                f"IQL needs actions that are no whole numbers, which {env.task.name} has", "algorithm"
            )
        torch = self._torch = require("torch", "train")
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        episodes = [each for quality in QUALITIES for each in _episodes(env, level, quality)]
        before = np.concatenate([each.observations[:-1] for each in episodes])
        after = np.concatenate([each.observations[1:] for each in episodes])
        self.mean, self.deviation = scales(before)
        shaping = Shaping(env)
        rewards = [
            shaping.reward(observation, float(reward), cost)
            for each in episodes
            for observation, reward, cost in zip(each.observations, each.rewards, each.infos["cost"][1:], strict=False)
        ]
        self._data = [
            torch.as_tensor(np.asarray(array, dtype=np.float32))
            for array in (
                scaled(before, self.mean, self.deviation),
                np.concatenate([each.actions for each in episodes]),
                np.array(rewards)[:, None],
                scaled(after, self.mean, self.deviation),
                1.0 - np.concatenate([each.terminations for each in episodes])[:, None],
            )
        ]
        size, actions = before.shape[1], env.action_space.shape[0] if env.action_space.shape else 1
        self._policy = self._network(size, actions, torch.nn.Tanh())
        self._critics = [self._network(size + actions, 1) for _ in range(2)]
        self._targets, self._worth = copy.deepcopy(self._critics), self._network(size, 1)
        parts = (self._policy, torch.nn.ModuleList(self._critics), self._worth)
        self._optimizers = [torch.optim.Adam(part.parameters(), _RATE) for part in parts]
        self._updates = 0

    def learn(self, steps: int) -> int:
        """Learn for so many more updates, and return how many they were in all."""
        for _ in range(steps):
            self._update()
        return self._updates

    def layers(self) -> Layers:
        """Return the weights and biases of the layers that decide."""
        modules = (each for each in self._policy if isinstance(each, self._torch.nn.Linear))
        return [(each.weight.detach().numpy().T.copy(), each.bias.detach().numpy().copy()) for each in modules]

    def _network(self, inputs: int, outputs: int, *last: Any) -> Any:
        nn = self._torch.nn
        first, second = nn.Linear(inputs, _NEURONS), nn.Linear(_NEURONS, _NEURONS)
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Linear(_NEURONS, outputs), *last)

    def _update(self) -> None:
        torch, functional = self._torch, self._torch.nn.functional
        rows = torch.randint(len(self._data[0]), (_BATCH,))
        states, actions, rewards, following, going = (each[rows] for each in self._data)
        pairs = torch.cat((states, actions), 1)
        with torch.no_grad():
            promised = torch.minimum(*(target(pairs) for target in self._targets))
            coming = rewards + DISCOUNT * going * self._worth(following)
        better = promised - self._worth(states)
        weights = torch.where(better > 0.0, _EXPECTILE, 1.0 - _EXPECTILE)
        self._descend(2, (weights * better**2).mean())
        self._descend(1, sum(functional.mse_loss(critic(pairs), coming) for critic in self._critics))
        weights = (_SHARPNESS * better.detach()).exp().clamp(max=_MOST)
        self._descend(0, (weights * (self._policy(states) - actions) ** 2).mean())
        with torch.no_grad():
            for target, critic in zip(self._targets, self._critics, strict=True):
                for old, new in zip(target.parameters(), critic.parameters(), strict=True):
                    old.lerp_(new, _FOLLOW)
        self._updates += 1

    def _descend(self, place: int, loss: Any) -> None:
        self._optimizers[place].zero_grad()
        loss.backward()
        self._optimizers[place].step()


def _episodes(env: TaskEnv, level: str, quality: str) -> list[Any]:
    minari = require("minari", "datasets")
    name = identifier(env.task, level, quality)
    try:
        return list(minari.load_dataset(name).iterate_episodes())
    except (FileNotFoundError, ValueError) as error:
        raise InvalidValueError(
            f"there is no data set {name}; write it by: trivium bench dataset {quality} --task {env.task.name} "
            f"--level {level}",
            "dataset",
        ) from error
