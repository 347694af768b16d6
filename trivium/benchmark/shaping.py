"""How rewards and observations are shaped for policies that learn.

What must not be done counts more than in the reward, as in the oracle's search, because a policy that violates more
than the rule book scores nothing. What electricity costs is compared with a reference that no action changes, a share
of the power of the servers at the price of the hour: most of what differs between hours and days is not the policy's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trivium.benchmark.network import Floats
from trivium.gym.tasks.env import PRICE_SIGNAL, TaskEnv
from trivium.plants.data_center.constraints import Costs

#: Discount of the reward for each control step [1]: of steps of 15 minutes, the next five hours count.
DISCOUNT = 0.95
#: How often violations count [1], and the least reward of a step [currency/MW].
_STRICT, _LEAST = 20.0, -20.0
#: Cooling over the power of the servers in the reference [1].
_COOLING = 0.05
#: Least deviation that an observation is divided by.
_DEVIATION = 1e-2


class Shaping:
    """The reward of a task as it is learned from.

    Parameters
    ----------
    env : TaskEnv
    """

    def __init__(self, env: TaskEnv) -> None:
        self._env, vector = env, env.inner.vector
        self._places = [vector.names.index(name) for name in ("PItDem1", "PItDem2", PRICE_SIGNAL)]
        self._low, self._high = vector.low[self._places], vector.high[self._places]
        self._hours = env.task.kind.step / 3600.0

    def reward(self, observation: Floats, reward: float, costs: NDArray[np.float64]) -> float:
        """Return the reward of a step [currency/MW].

        Parameters
        ----------
        observation : array of shape (n,)
            Before the step.
        reward : float
            Of the task.
        costs : array of shape (m,)
            Of the step.
        """
        shares = (observation[self._places].astype(np.float64) + 1.0) / 2.0
        first, second, price = (self._low + shares * (self._high - self._low)).tolist()
        reference = self._env.reward.value(_COOLING * (first + second) / 1000.0 * self._hours * price)
        return max(strict(self._env, reward, costs) - reference, _LEAST)


def strict(env: TaskEnv, reward: float, costs: NDArray[np.float64]) -> float:
    """Return the reward of a step or of a day in which violations count more."""
    return reward + (_STRICT - 1.0) * env.reward.penalty(Costs(*costs.tolist()))


def scales(observations: Floats) -> tuple[Floats, Floats]:
    """Return mean and deviation of observations, an array of shape (k, n), each of shape (n,)."""
    values = observations.astype(np.float64)
    return values.mean(axis=0).astype(np.float32), np.maximum(values.std(axis=0), _DEVIATION).astype(np.float32)


def scaled(observations: Floats, mean: Floats, deviation: Floats) -> NDArray[np.float32]:
    """Return observations as a network sees them."""
    result: NDArray[np.float32] = ((observations - mean) / deviation).astype(np.float32)
    return result
