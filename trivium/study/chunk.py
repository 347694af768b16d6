"""Some runs in a worker process: its FMU is loaded once and reused, its loop is compiled."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError, TriviumError
from trivium.model.contract import FloatArray
from trivium.study.fmu import Scalar, open_fmu
from trivium.study.inputs import read_inputs
from trivium.study.job import Job, Results
from trivium.study.reduction import Reduction
from trivium.study.slave import Slave

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
        cannot be stopped otherwise. Not where the job has no limit.
    """
    runner = _runner(job)
    results = Results.empty(job, runs)
    reasons: dict[int, str] = {}
    started = time.perf_counter()
    with _WATCH.over(tell, job.time_limit) if math.isfinite(job.time_limit) else contextlib.nullcontext():
        for place, run in enumerate(runs.tolist()):
            _WATCH.begin(run)
            try:
                runner.run(rows[place], results, place)
            except TriviumError as error:
                reasons[run] = str(error)
    results.reasons = reasons
    results.seconds = time.perf_counter() - started
    return results


class _FmuRunner:
    """A job's FMU and its buffers in this process."""

    def __init__(self, job: Job) -> None:
        self._job, self._reduction = job, Reduction(job)
        fmu = open_fmu(Path(job.fmu), Path(job.cache))
        inputs: list[Scalar] = []
        self._table = np.empty((job.experiment.count, 0))
        if job.inputs:
            inputs, self._table = read_inputs(Path(job.inputs), fmu, job.times, interpolate=job.interpolate)
        self._slave = Slave(fmu, [fmu.scalars[name] for name in job.variables], inputs, job.strategy)

    def run(self, row: FloatArray, results: Results, place: int) -> None:
        job, out = self._job, self._reduction.out
        self._slave.run({**dict(job.start_values), **job.named(row)}, job.experiment, self._table, out)
        self._reduction.take(results, place)

    def close(self) -> None:
        self._slave.close()


class _Runner(Protocol):
    """What runs a job in this process, kept from chunk to chunk."""

    def run(self, row: FloatArray, results: Results, place: int) -> None:
        """Simulate one run into its place.

        Raises
        ------
        TriviumError
            When it fails; its place is as it was.
        """

    def close(self) -> None:
        """Free what it holds."""


_RUNNERS: dict[Job, _Runner] = {}


def _runner(job: Job) -> _Runner:
    """Return what runs a job; one at a time, since some FMUs allow one instance a process."""
    if job not in _RUNNERS:
        free()
        try:
            _RUNNERS[job] = _case_runner(job) if job.controller else _FmuRunner(job)
        except KeyError as error:
            raise ResourcesError(
                f"{job.fmu} has no variable {error}; it changed since the study was checked"
            ) from error
    return _RUNNERS[job]


def free() -> None:
    """Free the FMU or the test case of the last job in this process."""
    for runner in _RUNNERS.values():
        runner.close()
    _RUNNERS.clear()


def _case_runner(job: Job) -> _Runner:
    from trivium.study.case import CaseRunner  # FMUs alone need none of it

    return CaseRunner(job)


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
