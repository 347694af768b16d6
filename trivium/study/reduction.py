"""What is kept of a run: trajectories in the job's form, metrics."""

from __future__ import annotations

import contextlib
import math

import numpy as np

from trivium.errors import ModelError
from trivium.experiment.conditions import Conditions
from trivium.experiment.contract import Experiment, Values
from trivium.study.expression import Expression
from trivium.study.job import DONE, Job, Results
from trivium.study.metrics import OUTPUTS, reduce
from trivium.study.quanta import END, encode


class Reduction:
    """Takes the outputs of one run after the other.

    Parameters
    ----------
    job : Job
    experiment : Experiment
    """

    def __init__(self, job: Job, experiment: Experiment) -> None:
        self._job, self._times = job, job.times
        functional = any(metric.method == "output" for _, metric in job.metrics)
        self._elements = experiment.elements() if functional else {}
        self._expressions = {name: Expression(each.expression) for name, each in job.metrics if each.expression}
        self._recorded = job.recipe.variables if isinstance(job.recipe, Conditions) else ()

    def keep(self, results: Results, place: int, reached: Values) -> None:
        """Put the trajectories of a run that failed, NaN from there on, into its place."""
        job = self._job
        if not job.kept or not reached:
            return
        columns = np.stack([reached[name] for name in job.kept], axis=1)
        if not job.quantum:
            results.trajectories[place] = columns
            return
        count = int(np.isfinite(columns).all(axis=1).sum())
        with contextlib.suppress(ModelError):  # too large a value: the trajectory is left out
            results.trajectories[place, :count] = encode(columns[:count], job.quantum)
            results.trajectories[place, count : count + 1] = END

    def take(self, results: Results, place: int, outputs: Values) -> None:
        """Put what is kept of a run into its place, and record that it is done.

        Parameters
        ----------
        results : Results
        place : int
        outputs : Mapping[str, FloatArray]
            Of the experiment.

        Raises
        ------
        ModelError
            When a value is too large for its quantum, or a metric beyond its limit `stop`.
        """
        job = self._job
        if job.kept:
            columns = np.stack([outputs[name] for name in job.kept], axis=1)
            results.trajectories[place] = encode(columns, job.quantum) if job.quantum else columns
        for number, (metric_name, metric) in enumerate(job.metrics):
            if metric_name in self._expressions:
                recorded = {name: outputs[name] for name in self._recorded}
                results.metrics[place, number] = self._expressions[metric_name].evaluate(self._times, recorded)
                continue
            if metric.method in OUTPUTS:
                name, index = self._elements.get(metric.variable, (metric.variable, ()))
                results.metrics[place, number] = outputs[name][index]
                continue
            column = np.ascontiguousarray(outputs[metric.variable])
            threshold = math.nan if metric.threshold is None else metric.threshold
            results.metrics[place, number] = reduce(metric.method, self._times, column, threshold)
        for (name, metric), value in zip(job.metrics, results.metrics[place].tolist(), strict=True):
            if metric.stop is not None and abs(value) > metric.stop:
                results.metrics[place] = math.nan
                raise ModelError(f"{name} is {value:.6g}, beyond metrics.{name}.stop, {metric.stop:g}")
        results.status[place] = DONE
