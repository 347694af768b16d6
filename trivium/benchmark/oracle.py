"""The oracle: a search over the commands of a day by one who knows the day, as a measure for others.

It begins with what each of the best two baselines does. Then, hour by hour, each command in turn is moved up and down
for that hour while the rest of the plan stays, and what earns more until the horizon is kept: a coordinate descent on
the plant itself, from snapshots, with the weather, load and prices as they will be. In the end the best of plans and
baselines that violates no more than the rule book is played, so that no baseline that serves is better on any day. It
is no bound: a longer search finds more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trivium.benchmark.player import ConstantPlayer, Player, Stepped, commanded
from trivium.benchmark.rehearsal import Commands, Rehearsal, planned, truth
from trivium.benchmark.score import excess
from trivium.benchmark.storage import BATTERY
from trivium.gym.tasks.env import DAY, TaskEnv
from trivium.gym.tasks.task import UNITS
from trivium.plants.data_center.constraints import Costs

#: How far commands are moved, in parts of their range [1], and how far ahead a move is judged [s].
_MOVES, _HORIZON, _HOUR = (-0.3, -0.08, 0.08, 0.3), 3 * 3600.0, 3600.0
#: From how many of the best beginnings the day is searched.
_STARTS = 2
#: By how much violations weigh more in the search than in the reward, so that what it finds serves [1].
_STRICT = 50.0


class _Day(NamedTuple):
    """A day that was played: its reward, its costs by name, the commands of each step."""

    reward: float
    costs: Mapping[str, float]
    commands: list[Commands]


class Oracle:
    """Plays the plan that earns the most.

    Parameters
    ----------
    players : sequence of Player
        Those that it begins with.
    env : TaskEnv
        Of the task.
    """

    def __init__(self, players: Sequence[Player], env: TaskEnv) -> None:
        self._players = players
        inputs = env.inner.plant.inputs
        self._ranges = {
            name: (float(inputs[name].minimum or 0.0), float(inputs[name].maximum or 0.0))
            for name in env.task.kind.commands
            if name != BATTERY  # its schedule is the best already
        }
        self._plan: list[Commands] = []
        self._step = 0

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Find the plan of the episode, and go back to its beginning."""
        start = env.snapshot()
        steps = round(DAY / env.task.kind.step)
        with truth(env):
            rules = self._recorded(env, ConstantPlayer(), start)
            plans = [rules, *(self._recorded(env, player, start) for player in self._players)]
            for beginning in sorted(plans, key=_reward)[-_STARTS:]:
                env.reset(options={"snapshot": start})
                plan = self._improved(env, beginning.commands, steps)
                plans.append(self._recorded(env, _Plan(plan), start))
        env.reset(options={"snapshot": start})
        serving = [plan for plan in plans if excess(plan.costs, rules.costs, env.nominal) <= 0.0]
        self._plan, self._step = max(serving, key=_reward).commands, 0

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        self._step += 1
        return env.apply(self._plan[self._step - 1])

    def _recorded(self, env: TaskEnv, player: Player, start: Any) -> _Day:
        """Return the day of a player."""
        observation, info = env.reset(options={"snapshot": start})
        player.begin(env, observation, info)
        reward, costs, commands, ended = 0.0, np.zeros(len(Costs._fields)), list[Commands](), False
        while not ended:
            observation, gained, terminated, truncated, info = player.play(env, observation)
            reward, costs = reward + gained, costs + info["cost"]
            commands.append(commanded(env, env.values))
            ended = terminated or truncated
        return _Day(reward, dict(zip(Costs._fields, costs.tolist(), strict=True)), commands)

    def _improved(self, env: TaskEnv, beginning: Sequence[Commands], steps: int) -> list[Commands]:
        """Return a plan that earns more than another, and play it to the end."""
        plan = list(beginning)
        rehearsal, block = Rehearsal(env), round(_HOUR / env.task.kind.step)
        reach = round(_HORIZON / env.task.kind.step)
        for first in range(0, steps, block):
            window = plan[first : first + reach]
            most = rehearsal.value(planned(window), len(window), _STRICT)
            for name in self._ranges:
                for value in self._moved(name, window[0][name]):
                    head = [{**commands, name: value} for commands in window[:block]]
                    tried = [*head, *window[block:]]
                    earned = rehearsal.value(planned(tried), len(tried), _STRICT)
                    if earned > most:
                        window, most = tried, earned
            plan[first : first + reach] = window
            for commands in plan[first : first + block]:
                env.apply(commands)
        return plan

    def _moved(self, name: str, value: float) -> list[float]:
        low, high = self._ranges[name]
        moves = (-1.0, 1.0) if name in UNITS else [move * (high - low) for move in _MOVES]
        return [moved for move in moves if (moved := max(min(value + move, high), low)) != value]


def _reward(day: _Day) -> float:
    return day.reward


class _Plan:
    """Plays a plan."""

    def __init__(self, plan: Sequence[Commands]) -> None:
        self._commands = iter(plan)

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:
        """Begin an episode."""

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.apply(next(self._commands))
