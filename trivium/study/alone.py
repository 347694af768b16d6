"""Runs in processes of their own: so the run that kills its process is known.

A process evaluates one run after another and sends each as it ends, so what ended is kept. The run in which it dies is
under suspicion only: memory that an earlier run damaged may have killed it. It begins the next process, and has failed
where that dies in it as well.
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trivium.errors import EngineError, TriviumError
from trivium.experiment.fmu import load_loop
from trivium.forks import LostError, how_it_ended, shared_template
from trivium.model.contract import FloatArray
from trivium.study.chunk import free, run_chunk
from trivium.study.job import Job, Results

#: How often a process may be killed from outside (also for want of memory) in a run that began in it.
_KILLS = 3
#: How much longer than its limit a run is waited for, for the start of its process [s].
_START = 120.0
#: Time between two looks at a process [s].
_LOOK = 1.0
_WORK = "trivium.study.alone:serve_runs"


def run_alone(
    job: Job, runs: NDArray[np.int64], rows: FloatArray, progress: Callable[[int], None] = lambda _: None
) -> Results:
    """Evaluate some runs; see `trivium.study.chunk.run_chunk`.

    Parameters
    ----------
    job : Job
    runs : array of int64, shape (k,)
        Their numbers.
    rows : FloatArray, shape (k, n_parameters)
        Their parameters.
    progress : callable, optional
        Called with the number of runs that ended.

    Raises
    ------
    LostError
        When no process can be made.
    TriviumError
        What `run_chunk` raises.
    """
    free()  # an FMU may allow one instance, and a licence one process
    results = Results.empty(job, runs)
    reasons: dict[int, str] = {}
    place = kills = 0
    while place < runs.size:
        first = place
        with _Child(job, runs[place:], rows[place:]) as child:
            while place < runs.size and (ended := child.next(job.time_limit)) is not None:
                _copy(ended, results, reasons, place)
                place, kills = place + 1, 0
                progress(place)
        if place == runs.size:
            break
        if child.late:
            reasons[int(runs[place])] = too_long(job)
        elif place > first:
            continue  # it begins the next process
        elif not child.by_itself and kills + 1 < _KILLS:
            kills += 1
            continue
        else:
            reasons[int(runs[place])] = f"its process died each time that it was tried, at last alone ({child.how})"
        place, kills = place + 1, 0
        progress(place)
    results.reasons = reasons
    return results


def too_long(job: Job) -> str:
    """Return the reason of a run that exceeds its limit of time."""
    return f"it took longer than simulation.time_limit, {job.time_limit:g} s"


class _Child:
    """A process that evaluates runs.

    Attributes
    ----------
    late : bool
        Whether the run in it exceeded its limit.
    how : str
        How the process ended.
    by_itself : bool
        Whether it ended by itself, not by a signal from outside.
    """

    def __init__(self, job: Job, runs: NDArray[np.int64], rows: FloatArray) -> None:
        self._template = shared_template(_WORK)
        self._pid, sock = self._template.fork()
        self._connection = Connection(sock.detach())
        self.late = False
        self.how, self.by_itself = "", False
        with contextlib.suppress(OSError):  # it died, which shows when its results are awaited
            self._connection.send((job, runs, rows))

    def next(self, limit: float) -> Results | None:
        """Return the results of the next run; None where the process died, or the run exceeded its limit.

        Raises
        ------
        TriviumError
            What the process reported.
        """
        deadline = time.monotonic() + limit + _START
        try:
            while not self._connection.poll(_LOOK):
                if time.monotonic() > deadline:  # it is stopped: else it would have ended itself
                    self.late = True
                    return None
            message = self._connection.recv()
        except (OSError, EOFError, pickle.UnpicklingError):
            return None
        if isinstance(message, TriviumError):
            raise message
        if isinstance(message, Results):
            return message
        self.late = True  # the number of the run
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        try:
            self.how, self.by_itself = how_it_ended(self._template.end(self._pid))
        except LostError:  # the template was killed, and the process with it
            self.how = "SIGKILL"


def prepare() -> None:
    """Load before processes are forked what each of them needs."""
    load_loop()


def serve_runs(connection: Connection) -> None:
    """Be a process that evaluates runs: they come in one message, and a message goes out for each."""
    job, runs, rows = connection.recv()
    try:
        for place in range(runs.size):
            run = slice(place, place + 1)
            connection.send(run_chunk(job, runs[run], rows[run], connection.send))
    except TriviumError as error:
        connection.send(error)
    except Exception as error:
        connection.send(EngineError(f"a worker failed: {type(error).__name__}: {error}"))


def _copy(run: Results, results: Results, reasons: dict[int, str], place: int) -> None:
    results.status[place] = run.status[0]
    results.metrics[place] = run.metrics[0]
    results.trajectories[place] = run.trajectories[0]
    results.seconds += run.seconds
    reasons.update(run.reasons)
