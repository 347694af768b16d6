"""A task with several agents, as a parallel environment of PettingZoo: one for each part of the plant.

::

    from trivium.gym.tasks.multiagent import parallel_env

    env = parallel_env("DC-Full-5A-5MW-v1")

Needs the extra ``multiagent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from trivium.extras import missing
from trivium.gym.env import OPTIONS
from trivium.gym.spaces import Vector, bounds_of
from trivium.gym.tasks.env import TaskEnv

try:
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise ImportError(str(missing("PettingZoo", "multiagent"))) from error

Observation = NDArray[np.float32]
#: The agents, each with the commands that it decides on.
AGENTS: Mapping[str, tuple[str, ...]] = {
    "halls": ("TSupAirSet1", "TSupAirSet2", "yFanCra1", "yFanCra2", "TLiqSupSet"),
    "chilled_water": ("uChi1", "uChi2", "uChi3", "uChi4", "TChiWatSupSet", "nPumChiWat", "yPumChiWat"),
    "condenser_water": ("nPumConWat", "yPumConWat", "nTow", "yFanTow", "yValEco"),
    "storage": ("yTan", "yBat", "yShi"),
}


class TaskParallelEnv(ParallelEnv[str, Observation, Any]):  # type: ignore[misc]  # PettingZoo has no types
    """A data centre whose parts are controlled by an agent each; all observe the same and share the reward.

    Parameters
    ----------
    task : str
        Its id; agents that decide on nothing in it are left out.
    **options : Any
        Of `TaskEnv`.
    """

    metadata = {"name": "trivium_task_v1", "render_modes": []}  # noqa: RUF012, as PettingZoo declares it

    def __init__(self, task: str, **options: Any) -> None:
        self.render_mode = None
        #: The task's environment for one agent.
        self.env = TaskEnv(task, **options)
        mine = self.env.task.kind.commands
        parts = {agent: [name for name in names if name in mine] for agent, names in AGENTS.items()}
        inputs = self.env.inner.plant.inputs
        self._commands = {
            agent: Vector(names, *bounds_of(inputs, names, {}), normalise=True)
            for agent, names in parts.items()
            if names
        }
        self.possible_agents = list(self._commands)
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> spaces.Space[Any]:  # noqa: ARG002, PettingZoo's signature
        """Return what an agent observes."""
        return self.env.observation_space

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return what an agent decides on."""
        return self._commands[agent].space

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin an episode; see `TaskEnv.reset`. Other options are for other environments, as PettingZoo has it."""
        self.agents = list(self.possible_agents)
        mine = {name: value for name, value in (options or {}).items() if name in OPTIONS}
        observation, info = self.env.reset(seed=seed, options=mine)
        return self._each(observation), self._each(info)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Simulate a control step under the actions of all agents; see `TaskEnv.step`."""
        commands: dict[str, float] = {}
        for agent in self.agents:
            vector = self._commands[agent]
            commands |= zip(vector.names, vector.decode(actions[agent]).tolist(), strict=True)
        stepped = self.env.apply(commands)
        observation, reward, terminated, truncated, info = map(self._each, stepped)
        if stepped[2] or stepped[3]:
            self.agents = []
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """End the plant."""
        self.env.close()

    def _each(self, value: Any) -> dict[str, Any]:
        return dict.fromkeys(self.agents, value)


def parallel_env(task: str, **options: Any) -> TaskParallelEnv:
    """Return the environment of a task for several agents."""
    return TaskParallelEnv(task, **options)
