"""Some runs in a worker process: its FMU is loaded once and reused, its loop is compiled."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adcc.core.boundary import Disturbances
from adcc.core.model import FloatArray
from adcc.errors import AdccError, ModelError
from adcc.sweep.fmu import open_fmu
from adcc.sweep.job import DONE, Job, Results
from adcc.sweep.metrics import reduce
from adcc.sweep.quanta import encode
from adcc.sweep.slave import Slave

#: Told of a run that is stopped because it takes too long, before its process is.
Tell = Callable[[int], None]


def run_chunk(job: Job, runs: NDArray[np.int64], rows: FloatArray, tell: Tell | None = None) -> Results:
    """Simulate some runs; a run that fails does not keep the others from running.

    Parameters
    ----------
    job : Job
    runs : array of int64, shape (k,)
        Their numbers.
    rows : FloatArray, shape (k, n_parameters)
        Their parameters.
    tell : callable, optional
        Called with the number of a run that exceeds its time limit; then the process is killed, since native code
        cannot be stopped otherwise.
    """
    worker = _worker(job)
    results = Results.empty(job, runs)
    reasons: dict[int, str] = {}
    started = time.perf_counter()
    with _WATCH.over(tell, job.time_limit):
        for place, run in enumerate(runs.tolist()):
            _WATCH.begin(run)
            try:
                worker.run(rows[place], results, place)
                results.status[place] = DONE
            except ModelError as error:
                reasons[run] = str(error)
    results.reasons = reasons
    results.seconds = time.perf_counter() - started
    return results


class _Worker:
    """A job's FMU and its buffers in this process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        fmu = open_fmu(Path(job.fmu), Path(job.cache))
        inputs = []
        self._table = np.empty((job.experiment.count, 0))
        self._times = job.times
        if job.inputs:
            data = Disturbances.read(Path(job.inputs), linear=job.interpolate)
            inputs = [fmu.scalars[name] for name in data.names]
            self._table = np.ascontiguousarray(data.at(self._times[:-1].tolist(), float(self._times[-1])))
        self._slave = Slave(fmu, [fmu.scalars[name] for name in job.variables], inputs, job.strategy)
        self._out = np.empty((job.experiment.count + 1, len(job.variables)))
        self._column = {name: place for place, name in enumerate(job.variables)}
        self._kept = [self._column[name] for name in job.kept]

    def run(self, row: FloatArray, results: Results, place: int) -> None:
        """Simulate one run into its place.

        Raises
        ------
        ModelError
            When it fails; its place is as it was.
        """
        job, out = self._job, self._out
        values = {**dict(job.start_values), **dict(zip(job.parameters, row.tolist(), strict=True))}
        self._slave.run(values, job.experiment, self._table, out)
        if self._kept:
            kept = out[:, self._kept]
            results.trajectories[place] = encode(kept, job.quantum) if job.quantum else kept
        for number, (_, metric) in enumerate(job.metrics):
            column = np.ascontiguousarray(out[:, self._column[metric.variable]])
            threshold = np.nan if metric.threshold is None else metric.threshold
            results.metrics[place, number] = reduce(metric.method, self._times, column, threshold)

    def close(self) -> None:
        """Free the instance."""
        self._slave.close()


@lru_cache(maxsize=1)
def _worker(job: Job) -> _Worker:
    try:
        return _Worker(job)
    except KeyError as error:
        raise AdccError(f"the FMU {job.fmu} has no variable {error}; it changed since the study was checked") from error


class _Watch:
    """Kills this process when a run takes too long."""

    def __init__(self) -> None:
        self._deadline = float("inf")
        self._run = -1
        self._limit = float("inf")
        self._tell: Tell | None = None
        self._thread: threading.Thread | None = None

    def over(self, tell: Tell | None, limit: float) -> _Watch:
        self._tell, self._limit = tell, limit
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="time limit", daemon=True)
            self._thread.start()
        return self

    def begin(self, run: int) -> None:
        self._run = run
        self._deadline = time.monotonic() + self._limit

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._deadline = float("inf")

    def _look(self) -> None:
        while time.monotonic() < self._deadline:
            time.sleep(min(0.5, self._limit / 4))
        if self._tell is not None:
            self._tell(self._run)
        os.kill(os.getpid(), signal.SIGKILL)


_WATCH = _Watch()
