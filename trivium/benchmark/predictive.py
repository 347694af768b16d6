"""Model predictive control on the plant itself: plans of some hours, of which one hour is used.

A plan begins with the best of what controllers would do and of what is left of the plan before, and is improved by a
coordinate descent (`descent`) without derivatives. So chillers that start, pumps that stop and flow switches are
decided on like set points, the same plan comes out on every machine, and where no plan is better than a controller its
commands are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trivium.benchmark.candidates import CANDIDATES
from trivium.benchmark.descent import STRICTNESS, Descent
from trivium.benchmark.player import Stepped, commanded
from trivium.benchmark.rehearsal import Commands, Decide, Rehearsal, planned
from trivium.benchmark.storage import Schedule
from trivium.control.controller import Controller
from trivium.gym.tasks.env import HOUR, TaskEnv


class PredictivePlayer:
    """Every hour plans the hours ahead, as they are forecast, and plays the first one.

    The battery follows its schedule.

    Parameters
    ----------
    env : TaskEnv
        Of the task.
    hours : float
        How far ahead.
    """

    def __init__(self, env: TaskEnv, hours: float = 4.0) -> None:
        self._descent = Descent(env)
        self._steps = round(hours * HOUR / env.task.kind.step)
        self._controllers: list[Controller] = []
        self._schedule: Schedule
        self._plan: list[Commands] = []
        self._played = 0

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        self._controllers = [make(env.nominal, env.task.kind.step) for make in CANDIDATES[env.task.kind.name]]
        for controller in self._controllers:
            controller.reset(env.values, env.inner.boundary)
        self._schedule = Schedule(env)
        self._plan, self._played = [], 0

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        if self._played % self._descent.block == 0:
            self._replan(env)
        self._played += 1
        for controller in self._controllers:  # they follow the plant, for the plans to come
            controller.action(env.values, env.inner.boundary)
        return env.apply({**self._plan.pop(0), **self._schedule.commands(env)})

    def _replan(self, env: TaskEnv) -> None:
        rehearsal = Rehearsal(env)
        plans = [self._recorded(env, rehearsal, rehearsal.continued(each)) for each in self._controllers]
        if self._plan:
            last = self._plan[-1:] * (self._steps - len(self._plan))
            plans.append(self._recorded(env, rehearsal, planned([*self._plan, *last])))
        self._plan = self._descent.improved(rehearsal, max(plans, key=lambda plan: plan[0])[1])

    def _recorded(self, env: TaskEnv, rehearsal: Rehearsal, decide: Decide) -> tuple[float, Sequence[Commands]]:
        """Return what the hours ahead would earn, and the commands of each step."""
        plan: list[Commands] = []
        used = commanded(env, env.values)

        def recording(observation: Mapping[str, float], boundary: Mapping[str, float]) -> Commands:
            plan.append({**used, **decide(observation, boundary)})
            return plan[-1]

        return rehearsal.value(recording, self._steps, STRICTNESS), plan
