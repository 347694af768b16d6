"""Agents that learn by acting: stable-baselines3's SAC and PPO."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from trivium.benchmark.network import Floats, Head, Layers
from trivium.benchmark.shaping import DISCOUNT, Shaping, scaled, scales
from trivium.errors import InvalidValueError
from trivium.extras import require
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed

#: Training days on which observations are scaled, half of each played at random.
_SCALED = 24
#: Neurons of the two hidden layers.
_NEURONS = (64, 64)


class _Taught(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A task as agents learn it."""

    def __init__(self, env: TaskEnv, mean: Floats, deviation: Floats) -> None:
        super().__init__(env)
        self._shaping, self._mean, self._deviation = Shaping(env), mean, deviation
        self._observed = mean
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, mean.shape, np.float32)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        self._observed, info = self.env.reset(**options)
        return scaled(self._observed, self._mean, self._deviation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Simulate a control step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        learned = self._shaping.reward(self._observed, float(reward), info["cost"])
        self._observed = observation
        return scaled(observation, self._mean, self._deviation), learned, terminated, truncated, info


class Online:
    """An agent that learns on the training days of a task.

    Parameters
    ----------
    algorithm : str
        ``sac`` or ``ppo``.
    env : TaskEnv
    seed : int

    Raises
    ------
    InvalidValueError
        When the algorithm does not suit the task's actions.
    MissingExtraError
        When stable-baselines3 is not installed.
    """

    def __init__(self, algorithm: str, env: TaskEnv, seed: int) -> None:
        library = require("stable_baselines3", "train")
        require("torch", "train").set_num_threads(1)
        discrete = bool(env.task.kind.choices)
        if discrete and algorithm == "sac":
            raise InvalidValueError(
                f"SAC needs actions that are no whole numbers, which {env.task.name} has; ppo has no such need",
                "algorithm",
            )
        self.head: Head = "choices" if discrete else "tanh" if algorithm == "sac" else "clip"
        self.mean, self.deviation = _scales(env, seed)
        self._algorithm, taught = algorithm, _Taught(env, self.mean, self.deviation)
        policy = {"net_arch": list(_NEURONS), "activation_fn": require("torch.nn", "train").ReLU}
        common: dict[str, Any] = {"seed": seed, "device": "cpu", "gamma": DISCOUNT, "policy_kwargs": policy}
        if algorithm == "sac":
            self._agent = library.SAC(
                "MlpPolicy", taught, learning_rate=5e-4, learning_starts=1000, train_freq=4, gradient_steps=2,
                ent_coef="auto_0.05", target_entropy=-8.0, buffer_size=200_000, **common,
            )  # fmt: skip
        else:
            policy |= {} if discrete else {"log_std_init": -2.0}
            self._agent = library.PPO("MlpPolicy", taught, learning_rate=1e-3, n_steps=1920, batch_size=192, **common)

    def learn(self, steps: int) -> int:
        """Learn for so many more control steps, and return how many they were in all."""
        self._agent.learn(steps, reset_num_timesteps=False)
        return int(self._agent.num_timesteps)

    def layers(self) -> Layers:
        """Return the weights and biases of the layers that decide."""
        linear, policy = require("torch.nn", "train").Linear, self._agent.policy
        if self._algorithm == "sac":
            parts = (policy.actor.latent_pi, policy.actor.mu)
        else:
            parts = (policy.mlp_extractor.policy_net, policy.action_net)
        modules = (module for part in parts for module in part.modules() if isinstance(module, linear))
        return [(each.weight.detach().numpy().T.copy(), each.bias.detach().numpy().copy()) for each in modules]


def _scales(env: TaskEnv, seed: int) -> tuple[Floats, Floats]:
    """Return mean and deviation of observations on some training days: at random until noon, then by the rule book."""
    env.action_space.seed(seed)
    observations: list[Floats] = []
    for day in range(_SCALED):
        observation, _ = env.reset(seed=seed + day, options={"start_time": 86400.0 * day_of_seed("train", day)})
        begin, ended = env.inner.time, False
        observations.append(observation)
        while not ended:
            morning = env.inner.time < begin + 43200.0
            stepped = env.step(env.action_space.sample()) if morning else env.apply({})
            observations.append(stepped[0])
            ended = stepped[2] or stepped[3]
    return scales(np.array(observations))
