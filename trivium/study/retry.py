"""Failed runs become missing ones again; what is done of their parts is kept."""

from __future__ import annotations

import numpy as np

from trivium.study import hdf5
from trivium.study.job import DONE, FAILED, PENDING, Job, Results
from trivium.study.plan import Plan
from trivium.study.store import Store


def forget_failed(store: Store, plan: Plan, job: Job) -> int:
    """Forget the results of failed runs, so that they run again; return how many there were.

    A part that has some is opened again: its other results are loose ones until it is whole.

    Raises
    ------
    StorageError
        When a part cannot be read. Parts before it are done, and the same call goes on.
    """
    places = store.places()
    failed = places.in_use(np.array(list(store.failures()), dtype=np.int64))
    for part in np.unique(failed // places.size).tolist():
        reopen(store, plan, job, part)
    return places.count_runs(failed)


def reopen(store: Store, plan: Plan, job: Job, part: int, *, failed: bool = False) -> None:
    """Make the results of a part loose ones, without those of failed runs unless they are asked for.

    Raises
    ------
    StorageError
        When the part cannot be read.
    """
    runs = store.places().in_part(part)
    whole = Results.empty(job, runs)
    whole.status[:] = PENDING
    if part in store.parts():
        hdf5.read_part(store, part, job, whole)
    else:
        for head, trajectories in store.loose(part):
            whole.put(head.results(job, trajectories))
    done = (whole.status == DONE) | (failed & (whole.status == FAILED))
    reasons = {run: text for run, text in store.failures().items() if failed and runs[0] <= run <= runs[-1]}
    kept = Results(runs[done], whole.status[done], whole.metrics[done], whole.trajectories[done], reasons)
    rows = np.full((runs.size, len(plan.names)), np.nan)
    ended, stored = store.rows(part, plan.names)
    rows[ended - runs[0]] = stored
    store.reopen(part, job, rows[done], kept, runs)
