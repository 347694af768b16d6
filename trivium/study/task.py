"""What a worker of the engine calls; it says what must be known when its process dies."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from trivium.engine import reporter
from trivium.model.contract import FloatArray
from trivium.study.chunk import run_chunk
from trivium.study.job import Job, Results

#: How long a last message may take to leave a process that ends itself [s].
_PARTING = 1.0


def task(job: Job, number: int, runs: NDArray[np.int64], rows: FloatArray) -> Results:
    """Run a chunk; see `trivium.study.chunk.run_chunk`."""
    say = reporter()
    say(key_of_chunk(number), True)

    def tell(run: int) -> None:
        say(key_of_run(run), True)
        time.sleep(_PARTING)

    return run_chunk(job, runs, rows, tell)


def key_of_chunk(number: int) -> str:
    """Return the key under which a chunk says that it began."""
    return f"chunk {number}"


def key_of_run(run: int) -> str:
    """Return the key under which it is said that a run takes too long."""
    return f"run {run}"
