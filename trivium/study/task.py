"""What a worker of the engine calls; it reports what the driver must know before a chunk ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.engine import reporter
from trivium.model.contract import FloatArray
from trivium.study.alone import run_alone
from trivium.study.chunk import run_chunk
from trivium.study.job import Job, Results

#: How long a last message may take to leave a process that ends itself [s].
_PARTING = 1.0
#: Least time between two reports of how far a chunk is [s].
_REPORTS = 0.5


@dataclass
class Chunk:
    """Runs for a worker.

    Attributes
    ----------
    runs : array of int64
    number : int
        Of the chunk, given when it is submitted.
    losses : int
        How often it was lost with its worker. After the first time its runs are evaluated apart from the worker.
    """

    runs: NDArray[np.int64]
    number: int = 0
    losses: int = 0


def task(job: Job, chunk: Chunk, rows: FloatArray) -> Results:
    """Run a chunk; see `trivium.study.chunk.run_chunk` and, for one that was lost, `trivium.study.alone.run_alone`."""
    report = reporter()
    progress = _throttled(lambda ended: report(key_of_chunk(chunk.number), ended))
    if chunk.losses:
        return run_alone(job, chunk.runs, rows, progress)

    def report_late(run: int) -> None:
        report(key_of_run(run), True)
        time.sleep(_PARTING)

    return run_chunk(job, chunk.runs, rows, report_late, progress)


def _throttled(report: Callable[[int], None]) -> Callable[[int], None]:
    """Return a function that reports a number unless one was reported just now."""
    last = -math.inf

    def throttled(number: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORTS:
            last = now
            report(number)

    return throttled


def key_of_chunk(number: int) -> str:
    """Return the key under which a chunk reports how many of its runs ended."""
    return f"chunk {number}"


def key_of_run(run: int) -> str:
    """Return the key under which it is reported that a run takes too long."""
    return f"run {run}"
