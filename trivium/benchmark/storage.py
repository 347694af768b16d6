"""When the battery is charged: by a linear program over the prices of the day, which markets publish a day ahead.

What the battery earns does not depend on what the plant does, so that the program is exact but for the taper of its
power near empty and full, which the schedule keeps away from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from trivium.benchmark.player import ControllerPlayer, Stepped
from trivium.gym.tasks.env import DAY, HOUR, PRICE_SIGNAL, TaskEnv
from trivium.plants.data_center.guideline36 import TrimAndRespond

#: The command of the battery, and the state of charge within which it has its full power [1].
BATTERY, _LOW, _HIGH = "yBat", 0.11, 0.89
#: Decimals of the commands, so that the last bits of a solver decide nothing.
_DECIMALS = 6


def battery_schedule(
    prices: NDArray[np.float64], charge: float, discharge_time: float, efficiency: float
) -> NDArray[np.float64]:
    """Return the battery's commands of each hour that cost least; it ends as charged as it begins.

    Parameters
    ----------
    prices : array of shape (n,)
        Of each hour.
    charge : float
        State of charge at the start [1].
    discharge_time : float
        In which nominal power empties it [s].
    efficiency : float
        Of charging, and of discharging [1].

    Returns
    -------
    array of shape (n,)
        Power over the nominal one, positive while it is charged [1].
    """
    hours = prices.size
    sums = np.tril(np.ones((hours, hours))) * HOUR / discharge_time
    charges = np.hstack((efficiency * sums, -sums / efficiency))
    low, high = min(_LOW, charge), max(_HIGH, charge)
    limits = np.concatenate((np.full(hours, high - charge), np.full(hours, charge - low), [0.0]))
    solved = linprog(
        np.concatenate((prices, -prices)), np.vstack((charges, -charges, -charges[-1:])), limits, bounds=(0.0, 1.0)
    )
    commands: NDArray[np.float64] = np.round(solved.x[:hours] - solved.x[hours:], _DECIMALS)
    return commands


class Schedule:
    """The battery's commands of an episode; none in tasks that do not decide on it.

    Parameters
    ----------
    env : TaskEnv
        At the beginning of an episode.
    """

    def __init__(self, env: TaskEnv) -> None:
        self._begin = env.inner.time
        self._hours: list[float] = []
        if BATTERY not in env.task.kind.commands:
            return
        if env.reward.kpi == "cost_tot":
            prices = env.inner.plant.forecast([PRICE_SIGNAL], DAY - HOUR, HOUR)[PRICE_SIGNAL]
        else:  # where energy counts, all hours are alike
            prices = np.ones(round(DAY / HOUR))
        parameters = env.inner.plant.parameters
        figures = (float(parameters[name].start or 0.0) for name in ("bat.tDis", "bat.eta"))
        self._hours = battery_schedule(prices, env.inner.values["socBat"], *figures).tolist()

    def commands(self, env: TaskEnv) -> dict[str, float]:
        """Return the commands of the coming step."""
        hour = int((env.inner.time - self._begin) / HOUR)
        return {BATTERY: self._hours[hour]} if self._hours else {}


class StoragePlayer(ControllerPlayer):
    """Plays by Guideline 36, and charges the battery while electricity is cheap."""

    def __init__(self) -> None:
        super().__init__(TrimAndRespond)
        self._schedule: Schedule

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""
        super().begin(env, observation, info)
        self._schedule = Schedule(env)

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.apply({**self.commands(env), **self._schedule.commands(env)})
