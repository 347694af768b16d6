"""Which runs are missing, and how results become parts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study import hdf5
from trivium.study.job import FAILED, PENDING, Job, Results
from trivium.study.plan import Plan
from trivium.study.store import Store


class Parts:
    """The runs of a plan, divided into parts of one size; a run is named by its place in the store.

    Parameters
    ----------
    store : Store
    plan : Plan
    job : Job

    Attributes
    ----------
    size : int
        Runs of a part; the last one may have fewer.
    """

    def __init__(self, store: Store, plan: Plan, job: Job) -> None:
        self._store, self._plan, self._job = store, plan, job
        self._places = store.places()
        self.size = self._places.size
        self._loose = store.loose_runs()
        complete = store.parts()
        self.done = sum(self._places.count_runs(self._places.in_part(part)) for part in complete)
        self.done += sum(self._places.count_runs(runs) for runs in self._loose.values())
        self.failed = self._places.count_runs(np.array(list(store.failures()), dtype=np.int64))
        self._kept = {part: self._places.in_use(runs).size for part, runs in self._loose.items()}
        self._rows: dict[int, FloatArray] = {}
        self._twins = self._all_twins(set(complete))
        self._missing = self._all_missing(set(complete))
        if self._places.grown:
            self._close(set(complete))

    def take(self) -> NDArray[np.int64] | None:
        """Return the missing runs of the next part; None when there are none left.

        Of missing runs that are equal only the first one is; `spread` gives its results to the others.
        """
        return next(self._missing, None)

    def take_all(self) -> NDArray[np.int64]:
        """Return all missing runs, as `take`."""
        return np.concatenate([np.empty(0, np.int64), *self._missing])

    def rows(self, runs: NDArray[np.int64]) -> FloatArray:
        """Return the parameters of runs of one part; nan of those that the study no longer has."""
        part = int(runs[0]) // self.size
        if part not in self._rows:
            if len(self._rows) > 1:
                self._rows.pop(next(iter(self._rows)))
            places = self._places.in_part(part)
            rows = np.full((places.size, len(self._plan.names)), np.nan)
            used = self._places.in_use(places)
            rows[used - places[0]] = self._plan.rows_of(self._places.first_run(used))
            self._rows[part] = rows
        return self._rows[part][runs - part * self.size]

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
        self.done += self._places.count_runs(results.runs)
        self.failed += self._places.count_runs(results.runs[results.status == FAILED])
        count = self._kept.get(part, 0) + results.runs.size
        if count < (self.size if self._plan.grows else self._places.in_use(self._places.in_part(part)).size):
            self._store.add(part, self._job, self.rows(results.runs), results)
            self._kept[part] = count
            return
        self._kept.pop(part, None)
        self._write(part, results)

    def finish(self) -> None:
        """Write the last part of a plan that has grown, which is as long as it is."""
        self._close(set(self._store.parts()))

    def _close(self, complete: set[int]) -> None:
        """Write the parts of which the study has no more runs than ended."""
        for part in sorted(self._kept.keys() - complete):
            if self._kept[part] == self._places.in_use(self._places.in_part(part)).size:
                self._kept.pop(part)
                self._write(part)

    def _write(self, part: int, last: Results | None = None) -> None:
        runs = self._places.in_part(part)
        whole = Results.empty(self._job, runs)
        whole.status[:] = PENDING  # remains where the study no longer has the run
        for head, trajectories in self._store.loose(part):
            whole.put(head.results(self._job, trajectories))
        if last is not None:
            whole.put(last)
        rows = self.rows(runs)
        ended, stored = self._store.rows(part, self._plan.names)
        rows[ended - runs[0]] = stored
        hdf5.write_part(self._store, part, self._job, rows, whole)

    def _all_twins(self, complete: set[int]) -> dict[int, list[int]]:
        """Return the missing runs that are equal to a missing one before them, by that one."""
        shared = self._places.grown or not self._job.recipe.deterministic  # grown: equal runs share a place
        first = None if shared else self._plan.first_equal()
        if first is None:
            return {}
        missing = np.ones(self._plan.count, dtype=bool)
        for part in complete:
            missing[self._places.in_part(part)] = False
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
        for part in range(-(-self._places.count // self.size)):
            if part in complete:
                continue
            runs = self._places.in_use(self._places.in_part(part))
            if part in self._loose:
                runs = runs[~np.isin(runs, self._loose.pop(part))]
            runs = runs[~np.isin(runs, later)] if later.size else runs
            if runs.size:
                yield runs
