"""Rehearsals of an episode: what commands or a controller would earn from now on; the plant comes back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from trivium.control.controller import Controller
from trivium.errors import InvalidValueError
from trivium.evaluation.testcase import TestCase
from trivium.gym.tasks.env import TaskEnv
from trivium.model.contract import FloatArray
from trivium.plants.data_center.constraints import costs
from trivium.plants.data_center.plant import STORES

Commands = Mapping[str, float]
#: Takes observation and boundary data by name, and returns commands.
Decide = Callable[[Mapping[str, float], Mapping[str, float]], Commands]


class Rehearsal:
    """Rehearses on the plant of an environment, in its process.

    Parameters
    ----------
    env : TaskEnv

    Raises
    ------
    InvalidValueError
        When the plant runs elsewhere.
    """

    def __init__(self, env: TaskEnv) -> None:
        case = env.inner.plant
        if not isinstance(case, TestCase):
            raise InvalidValueError("Rehearsals need a plant in this process: plant must be in-process.", "plant")
        self._env, self._case = env, case
        self._columns = {name: i for i, name in enumerate(case.stepper.history.columns)}
        names = ["PItUns", "TLiqSup", "mChiWat_flow", *(f"TInl{hall}" for hall in (1, 2))]
        names += [f"{stem}{unit}" for unit in (1, 2, 3, 4) for stem in ("uChi", "tLocChi")]
        self._needed = {name: self._columns[name] for name in names}
        self._stores = [self._columns[name] for name in STORES]

    def value(self, decide: Decide, steps: int, strictness: float = 1.0) -> float:
        """Return the reward of control steps from now on, which the rule book completes.

        What is missing in stores at their end counts from the start of the episode, as it will at the end of the day:
        a hall that is warm already is a debt still. So the value has a part that is the same whatever is rehearsed.

        Parameters
        ----------
        decide : Callable
            Gives the commands of each step.
        steps : int
        strictness : float
            How often violations count [1].
        """
        rules = self._env.rules()

        def policy(observation: Mapping[str, float], boundary: Mapping[str, float]) -> Commands:
            completed = rules.action(observation, boundary)
            return {**completed, **decide(observation, boundary)}

        rows = self._case.rehearse(policy, steps)
        kpi = self._env.reward.kpi
        ends = self._ends(rows)
        rows[0, self._stores] = self._case.stepper.history.row(self._case.evaluation.first)[self._stores]
        electricity = self._case.evaluation.values_of(rows, [kpi])[kpi] or 0.0
        step, nominal = self._env.task.kind.step, self._env.nominal
        violated = (costs(*pair, step, nominal) for pair in pairwise(ends))
        return self._env.reward.value(electricity) + strictness * sum(
            self._env.reward.penalty(each) for each in violated
        )

    def _ends(self, rows: FloatArray) -> list[dict[str, float]]:
        """Return what costs are of, now and at the end of each control step."""
        parts = max(round(self._env.task.kind.step / (rows[1, 0] - rows[0, 0])), 1)
        return [{name: row[i] for name, i in self._needed.items()} for row in rows[::parts].tolist()]

    def continued(self, controller: Controller) -> Decide:
        """Return a copy of a controller, with its past, that can be rehearsed."""
        copied, names = copy.deepcopy(controller), self._env.task.kind.commands

        def decide(observation: Mapping[str, float], boundary: Mapping[str, float]) -> Commands:
            commands = copied.action(observation, boundary)
            return {name: commands[name] for name in names if name in commands}

        return decide


def planned(plan: Sequence[Commands]) -> Decide:
    """Return what gives the commands of a plan, one after the other; the last stay."""
    remaining: Iterator[Commands] = iter(plan)
    last = plan[-1]

    def decide(observation: Mapping[str, float], boundary: Mapping[str, float]) -> Commands:  # noqa: ARG001
        return next(remaining, last)

    return decide


@contextmanager
def truth(env: TaskEnv) -> Iterator[None]:
    """Let rehearsals know the weather as it will be."""
    plant = env.inner.plant
    before = plant.scenario["temperature_uncertainty"]
    plant.set_scenario(temperature_uncertainty="none")
    try:
        yield
    finally:
        plant.set_scenario(temperature_uncertainty=before or "none")
