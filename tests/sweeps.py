"""Sweeps in the process of a test, without an engine."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from trivium.study import hdf5
from trivium.study.chunk import run_chunk
from trivium.study.job import DONE, Job, Results
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.spec import load_study


def run_here(path: Path, runs: range | None = None, *, unpacked: Path, out: Path | None = None) -> Path:
    """Run a study, or some of its runs; return the folder of its results."""
    study = load_study(path)
    plan, job = prepare(study, path.parent, unpacked)
    store = open_store(out or path.with_suffix(""), plan, job, study)
    size = int(store.about()["runs_per_part"])
    parts = Parts(store, plan, job)
    chosen = range(plan.count) if runs is None else runs
    for _, group in itertools.groupby(chosen, key=lambda run: run // size):
        some = np.array(list(group), dtype=np.int64)
        parts.add(run_chunk(job, some, np.concatenate([plan.rows(k, k + 1) for k in some.tolist()])))
    hdf5.link(store, job)
    store.close()
    return store.folder


def made_up(job: Job, numbers: Iterable[int], *, failing: Iterable[int] = ()) -> Results:
    """Return results without a simulation, each with the number of its run as its metrics."""
    runs = np.array(list(numbers), dtype=np.int64)
    results = Results.empty(job, runs)
    results.reasons = {int(run): "it failed" for run in failing if run in runs}
    done = ~np.isin(runs, list(results.reasons))
    results.status[done] = DONE
    results.metrics[done] = runs[done, None]
    results.trajectories[done] = runs[done, None, None] + 0.5
    return results
