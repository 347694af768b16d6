"""What is kept of a run: trajectories in the job's form, metrics."""

from __future__ import annotations

import math

import numpy as np

from trivium.experiment.contract import Experiment, Values
from trivium.study.job import DONE, Job, Results
from trivium.study.metrics import OUTPUTS, reduce
from trivium.study.quanta import encode


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
            When a value is too large for its quantum.
        """
        job = self._job
        if job.kept:
            columns = np.stack([outputs[name] for name in job.kept], axis=1)
            results.trajectories[place] = encode(columns, job.quantum) if job.quantum else columns
        for number, (_, metric) in enumerate(job.metrics):
            if metric.method in OUTPUTS:
                name, index = self._elements.get(metric.variable, (metric.variable, ()))
                results.metrics[place, number] = outputs[name][index]
                continue
            column = np.ascontiguousarray(outputs[metric.variable])
            threshold = math.nan if metric.threshold is None else metric.threshold
            results.metrics[place, number] = reduce(metric.method, self._times, column, threshold)
        results.status[place] = DONE
