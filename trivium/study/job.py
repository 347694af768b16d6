"""The part of a study that workers receive, the same for all runs; and the results."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.experiment.conditions import Conditions, Strategy
from trivium.experiment.recipe import Recipe
from trivium.model.contract import FloatArray
from trivium.study.metrics import LATE
from trivium.study.quanta import END
from trivium.study.spec import Metric

#: States of a run.
PENDING, DONE, FAILED = 0, 1, 2


@dataclass(frozen=True)
class Job:
    """A study, for its workers.

    Attributes
    ----------
    recipe : Recipe
        How the experiment is made.
    parameters : tuple of str
        What the columns of a row of the plan are.
    kept : tuple of str
        Variables whose trajectories are kept.
    metrics : tuple of (str, Metric)
    dtype : str
        Of trajectories: float32, float64, or int32 for quanta, delta coded.
    quantum : float
        Twice the absolute error that trajectories may have; 0 where they are not quantised.
    time_limit : float
        Longest time of one run [s].
    texts : tuple of (str, tuple of str)
        Parameters that are texts: a row of the plan has the place of the run's text.
    units : tuple of (str, str)
        Of parameters, metrics and variables, where they have one; no result depends on them.
    """

    recipe: Recipe
    parameters: tuple[str, ...]
    kept: tuple[str, ...] = ()
    metrics: tuple[tuple[str, Metric], ...] = ()
    dtype: str = "float32"
    quantum: float = 0.0
    time_limit: float = math.inf
    texts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    units: tuple[tuple[str, str], ...] = ()

    def named(self, row: FloatArray) -> dict[str, NDArray[Any]]:
        """Return a row of the plan by name."""
        values: dict[str, Any] = dict(zip(self.parameters, row, strict=True))
        for name, texts in self.texts:
            values[name] = texts[int(values[name])]
        return {name: np.array(value) for name, value in values.items()}

    @property
    def times(self) -> FloatArray:
        """Times of the output points."""
        return self.recipe.times

    @property
    def bytes_of_run(self) -> int:
        """Size of one run's trajectories [bytes]."""
        return self.times.size * len(self.kept) * np.dtype(self.dtype).itemsize

    def shortened(self, steps: int) -> Job:
        """Return the same with fewer steps."""
        return replace(self, recipe=self.recipe.shortened(steps))

    @property
    def strategy(self) -> Strategy:
        """How instances of an FMU become fresh."""
        return self.recipe.strategy if isinstance(self.recipe, Conditions) else "fresh"

    def with_strategy(self, strategy: Strategy) -> Job:
        """Return the same with another way in which the native loop makes instances fresh."""
        recipe = replace(self.recipe, strategy=strategy) if isinstance(self.recipe, Conditions) else self.recipe
        return replace(self, recipe=recipe)

    def content(self) -> dict[str, Any]:
        """Return all that the results of a run depend on besides its parameters, by name."""
        return {
            "experiment": self.recipe.identity,
            "parameters": self.parameters,
            "kept": self.kept,
            "metrics": [(name, metric.model_dump()) for name, metric in self.metrics],
            "stored": (self.dtype, self.quantum),
            "censored": (LATE, "of the outputs"),
            "machine": (sys.platform, platform.machine()),
        }

    def identity(self) -> str:
        """Return a hash of all that the results of a run depend on besides its parameters."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()


@dataclass
class Results:
    """What came of some runs.

    Attributes
    ----------
    runs : array of int64, shape (k,)
        Their numbers.
    status : array of int8, shape (k,)
        `DONE` or `FAILED`.
    metrics : FloatArray, shape (k, n_metrics)
        NaN where a run failed.
    trajectories : array, shape (k, n_times, n_kept)
        In the job's dtype; of a run that failed NaN, or `trivium.study.quanta.END`, from where it failed on.
    reasons : Mapping[int, str]
        Why runs failed.
    seconds : float
        Time that the runs took [s].
    """

    runs: NDArray[np.int64]
    status: NDArray[np.int8]
    metrics: FloatArray
    trajectories: NDArray[np.generic]
    reasons: Mapping[int, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def empty(cls, job: Job, runs: NDArray[np.int64]) -> Results:
        """Return room for the results of some runs, all failed so far."""
        shape = (runs.size, job.times.size if job.kept else 0, len(job.kept))
        trajectories = np.full(shape, 0 if job.quantum else np.nan, np.dtype(job.dtype))
        if job.quantum:
            trajectories[:, :1] = END
        metrics = np.full((runs.size, len(job.metrics)), np.nan)
        return cls(runs, np.full(runs.size, FAILED, np.int8), metrics, trajectories, {})

    def put(self, some: Results) -> None:
        """Replace results of some of these runs, which are a stretch."""
        places = some.runs - self.runs[0]
        self.status[places] = some.status
        self.metrics[places] = some.metrics
        self.trajectories[places] = some.trajectories
        replaced = set(some.runs.tolist())
        self.reasons = {run: text for run, text in self.reasons.items() if run not in replaced} | dict(some.reasons)

    @classmethod
    def failed(cls, job: Job, runs: NDArray[np.int64], reason: str) -> Results:
        """Return the results of runs that failed for one reason."""
        results = cls.empty(job, runs)
        results.reasons = {int(run): reason for run in runs}
        return results
