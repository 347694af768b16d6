"""The parameters at which metrics are least or greatest: trials of Optuna, a batch a round.

The sampler is asked for a batch and given what came of it, always in the same order, so that a search begins with the
trials of the one that was interrupted, whose runs are there. All trials are the runs of the results.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from trivium.extras import require
from trivium.study.drive import State
from trivium.study.job import FAILED, Job
from trivium.study.plan import Plan
from trivium.study.search.goals import Optimize
from trivium.study.search.optimum import excesses
from trivium.study.search.rounds import Round, Rounds, Surroundings
from trivium.study.spec import Study
from trivium.study.values import Values


def run_optimize(study: Study, plan: Plan, job: Job, out: Path, around: Surroundings) -> State:
    """Make the trials of a study, or those that are missing; parameters and errors as `trivium.study.study.run_study`.

    Raises
    ------
    MissingExtraError
        Where Optuna is not installed.
    """
    assert study.optimize is not None  # noqa: S101 - the caller's
    search = _Trials(study.optimize, plan.parameters)
    with Rounds(out.absolute(), plan.parameters, job, study, around) as rounds:
        search.run(rounds)
        rounds.finish()
        return rounds.state


class _Trials:
    """The trials of a search.

    Parameters
    ----------
    goal : Optimize
    parameters : Mapping[str, Values]
    """

    def __init__(self, goal: Optimize, parameters: dict[str, Values]) -> None:
        optuna = require("optuna", "optimize")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._goal, self._parameters = optuna, goal, parameters
        self._space = {name: _distribution(optuna, values) for name, values in parameters.items()}
        directions = ["maximize" if great else "minimize" for great in goal.objectives.values()]
        self._study = optuna.create_study(directions=directions, sampler=self._sampler())

    def run(self, rounds: Rounds) -> None:
        """Make all trials."""
        left = self._goal.runs
        while left:
            trials = [self._study.ask(self._space) for _ in range(min(left, self._goal.batch))]
            left -= len(trials)
            self._tell(trials, rounds.evaluate(np.array([self._row(trial) for trial in trials])))

    def _tell(self, trials: list[Any], done: Round) -> None:
        objectives = np.column_stack([done.metrics[name] for name in self._goal.objectives])
        excess = excesses(self._goal, done.metrics)
        usable = (done.status != FAILED) & np.isfinite(objectives).all(axis=1)
        for place, trial in enumerate(trials):
            if usable[place]:
                for number, each in enumerate(excess[place].tolist()):
                    trial.set_constraint(self._goal.subject_to[number], each)
                self._study.tell(trial, objectives[place].tolist())
            else:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)

    def _row(self, trial: Any) -> list[float]:
        row = []
        for name, values in self._parameters.items():
            chosen = trial.params[name]
            row.append(float(values.at(np.array([chosen]))[0]) if values.listed is None else values.listed[chosen])
        return row

    def _sampler(self) -> Any:
        """Return what chooses the trials: the one that was best on functions that are known, see docs/seek.md."""
        goal, samplers = self._goal, self._optuna.samplers
        real = len(self._space) > 1 and all(values.listed is None for values in self._parameters.values())
        kind = goal.sampler
        if kind == "auto":
            several = len(goal.objectives) > 1
            kind = "nsga2" if several else "cmaes" if real and not goal.subject_to else "tpe"
        if kind == "cmaes":
            require("cmaes", "optimize")
            return samplers.CmaEsSampler(seed=goal.seed, popsize=max(2, goal.batch))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            if kind == "nsga2":
                return samplers.NSGAIISampler(seed=goal.seed, population_size=max(2, goal.batch))
            return samplers.TPESampler(seed=goal.seed, multivariate=True, constant_liar=True)


def _distribution(optuna: Any, values: Values) -> Any:
    """Return what Optuna chooses from: shares of a range, places in a list, texts without an order."""
    if values.listed is None:
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    if values.texts:
        return optuna.distributions.CategoricalDistribution(list(range(values.listed.size)))
    return optuna.distributions.IntDistribution(0, values.listed.size - 1)
