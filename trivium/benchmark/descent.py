"""A coordinate descent over commands, on the plant itself: what the oracle and the predictive controller search by."""

from __future__ import annotations

from collections.abc import Sequence

from trivium.benchmark.rehearsal import Commands, Rehearsal, planned
from trivium.benchmark.storage import BATTERY
from trivium.gym.tasks.env import HOUR, TaskEnv
from trivium.gym.tasks.task import UNITS

#: How far commands are moved, in parts of their range [1].
_MOVES = (-0.3, -0.08, 0.08, 0.3)
#: By how much violations weigh more in the search than in the reward, so that what it finds serves [1].
STRICTNESS = 50.0


class Descent:
    """Moves each command in turn up and down for an hour, and keeps what earns more until the end of a plan.

    Parameters
    ----------
    env : TaskEnv
        Of the task.
    """

    def __init__(self, env: TaskEnv) -> None:
        inputs = env.inner.plant.inputs
        self._ranges = {
            name: (float(inputs[name].minimum or 0.0), float(inputs[name].maximum or 0.0))
            for name in env.task.kind.commands
            if name != BATTERY  # its schedule is the best already
        }
        #: Control steps in which a command has one value.
        self.block = round(HOUR / env.task.kind.step)

    def improved(self, rehearsal: Rehearsal, plan: Sequence[Commands]) -> list[Commands]:
        """Return a plan that earns no less than another, with other commands in its first hour.

        Parameters
        ----------
        rehearsal : Rehearsal
            Of the plant as it stands.
        plan : sequence of Commands
            For each control step.
        """
        best = list(plan)
        most = rehearsal.value(planned(best), len(best), STRICTNESS)
        for name in self._ranges:
            for value in self._moved(name, best[0][name]):
                tried = [{**commands, name: value} for commands in best[: self.block]] + best[self.block :]
                earned = rehearsal.value(planned(tried), len(tried), STRICTNESS)
                if earned > most:
                    best, most = tried, earned
        return best

    def _moved(self, name: str, value: float) -> list[float]:
        low, high = self._ranges[name]
        moves = (-1.0, 1.0) if name in UNITS else [move * (high - low) for move in _MOVES]
        return [moved for move in moves if (moved := max(min(value + move, high), low)) != value]
