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
    size = int(store.about()["runs_per_part"])
    failed, parts = store.failures(), store.parts()
    for part in sorted({run // size for run in failed}):
        runs = np.arange(part * size, min((part + 1) * size, plan.count), dtype=np.int64)
        whole = Results.empty(job, runs)
        whole.status[:] = PENDING
        if part in parts:
            hdf5.read_part(store, part, job, whole)
        else:
            for head, trajectories in store.loose(part):
                whole.put(head.results(job, trajectories))
        done = whole.status == DONE
        kept = Results(runs[done], whole.status[done], whole.metrics[done], whole.trajectories[done])
        store.reopen(part, job, plan.rows(int(runs[0]), int(runs[-1]) + 1)[done], kept, runs)
    return len(failed)
