"""A whole study: checked, run or estimated, with its results in a folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trivium.engine import Engine, ThisProcess, cores
from trivium.errors import ConflictError, ModelError, StorageError, TriviumError
from trivium.experiment.conditions import STRATEGIES, Conditions, Strategy
from trivium.model.contract import FloatArray
from trivium.settings import Settings
from trivium.storage import LockedError, acquire
from trivium.study import growth, hdf5, selftest
from trivium.study.cache import Cache
from trivium.study.chunk import free
from trivium.study.drive import Drive, State
from trivium.study.job import DONE, Job, Results
from trivium.study.plan import Plan
from trivium.study.prepare import prepare
from trivium.study.retry import forget_failed
from trivium.study.spec import Study, load_study
from trivium.study.store import Store

#: Runs that an estimate is made from.
_SAMPLE = 3
#: How often they are timed, at most.
_ROUNDS = 10
#: What each strategy does, for people.
_STRATEGIES: Mapping[Strategy, str] = {
    "reset": "an instance of the FMU is used for many runs and reset between them",
    "restore": "an instance of the FMU is used for many runs, and its first state restored between them",
    "fresh": "each run gets a new instance of the FMU",
    "isolated": "each run gets a process of its own, because the FMU cannot be initialized twice in one",
}
#: Memory of the driver and of what Dask starts besides workers, about [bytes].
_DRIVER = 350 * 2**20


@dataclass(frozen=True)
class Where:
    """Where a study runs and what it may use.

    Attributes
    ----------
    unpacked : Path
        Folder for unpacked and compiled FMUs.
    scheduler : str or None
        Address of a Dask scheduler; default: processes of this machine.
    workers : int or None
        How many of them; default: one a core. With 0 all runs are simulated in this process, each in a new instance of
        the FMU and without a limit of time.
    wait : float
        How long a scheduler and its first worker are waited for [s].
    """

    unpacked: Path
    scheduler: str | None = None
    workers: int | None = None
    wait: float = 20.0

    @classmethod
    def from_settings(cls, settings: Settings, workers: int | None = None) -> Where:
        """Return where settings have studies run."""
        unpacked = settings.state_dir.absolute() / "fmu"
        return cls(unpacked, settings.scheduler or None, workers, settings.scheduler_wait)


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
    plan, job = prepare(study, path.parent.absolute(), places.unpacked.absolute())
    if not job.recipe.deterministic:
        cache = None
    if study.find is not None:
        from trivium.study.search.find import run_find
        from trivium.study.search.rounds import Surroundings

        around = Surroundings(places, cache, on_progress, say, repair=repair, retry=retry)
        return run_find(study, plan, job, out, around)
    if study.optimize is not None:
        from trivium.study.search.optimize import run_optimize
        from trivium.study.search.rounds import Surroundings

        around = Surroundings(places, cache, on_progress, say, repair=repair, retry=retry)
        return run_optimize(study, plan, job, out, around)
    if study.calibrate is not None:
        from trivium.study.search.calibrate import run_calibrate
        from trivium.study.search.rounds import Surroundings

        around = Surroundings(places, cache, on_progress, say, repair=repair, retry=retry)
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


def unlimited(job: Job, places: Where) -> Job:
    """Return a job without a limit of time where its runs are simulated in this process, which would end with it."""
    return replace(job, time_limit=math.inf) if places.workers == 0 else job


def starter(
    plan: Plan, job: Job, study: Study, places: Where, cache: Cache | None, say: Callable[[str], None]
) -> Callable[[], tuple[Engine | ThisProcess, Strategy]]:
    """Return what makes the engine of a study, and chooses how instances are reused."""

    def start() -> tuple[Engine | ThisProcess, Strategy]:
        if places.workers == 0:
            return ThisProcess(), job.strategy
        rows = np.concatenate([plan.rows(0, 1), plan.rows(plan.count - 1, plan.count)])
        strategy = _strategy(job, rows, cache, say)
        workers = places.workers
        if study.max_concurrent is not None:
            workers = min(workers or cores(), study.max_concurrent)
        scratch = study.paths.scratch_dir
        folder = None if scratch is None else str(scratch)
        return Engine(places.scheduler, workers, folder, wait=places.wait), strategy

    return start


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
    strategy = _strategy(job, rows[[0, -1]], cache, say)
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


def open_store(
    folder: Path,
    plan: Plan,
    job: Job,
    study: Study,
    say: Callable[[str], None] = lambda _: None,
    *,
    deep: bool = False,
) -> Store:
    """Open the results of a study, new ones or those of an interrupted run.

    Parts that are absent or damaged are forgotten; see `trivium.study.store.Store.repair`. Results of the same study
    with other values of its parameters remain; see `trivium.study.growth`.

    Raises
    ------
    ConflictError
        When the folder holds another study, or another process writes to it.
    StorageError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire(folder / "study.lock")
    except LockedError as error:
        raise ConflictError(f"another process writes to {folder}") from error
    except OSError as error:
        raise StorageError(f"{folder} cannot hold results: {error}") from error
    with contextlib.ExitStack() as stack:
        stack.callback(lock.release)
        try:
            growth.finish_moving(folder)
            store = _matching_store(folder, plan, job, study, say)
        except OSError as error:
            raise StorageError(f"{folder} cannot hold results: {error}") from error
        stack.callback(store.close)
        store.repair(say, deep=deep)
        store.lock = lock
        stack.pop_all()
    return store


