"""Failed runs become missing ones again; what is done of their parts is kept."""

from __future__ import annotations

import numpy as np

from trivium.study import hdf5
from trivium.study.job import DONE, PENDING, Job, Results
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
    places, parts = store.places(), store.parts()
    failed = places.in_use(np.array(list(store.failures()), dtype=np.int64))
    for part in np.unique(failed // places.size).tolist():
        runs = places.in_part(part)
        whole = Results.empty(job, runs)
        whole.status[:] = PENDING
        if part in parts:
            hdf5.read_part(store, part, job, whole)
        else:
            for head, trajectories in store.loose(part):
                whole.put(head.results(job, trajectories))
        done = whole.status == DONE
        kept = Results(runs[done], whole.status[done], whole.metrics[done], whole.trajectories[done])
        rows = np.full((runs.size, len(plan.names)), np.nan)
        ended, stored = store.rows(part, plan.names)
        rows[ended - runs[0]] = stored
        store.reopen(part, job, rows[done], kept, runs)
    return places.count_runs(failed)
