"""Some runs in a worker process: its experiment is made once and reused."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.experiment.conditions import Conditions
from trivium.experiment.contract import Experiment, Failure, Values
from trivium.experiment.fmu import load_loop
from trivium.experiment.recipe import Recipe, build
from trivium.model.contract import FloatArray
from trivium.scratch import Scratch
from trivium.study.job import Job, Results
from trivium.study.reduction import Reduction

#: Is called with a run that is stopped because it takes too long, before its process is.
Report = Callable[[int], None]


def run_chunk(
    job: Job,
    runs: NDArray[np.int64],
    rows: FloatArray,
    report: Report | None = None,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Evaluate some runs; a run that fails does not keep the others from running.

    Parameters
    ----------
    job : Job
    runs : array of int64, shape (k,)
        Their numbers.
    rows : FloatArray, shape (k, n_parameters)
        Their parameters.
    report : callable, optional
        Called with the number of a run that exceeds its time limit; then the process is killed, since native code
        cannot be stopped otherwise. Not where the job has no limit.
    progress : callable, optional
        Called with the number of runs that ended: first, when the model is loaded, with 0.
    """
    experiment = _experiment(job.recipe)
    if progress is not None:
        progress(0)
    reduction = Reduction(job, experiment)
    results = Results.empty(job, runs)
    reasons: dict[int, str] = {}
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(Scratch())
        if math.isfinite(job.time_limit):
            stack.enter_context(_WATCH.over(report, job.time_limit))
        outcomes = experiment.evaluate_many(_watched(job, runs, rows), folder)
        for place, (run, outcome) in enumerate(zip(runs.tolist(), outcomes, strict=True)):
            if isinstance(outcome, Failure):
                reasons[run] = str(outcome.error)
                reduction.keep(results, place, outcome.reached)
            else:
                try:
                    reduction.take(results, place, outcome)
                except ModelError as error:
                    reasons[run] = str(error)
            if progress is not None:
                progress(place + 1)
    results.reasons = reasons
    results.seconds = time.perf_counter() - started
    return results


def _watched(job: Job, runs: NDArray[np.int64], rows: FloatArray) -> Iterator[Values]:
    """Yield the parameters of runs; the time of a run begins when they are taken."""
    for run, row in zip(runs.tolist(), rows, strict=True):
        _WATCH.begin(run)
        yield job.named(row)


_EXPERIMENTS: dict[Recipe, Experiment] = {}


def _experiment(recipe: Recipe) -> Experiment:
    """Return the experiment of a recipe; one at a time, since some FMUs allow one instance a process."""
    if recipe not in _EXPERIMENTS:
        free()
        if isinstance(recipe, Conditions) and recipe.native:
            load_loop()
        _EXPERIMENTS[recipe] = build(recipe)
    return _EXPERIMENTS[recipe]


def free() -> None:
    """Free the last experiment in this process."""
    for experiment in _EXPERIMENTS.values():
        experiment.close()
    _EXPERIMENTS.clear()


class _Watch:
    """Kills this process when a run takes too long."""

    def __init__(self) -> None:
        self._deadline = float("inf")
        self._run = -1
        self._limit = float("inf")
        self._report: Report | None = None
        self._thread: threading.Thread | None = None

    def over(self, report: Report | None, limit: float) -> _Watch:
        self._report, self._limit = report, limit
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
        if self._report is not None:
            self._report(self._run)
        os.kill(os.getpid(), signal.SIGKILL)


_WATCH = _Watch()
