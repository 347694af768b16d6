"""The oracle: a search over the commands of a day by one who knows the day, as a measure for others.

It begins with what each of the best two baselines does. Then, hour by hour, each command in turn is moved up and down
for that hour while the rest of the plan stays, and what earns more until the horizon is kept: a coordinate descent on
the plant itself, from snapshots, with the weather, load and prices as they will be. In the end the best of plans and
baselines that violates no more than the rule book is played, so that no baseline that serves is better on any day. It
is no bound: a longer search finds more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trivium.benchmark.descent import Descent
from trivium.benchmark.player import ConstantPlayer, Episode, PlanPlayer, Player, Stepped, played
from trivium.benchmark.rehearsal import Commands, Rehearsal, truth
from trivium.benchmark.score import excess
from trivium.gym.tasks.env import DAY, TaskEnv

#: How far ahead a move is judged [s].
_HORIZON = 3 * 3600.0
#: From how many of the best beginnings the day is searched.
_STARTS = 2


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
        self._descent = Descent(env)
        self._plan: Sequence[Commands] = []
        self._step = 0

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Find the plan of the episode, and go back to its beginning."""
        start = env.snapshot()
        steps = round(DAY / env.task.kind.step)
        with truth(env):
            rules = self._played(env, ConstantPlayer(), start)
            plans = [rules, *(self._played(env, player, start) for player in self._players)]
            for beginning in sorted(plans, key=_reward)[-_STARTS:]:
                env.reset(options={"snapshot": start})
                plan = self._improved(env, beginning.commands, steps)
                plans.append(self._played(env, PlanPlayer(plan), start))
        env.reset(options={"snapshot": start})
        serving = [plan for plan in plans if excess(plan.costs, rules.costs, env.nominal) <= 0.0]
        self._plan, self._step = max(serving, key=_reward).commands, 0

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        self._step += 1
        return env.apply(self._plan[self._step - 1])

    def _played(self, env: TaskEnv, player: Player, start: Any) -> Episode:
        """Return the day of a player."""
        begun = env.reset(options={"snapshot": start})
        return played(env, player, 0, round(env.inner.time / DAY), *begun)

    def _improved(self, env: TaskEnv, beginning: Sequence[Commands], steps: int) -> list[Commands]:
        """Return a plan that earns more than another, and play it to the end."""
        plan = list(beginning)
        rehearsal, block = Rehearsal(env), self._descent.block
        reach = round(_HORIZON / env.task.kind.step)
        for first in range(0, steps, block):
            plan[first : first + reach] = self._descent.improved(rehearsal, plan[first : first + reach])
            for commands in plan[first : first + block]:
                env.apply(commands)
        return plan


def _reward(day: Episode) -> float:
    return day.reward
