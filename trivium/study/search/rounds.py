"""Rounds of runs: a search asks for metrics of some parameters, and the engine of a study evaluates them.

All runs are kept in the form of a sweep's results, and a run is known by its parameters. So a search that was
interrupted begins anew, is given what was evaluated before without a run, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from trivium.engine import Engine, ThisProcess
from trivium.experiment.conditions import Strategy
from trivium.model.contract import FloatArray
from trivium.study.cache import Cache
from trivium.study.chunk import free
from trivium.study.drive import Drive, State
from trivium.study.index import Index
from trivium.study.job import PENDING, Job
from trivium.study.opening import open_store
from trivium.study.packing import column_name
from trivium.study.retry import forget_failed, reopen
from trivium.study.search.rows import Rows
from trivium.study.spec import Study
from trivium.study.values import Values
from trivium.study.where import Where, starter, unlimited


@dataclass(frozen=True)
class Round:
    """What came of some rows.

    Attributes
    ----------
    runs : array of int64, shape (k,)
        Which run each row is.
    status : array of int8, shape (k,)
    metrics : Mapping[str, FloatArray]
        By name, shape (k,); NaN where a run failed, or has no value.
    """

    runs: NDArray[np.int64]
    status: NDArray[np.int8]
    metrics: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Surroundings:
    """What a search is given by the caller; see `trivium.study.study.run_study`."""

    places: Where
    cache: Cache | None
    on_progress: Callable[[State], None]
    say: Callable[[str], None]
    repair: bool = False
    retry: bool = False


class SharedEngine:
    """One engine for several searches of one model; how instances of it are reused is decided once."""

    def __init__(self) -> None:
        self._started: tuple[Engine | ThisProcess, Strategy] | None = None

    def start(
        self, start: Callable[[], tuple[Engine | ThisProcess, Strategy]]
    ) -> tuple[Engine | ThisProcess, Strategy]:
        """Return the engine, which this makes at the first call."""
        if self._started is None:
            self._started = start()
        return self._started

    def __enter__(self) -> SharedEngine:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._started is not None:
            self._started[0].close()


class Rounds:
    """Evaluates rows of parameters, a round at a time.

    Parameters
    ----------
    folder : Path
        Of the results of all runs.
    parameters : Mapping[str, Values]
        What the columns of rows may be.
    job : Job
    study : Study
    around : Surroundings
    shared : SharedEngine, optional
        Where several searches go on at a time.

    Raises
    ------
    ConflictError
        When the folder holds something else.
    StorageError
    """

    def __init__(
        self,
        folder: Path,
        parameters: Mapping[str, Values],
        job: Job,
        study: Study,
        around: Surroundings,
        shared: SharedEngine | None = None,
    ) -> None:
        self.folder = folder
        self._plan, self._job, self._study, self._around = Rows(parameters), job, study, around
        self._store = open_store(folder, self._plan, job, study, around.say, deep=around.repair)
        try:
            self._plan.add(self._store.proposed(len(self._plan.names)))
            if around.retry:
                around.say(f"{forget_failed(self._store, self._plan, job)} failed runs run again")
            self._drive = Drive(
                self._plan,
                unlimited(job, around.places),
                self._store,
                around.cache,
                around.on_progress,
                lent=shared is not None,
            )
        except BaseException:
            self._store.close()
            raise
        self.say = around.say
        start = starter(self._plan, job, study, around.places, around.cache, around.say)
        self._start = start if shared is None else partial(shared.start, start)

    @property
    def count(self) -> int:
        """Number of all runs."""
        return self._plan.count

    def evaluate(self, rows: FloatArray) -> Round:
        """Return what comes of some rows, shape (k, n_parameters); those that ran before do not run again.

        Raises
        ------
        EngineError
            When the engine is gone. What came back is kept.
        """
        first = self._plan.count
        runs = self._plan.add(rows)
        if self._plan.count > first:
            self._reopen_last(first)
            self._store.propose(first, self._plan.rows(first, self._plan.count))
            self._drive.grow()
        self._drive.advance(self._start, self._study.max_concurrent)
        index = Index(self.folder)
        try:
            status = index.column("status", PENDING)[runs]
            names = [name for name, _ in self._job.metrics]
            return Round(
                runs, status, {name: index.column(column_name("metrics", name), np.nan)[runs] for name in names}
            )
        finally:
            index.close()

    @property
    def state(self) -> State:
        """Where the runs stand."""
        return self._drive.state

    def failures(self) -> dict[int, str]:
        """Return why runs failed."""
        return self._store.failures()

    def finish(self) -> None:
        """Write all that is kept into files that other tools read."""
        self._drive.finish()

    def __enter__(self) -> Rounds:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        try:
            self._drive.close()
        finally:
            self._store.close()
            if self._around.places.workers == 0:
                free()

    def _reopen_last(self, first: int) -> None:
        """Make the last part a part again that is not whole, if a search that ended wrote it shorter than others."""
        size = int(self._store.about()["runs_per_part"])
        part = (first - 1) // size
        if self._store.parts().get(part, size) < size:
            reopen(self._store, self._plan, self._job, part, failed=True)
