"""The folder of a study's results is opened: a new one, one to go on with, or one that holds something else."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trivium.errors import ConflictError, StorageError, TriviumError
from trivium.storage import LockedError, acquire
from trivium.study import growth
from trivium.study.job import Job
from trivium.study.plan import Plan
from trivium.study.spec import Study
from trivium.study.store import Store


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
        "units": dict(job.units),
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
