"""Which runs are missing, and how results become parts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study import hdf5
from trivium.study.job import FAILED, Job, Results
from trivium.study.plan import Plan
from trivium.study.store import Store


class Parts:
    """The runs of a plan, divided into parts of one size.

    Parameters
    ----------
    store : Store
    plan : Plan
    job : Job
    size : int
        Runs of a part; the last one may have fewer.
    """

    def __init__(self, store: Store, plan: Plan, job: Job, size: int) -> None:
        self._store, self._plan, self._job, self.size = store, plan, job, size
        self._loose = store.loose_runs()
        complete = store.parts()
        self.done = sum(complete.values()) + sum(runs.size for runs in self._loose.values())
        self.failed = len(store.failures())
        self._kept = {part: runs.size for part, runs in self._loose.items()}
        self._twins = self._all_twins(set(complete))
        self._missing = self._all_missing(set(complete))
        self._rows: dict[int, FloatArray] = {}

    def take(self) -> NDArray[np.int64] | None:
        """Return the missing runs of the next part; None when there are none left.

        Of missing runs that are equal only the first one is; `spread` gives its results to the others.
        """
        return next(self._missing, None)

    def rows(self, runs: NDArray[np.int64]) -> FloatArray:
        """Return the parameters of runs of one part."""
        first = int(runs[0]) // self.size * self.size
        if first not in self._rows:
            if len(self._rows) > 1:
                self._rows.pop(next(iter(self._rows)))
            self._rows[first] = self._plan.rows(first, min(first + self.size, self._plan.count))
        return self._rows[first][runs - first]

    def spread(self, results: Results) -> Iterator[Results]:
        """Yield results of runs of one part, and the same for the runs that are equal to them, a part at a time."""
        yield results
        pairs = [(place, twin) for place, run in enumerate(results.runs.tolist()) for twin in self._twins.pop(run, ())]
        for _, group in itertools.groupby(sorted(pairs, key=lambda pair: pair[1]), lambda pair: pair[1] // self.size):
            places, twins = map(list, zip(*group, strict=True))
            reasons = {
                twin: results.reasons[int(results.runs[place])]
                for place, twin in zip(places, twins, strict=True)
                if int(results.runs[place]) in results.reasons
            }
            runs = np.array(twins, dtype=np.int64)
            columns = results.status[places], results.metrics[places], results.trajectories[places]
            yield Results(runs, *columns, reasons)

    def add(self, results: Results) -> None:
        """Keep results of runs of one part; write the part when it is whole."""
        part = int(results.runs[0]) // self.size
        self.done += results.runs.size
        self.failed += int((results.status == FAILED).sum())
        count = self._kept.get(part, 0) + results.runs.size
        if count < self._runs_of(part).size:
            self._store.add(part, self._job, self.rows(results.runs), results)
            self._kept[part] = count
            return
        self._kept.pop(part, None)
        self._write(part, results)

    def _write(self, part: int, last: Results) -> None:
        runs = self._runs_of(part)
        whole = Results.empty(self._job, runs)
        for head, trajectories in self._store.loose(part):
            whole.put(head.results(self._job, trajectories))
        whole.put(last)
        hdf5.write_part(self._store, part, self._job, self._plan.rows(int(runs[0]), int(runs[-1]) + 1), whole)

    def _runs_of(self, part: int) -> NDArray[np.int64]:
        return np.arange(part * self.size, min((part + 1) * self.size, self._plan.count), dtype=np.int64)

    def _all_twins(self, complete: set[int]) -> dict[int, list[int]]:
        """Return the missing runs that are equal to a missing one before them, by that one."""
        first = self._plan.first_equal() if self._job.recipe.deterministic else None
        if first is None:
            return {}
        missing = np.ones(self._plan.count, dtype=bool)
        for part in complete:
            missing[self._runs_of(part)] = False
        for runs in self._loose.values():
            missing[runs] = False
        representatives: dict[int, int] = {}
        twins: dict[int, list[int]] = {}
        for run in np.flatnonzero(missing).tolist():
            representative = representatives.setdefault(int(first[run]), run)
            if representative != run:
                twins.setdefault(representative, []).append(run)
        return twins

    def _all_missing(self, complete: set[int]) -> Iterator[NDArray[np.int64]]:
        later = np.array(sorted(itertools.chain.from_iterable(self._twins.values())), dtype=np.int64)
        for part in range(-(-self._plan.count // self.size)):
            if part in complete:
                continue
            runs = self._runs_of(part)
            if part in self._loose:
                runs = runs[~np.isin(runs, self._loose.pop(part))]
            runs = runs[~np.isin(runs, later)] if later.size else runs
            if runs.size:
                yield runs
