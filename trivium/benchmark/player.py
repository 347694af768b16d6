"""Who plays an episode: an agent in the task's action space, or a controller that gives commands by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from trivium.control.controller import Controller
from trivium.gym.tasks.env import TaskEnv
from trivium.plants.data_center.constraints import Costs

#: What `TaskEnv.step` returns.
Stepped = tuple[Any, float, bool, bool, dict[str, Any]]


class Player(Protocol):
    """Plays episodes."""

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""

    def play(self, env: TaskEnv, observation: Any) -> Stepped:
        """Play a control step."""


class Policy(Protocol):
    """What a submission defines: observations in, actions out."""

    def reset(self, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""

    def act(self, observation: Any) -> Any:
        """Return the action of the coming step."""


class PolicyPlayer:
    """Plays by a policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        self._policy.reset(observation, info)

    def play(self, env: TaskEnv, observation: Any) -> Stepped:
        """Play a control step."""
        return env.step(self._policy.act(observation))


class ControllerPlayer:
    """Plays by a controller of the plant, which decides on what the task lets an agent decide on.

    Parameters
    ----------
    make : Callable
        Takes the IT load that the plant is built for [W] and the control step [s].
    """

    def __init__(self, make: Callable[[float, float], Controller]) -> None:
        self._make = make
        self._controller: Controller | None = None

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        self._controller = self._make(env.nominal, env.task.kind.step)
        self._controller.reset(env.values, env.inner.boundary)

    def commands(self, env: TaskEnv) -> dict[str, float]:
        """Return the controller's commands of the coming step."""
        if self._controller is None:
            raise RuntimeError("begin an episode first")
        return commanded(env, self._controller.action(env.values, env.inner.boundary))

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.apply(self.commands(env))


class ConstantPlayer:
    """Plays the same commands in every step; without commands the rule book decides alone."""

    def __init__(self, commands: Mapping[str, float] | None = None) -> None:
        self._commands = dict(commands or {})

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.apply(self._commands)


class PlanPlayer:
    """Plays a plan: the commands of each control step."""

    def __init__(self, plan: Sequence[Mapping[str, float]]) -> None:
        self._plan = plan
        self._commands = iter(plan)

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        self._commands = iter(self._plan)

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.apply(next(self._commands))


def commanded(env: TaskEnv, commands: Mapping[str, float]) -> dict[str, float]:
    """Return those commands that the task lets an agent decide on."""
    return {name: commands[name] for name in env.task.kind.commands if name in commands}


class Episode(NamedTuple):
    """An episode that was played.

    Attributes
    ----------
    seed : int
    day : int
        Day of the year.
    reward : float
    kpis : Mapping[str, float]
        Key performance indicators of the day.
    costs : Mapping[str, float]
        Sums of what must not be done.
    commands : sequence of Mapping[str, float]
        What the task lets an agent decide on, of each control step.
    """

    seed: int
    day: int
    reward: float
    kpis: Mapping[str, float]
    costs: Mapping[str, float]
    commands: Sequence[Mapping[str, float]]


def play(env: TaskEnv, player: Player, seed: int, day: int) -> Episode:
    """Play an episode.

    Parameters
    ----------
    env : TaskEnv
    player : Player
    seed : int
        Of what the level draws.
    day : int
        Day of the year on which the episode begins.

    Raises
    ------
    ModelError
        When the plant failed.
    """
    observation, info = env.reset(seed=seed, options={"start_time": 86400.0 * day})
    return played(env, player, seed, day, observation, info)


def played(env: TaskEnv, player: Player, seed: int, day: int, observation: Any, info: Mapping[str, Any]) -> Episode:
    """Play an episode that has been begun, with what `TaskEnv.reset` returned."""
    player.begin(env, observation, info)
    reward, costs, commands, ended = 0.0, np.zeros(len(Costs._fields)), list[Mapping[str, float]](), False
    while not ended:
        observation, gained, terminated, truncated, info = player.play(env, observation)
        reward, costs = reward + gained, costs + info["cost"]
        commands.append(commanded(env, env.values))
        ended = terminated or truncated
    kpis = dict(info["kpi"]) if "error" not in info else {}
    return Episode(seed, day, reward, kpis, dict(zip(Costs._fields, costs.tolist(), strict=True)), commands)