def _matching_store(folder: Path, plan: Plan, job: Job, study: Study, say: Callable[[str], None]) -> Store:
    """Return the results in a folder after they were made those of a study."""
    about = {
        "signature": _signature(plan, job, study),
        "aspects": json.dumps(growth.aspects(job)),
        "description": json.dumps(describe(plan, job, study)),
        "runs": str(plan.count),
    }
    store = Store(folder)
    stored = store.about()
    if stored and growth.lasts_longer(stored, job):
        store.compact()
        store.close()
        aside = growth.set_aside(folder)
        say(f"simulation.stop_time is later: all runs are simulated anew; results until now are in {aside}")
        store, stored = Store(folder), {}
    try:
        if not stored:
            store.set_about(**about, runs_per_part=str(part_size(job, study.output.runs_per_part)))
        elif stored["signature"] != about["signature"]:
            growth.check(folder, stored, job)
            growth.grow(store, plan, job, about, say)
    except TriviumError:
        store.close()
        raise
    return store


def describe(plan: Plan, job: Job, study: Study) -> dict[str, Any]:
    """Return what readers must know of a study, as JSON holds it."""
    return {
        "parameters": list(plan.names),
        "texts": dict(job.texts),
        "metrics": [name for name, _ in job.metrics],
        "methods": {name: metric.method for name, metric in job.metrics} | _searched(study),
        "indicators": {name: metric.variable for name, metric in job.metrics if metric.method == "kpi"},
        "warn": {name: metric.warn for name, metric in job.metrics if metric.warn is not None},
        "variables": list(job.kept),
        "time": job.times.tolist(),
        "dtype": job.dtype,
        "quantum": job.quantum,
        "sampling": study.sampling.model_dump(),
        "optimize": None if study.optimize is None else study.optimize.model_dump(),
    }


def _searched(study: Study) -> dict[str, str]:
    """Return what is sought in place of a metric; see `trivium.study.metrics.WITHOUT_VALUE`."""
    return {} if study.find is None else {study.find.parameter: "find"}


def part_size(job: Job, requested: int | None) -> int:
    """Return how many runs a part has: by default about 128 MiB of trajectories, at most 16384 runs."""
    if requested is not None:
        return requested
    limit = 16384
    size = 16
    while 2 * size <= limit and 2 * size * job.bytes_of_run <= 128 * 2**20:
        size *= 2
    return size


def _signature(plan: Plan, job: Job, study: Study) -> str:
    """Return a hash of all that the results of a study depend on; values from files count, not the files' names."""
    if plan.grows:  # whatever a search chooses, a run is known by its parameters
        return hashlib.sha256(json.dumps([job.identity(), plan.names, plan.texts]).encode()).hexdigest()
    ends = (plan.rows(0, 1), plan.rows(plan.count - 1, plan.count))
    content = [job.identity(), plan.count, plan.digest, study.sampling.model_dump(), [end.tolist() for end in ends]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _strategy(job: Job, rows: FloatArray, cache: Cache | None, say: Callable[[str], None]) -> Strategy:
    """Return how instances are reused: as found out before, or by trying runs with these parameters."""
    if job.strategy == "isolated":
        say(_STRATEGIES["isolated"])
    if job.strategy == "isolated" or not (isinstance(job.recipe, Conditions) and job.recipe.native):
        return job.strategy  # whatever else is evaluated begins anew by itself
    earlier = cache.strategy(job.identity()) if cache is not None else None
    for strategy in STRATEGIES:
        if earlier == strategy:
            return strategy
    choice = selftest.choose(job, rows)
    refused = "".join(f"; {name} does not work: {why}" for name, why in choice.reasons.items())
    say(f"{_STRATEGIES[choice.strategy]}{refused}")
    if cache is not None and choice.decided:
        cache.set_strategy(job.identity(), choice.strategy)
    return choice.strategy


def _bytes_on_disk(job: Job, rows: FloatArray, trial: selftest.Trial) -> int:
    """Return the size of a run on disk, by writing those that were tried."""
    runs = np.arange(len(rows), dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        hdf5.write_part(store, 0, job, rows, Results(runs, trial.status, trial.metrics, trial.trajectories))
        size = hdf5.stored_bytes(store.path_of(0))
        store.close()
    return -(-size // len(rows))
