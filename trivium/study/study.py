"""A whole study: checked, run or estimated, with its results in a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.engine import cores
from trivium.errors import ModelError, TriviumError
from trivium.experiment.conditions import Strategy
from trivium.model.contract import FloatArray
from trivium.study import hdf5, selftest
from trivium.study.cache import Cache
from trivium.study.chunk import free
from trivium.study.drive import Drive, State
from trivium.study.job import DONE, Job, Results
from trivium.study.opening import open_store, part_size
from trivium.study.prepare import prepare
from trivium.study.retry import forget_failed
from trivium.study.search.calibrate import run_calibrate
from trivium.study.search.find import run_find
from trivium.study.search.optimize import run_optimize
from trivium.study.search.rounds import Surroundings
from trivium.study.spec import load_study
from trivium.study.store import Store
from trivium.study.where import Where, choose_strategy, starter, unlimited

#: Runs that an estimate is made from.
_SAMPLE = 3
#: How often they are timed, at most.
_ROUNDS = 10
#: Memory of the driver and of what Dask starts besides workers, about [bytes].
_DRIVER = 350 * 2**20


@dataclass(frozen=True)
class Estimate:
    """What a study would take.

    Attributes
    ----------
    runs, workers : int
    seconds_a_run : float
        Measured [s].
    seconds : float
        Of all runs on all workers [s].
    memory : int
        Of all processes [bytes].
    disk : int
        [bytes]
    strategy : Strategy
        How instances are reused.
    """

    runs: int
    workers: int
    seconds_a_run: float
    seconds: float
    memory: int
    disk: int
    strategy: Strategy


def run_study(
    path: Path,
    out: Path,
    places: Where,
    cache: Cache | None,
    on_progress: Callable[[State], None],
    say: Callable[[str], None],
    *,
    repair: bool = False,
    retry: bool = False,
) -> State:
    """Run a study, or what is missing of it.

    Parameters
    ----------
    path : Path
        The study's JSON file.
    out : Path
        Folder of the results.
    places : Where
    cache : Cache or None
    on_progress : callable
        Called whenever something ended.
    say : callable
        Called with each decision as a sentence.
    repair : bool
        Whether the content of all parts is compared with its hash first, so that damaged ones run again.
    retry : bool
        Whether failed runs run again.

    Returns
    -------
    State
        At the end.

    Raises
    ------
    InvalidValueError, ResourcesError
        When the study is wrong; nothing was run.
    ConflictError
        When the folder holds something else.
    EngineError
        When the engine is gone; the same call goes on from there.
    """
    study = load_study(path)
    if study.simulation is not None and study.package.suffix == ".mo":
        say("compiling the model, unless it was compiled before")
    plan, job = prepare(study, path.parent.absolute(), places.unpacked.absolute())
    if not job.recipe.deterministic:
        cache = None
    around = Surroundings(places, cache, on_progress, say, repair=repair, retry=retry)
    if study.find is not None:
        return run_find(study, plan, job, out, around)
    if study.optimize is not None:
        return run_optimize(study, plan, job, out, around)
    if study.calibrate is not None:
        return run_calibrate(study, plan.parameters, out, around)
    store = open_store(out.absolute(), plan, job, study, say, deep=repair)

    if retry:
        try:
            say(f"{forget_failed(store, plan, job)} failed runs run again")
        except TriviumError:
            store.close()
            raise
    try:
        drive = Drive(plan, unlimited(job, places), store, cache, on_progress)
        return drive.run(starter(plan, job, study, places, cache, say), study.max_concurrent)
    finally:
        store.close()
        if places.workers == 0:
            free()


def estimate(path: Path, places: Where, cache: Cache | None, say: Callable[[str], None]) -> Estimate:
    """Check a study and estimate its cost from measured runs.

    Raises
    ------
    InvalidValueError, ResourcesError
        When the study is wrong.
    ModelError
        When the runs that were tried fail.
    """
    study = load_study(path)
    plan, job = prepare(study, path.parent.absolute(), places.unpacked.absolute())
    sample = np.unique(np.linspace(0, plan.count - 1, _SAMPLE).astype(np.int64))
    rows = np.concatenate([plan.rows(run, run + 1) for run in sample.tolist()])
    count = plan.count
    if study.find is not None:  # bisection of the whole interval is the worst case
        rows = np.column_stack([rows, np.full(len(rows), sum(study.find.between) / 2)])
        count *= study.find.most_runs
    strategy = choose_strategy(job, rows[[0, -1]], cache, say)
    job = job.with_strategy(strategy)
    trial = selftest.attempt(job, rows, rounds=_ROUNDS)
    if trial is None or not (trial.status == DONE).all():
        raise ModelError("the runs that were tried for the estimate fail, or kill their process")
    workers = places.workers or cores()
    size = part_size(job, study.output.runs_per_part)
    return Estimate(
        runs=count,
        workers=workers,
        seconds_a_run=trial.seconds,
        seconds=count * trial.seconds / workers,
        memory=_DRIVER + workers * trial.memory + 3 * min(size, count) * max(job.bytes_of_run, 1),
        disk=count * _bytes_on_disk(job, rows, trial),
        strategy=strategy,
    )


def _bytes_on_disk(job: Job, rows: FloatArray, trial: selftest.Trial) -> int:
    """Return the size of a run on disk, by writing those that were tried."""
    runs = np.arange(len(rows), dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        hdf5.write_part(store, 0, job, rows, Results(runs, trial.status, trial.metrics, trial.trajectories))
        size = hdf5.stored_bytes(store.path_of(0))
        store.close()
    return -(-size // len(rows))
