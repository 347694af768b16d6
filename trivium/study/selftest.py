"""How instances of an FMU are best reused: tried in processes of their own, comparing numbers.

Two runs of the plan are simulated in turns, A B A, with a new instance for each; a way of reuse is taken only where it
gives the same numbers to the last bit, survives, and does not make the process grow.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from trivium.engine import GUARD
from trivium.errors import EngineError, TriviumError
from trivium.experiment.conditions import STRATEGIES, Conditions, Strategy
from trivium.model.contract import FloatArray
from trivium.process import resident
from trivium.study.chunk import run_chunk
from trivium.study.job import DONE, Job, Results

#: Steps of a run that are compared.
STEPS = 200
#: Runs after which memory is compared, and how much it may grow in them [bytes].
_REPEATS, _GROWTH = 100, 8 * 2**20
#: Time after which no further round of runs is timed [s].
_TIMED = 5.0


@dataclass(frozen=True)
class Trial:
    """What came of trying a way of reuse.

    Attributes
    ----------
    status, trajectories, metrics : arrays
        Of the runs A, B, A.
    grown : int
        By how much the process grew in further short runs [bytes].
    seconds : float
        Time of one whole run on a core of its own [s]; NaN where one failed.
    memory : int
        Of the process at the end [bytes].
    """

    status: Any
    trajectories: Any
    metrics: Any
    grown: int
    seconds: float
    memory: int


class Choice(NamedTuple):
    """How instances are reused.

    Attributes
    ----------
    strategy : Strategy
    reasons : dict
        Why other ways were not taken.
    decided : bool
        False when a process died: that may be no property of the FMU, so the choice is not to be kept.
    """

    strategy: Strategy
    reasons: dict[Strategy, str]
    decided: bool


def choose(job: Job, rows: FloatArray) -> Choice:
    """Return the best way of reuse.

    Parameters
    ----------
    job : Job
    rows : FloatArray, shape (2, n_parameters)
        Parameters of two runs, best different ones.
    """
    variables = job.recipe.variables if isinstance(job.recipe, Conditions) else ()
    short = replace(job.shortened(STEPS), kept=variables, dtype="float64", quantum=0.0)
    turns = rows[[0, 1, 0]]
    reasons: dict[Strategy, str] = {}
    reference = attempt(short.with_strategy("fresh"), turns)
    if reference is None or not (reference.status == DONE).all():
        failed = "the runs of the self-test fail" if reference is not None else "the process of the self-test died"
        return Choice("fresh", {"reset": failed, "restore": failed}, reference is not None)
    if not np.array_equal(reference.trajectories[0], reference.trajectories[2], equal_nan=True):
        leaks = "a run differs from the same one before in the process"
        return Choice("isolated", dict.fromkeys(STRATEGIES[:-1], leaks), decided=True)
    decided = True
    for strategy in STRATEGIES:
        trial: Trial | None = reference
        if strategy != "fresh":
            trial = attempt(short.with_strategy(strategy), turns, repeats=_REPEATS)
        if trial is None:
            reasons[strategy] = "it kills the process"
            decided = False
        elif not (trial.status == DONE).all():
            reasons[strategy] = "it fails"
        elif not np.array_equal(trial.trajectories, reference.trajectories):
            reasons[strategy] = "its numbers are not those of a new instance"
        elif strategy != "fresh" and trial.grown > _GROWTH:
            reasons[strategy] = "it leaks memory"
        else:
            return Choice(strategy, reasons, decided)
    return Choice("fresh", reasons, decided)


def attempt(job: Job, rows: FloatArray, *, repeats: int = 0, rounds: int = 1) -> Trial | None:
    """Simulate runs in a process of their own.

    Parameters
    ----------
    job : Job
    rows : FloatArray, shape (k, n_parameters)
    repeats : int
        How many more runs of one step follow, for memory.
    rounds : int
        How often the runs are timed, at most; the shortest time counts.

    Returns
    -------
    Trial or None
        None where the process died, or was killed for taking too long.

    Raises
    ------
    EngineError
        In a script without a guard.
    """
    context = multiprocessing.get_context("forkserver")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_attempt, args=(job, rows, repeats, rounds, theirs), daemon=True)
    try:
        process.start()
    except RuntimeError as error:  # this process is itself one that a script without a guard started
        raise EngineError(GUARD) from error
    theirs.close()
    try:
        answer = mine.recv()
    except EOFError:
        return None
    finally:
        mine.close()
        process.join(5.0)
        if process.is_alive():
            process.kill()
            process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, Trial) else None


def _attempt(job: Job, rows: FloatArray, repeats: int, rounds: int, answer: Connection) -> None:
    try:
        if isinstance(job.recipe, Conditions):
            run_chunk(job.shortened(1), np.arange(len(rows)), rows)  # loads and compiles
        results, per_run = _timed(job, rows, rounds)
        grown = 0
        if repeats:
            brief = job.shortened(1)
            run_chunk(brief, np.arange(len(rows)), rows)
            before = resident(os.getpid())
            run_chunk(brief, np.arange(repeats), np.resize(rows, (repeats, rows.shape[1])))
            grown = resident(os.getpid()) - before
        trial = Trial(results.status, results.trajectories, results.metrics, grown, per_run, resident(os.getpid()))
        answer.send(trial)
    except TriviumError as error:
        answer.send(error)


def _timed(job: Job, rows: FloatArray, rounds: int) -> tuple[Results, float]:
    """Return the results of some runs, and the time of one of them on a core of its own [s].

    A simulation computes all the time, so that is its CPU time, whatever else the machine does. A function or a program
    may wait for something, and is timed by the clock. Noise only adds to a time: the shortest one counts.
    """
    times: list[float] = []
    while True:
        before = _cpu_time()
        results = run_chunk(job, np.arange(len(rows)), rows)
        computes = isinstance(job.recipe, Conditions)
        times.append(_cpu_time() - before if computes else results.seconds)
        if len(times) >= rounds or sum(times) > _TIMED:
            break
    return results, min(times) / len(rows) if (results.status == DONE).all() else float("nan")


def _cpu_time() -> float:
    """Return the CPU time of this process and of those that ended in it [s]."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
