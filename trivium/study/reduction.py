"""What is kept of a run: trajectories in the job's form, metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from trivium.model.contract import FloatArray
from trivium.study.job import DONE, Job, Results
from trivium.study.metrics import reduce
from trivium.study.quanta import encode


class Reduction:
    """Takes what was recorded of one run after the other.

    Parameters
    ----------
    job : Job

    Attributes
    ----------
    out : FloatArray, shape (n_times, n_variables)
        Where a run is recorded.
    """

    def __init__(self, job: Job) -> None:
        self._job, self._times = job, job.times
        self.out: FloatArray = np.empty((self._times.size, len(job.variables)))
        self._column = {name: place for place, name in enumerate(job.variables)}
        self._kept = [self._column[name] for name in job.kept]

    def take(self, results: Results, place: int, indicators: Mapping[str, float | None] | None = None) -> None:
        """Put what is kept of the run that was recorded into its place, and say that it is done.

        Parameters
        ----------
        results : Results
        place : int
        indicators : Mapping[str, float or None], optional
            Key performance indicators of a test case.

        Raises
        ------
        ModelError
            When a value is too large for its quantum.
        """
        job = self._job
        if self._kept:
            kept = self.out[:, self._kept]
            results.trajectories[place] = encode(kept, job.quantum) if job.quantum else kept
        for number, (_, metric) in enumerate(job.metrics):
            if metric.method == "kpi":
                found = (indicators or {}).get(metric.variable)
                results.metrics[place, number] = math.nan if found is None else found
                continue
            column = np.ascontiguousarray(self.out[:, self._column[metric.variable]])
            threshold = math.nan if metric.threshold is None else metric.threshold
            results.metrics[place, number] = reduce(metric.method, self._times, column, threshold)
        results.status[place] = DONE
