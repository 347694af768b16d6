"""A study from its beginning, or from where it was interrupted, to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trivium.engine import Ended, Engine, ThisProcess
from trivium.errors import EngineError, TriviumError
from trivium.experiment.conditions import Strategy
from trivium.forks import LostError
from trivium.study import hdf5
from trivium.study.alone import too_long
from trivium.study.cache import Cache, keys_of
from trivium.study.job import DONE, Job, Results
from trivium.study.pace import Pace
from trivium.study.parts import Parts
from trivium.study.plan import Plan
from trivium.study.store import Store
from trivium.study.task import Chunk, key_of_chunk, key_of_run, task

#: Time that a chunk should take [s]: much longer than a task costs, short enough to lose.
CHUNK_SECONDS = 2.0
#: Most bytes of a chunk's trajectories.
_CHUNK_BYTES = 32 * 2**20
#: Chunks in flight a worker.
_WINDOW = 2
#: How often a chunk may be lost with its worker. Runs that kill their process do not kill the worker of the second try.
_LOSSES = 10
#: Time between two looks at whether the scheduler and the workers still are there, and how far chunks are [s].
_PATIENCE = 0.5
#: Least time between two looks of readers at new parts [s], also as a multiple of what making them readable takes.
_LINK, _LINK_COST = 60.0, 100.0
#: A run shorter than this is simulated faster than it is found in the cache [s].
_WORTH_KEEPING = 1e-3


@dataclass(frozen=True)
class State:
    """Where a study stands.

    Attributes
    ----------
    total, done, failed : int
        Runs of the plan; runs that ended, failed ones included.
    cached : int
        Those of them that were found in the cache since the start.
    rate : float or None
        Simulated runs a second; None while there is no estimate worth having.
    ahead : int
        Runs that ended in chunks that did not come back yet.
    stage : str
        What goes on before a run has ended, for people; empty afterwards.
    """

    total: int
    done: int
    failed: int
    cached: int
    rate: float | None
    ahead: int = 0
    stage: str = ""

    @property
    def eta(self) -> float | None:
        """Time until the end at this rate [s]; None where the rate is not known."""
        return (self.total - self.done - self.ahead) / self.rate if self.rate else None


class Drive:
    """Runs what is missing of a study.

    Parameters
    ----------
    plan : Plan
    job : Job
    store : Store
        Checked to be of this study.
    cache : Cache or None
    on_progress : callable
        Called with the `State` whenever something ended.
    lent : bool
        Whether the engine belongs to the caller.
    """

    def __init__(
        self,
        plan: Plan,
        job: Job,
        store: Store,
        cache: Cache | None,
        on_progress: Callable[[State], None],
        *,
        lent: bool = False,
    ) -> None:
        self._lent = lent
        self._plan, self._job, self._store, self._cache = plan, job, store, cache
        self._on_progress = on_progress
        self._identity = job.identity()
        self._parts = Parts(store, plan, job)
        self._engine: Engine | ThisProcess | None = None
        self._again: list[Chunk] = []
        self._unknown = np.empty(0, dtype=np.int64)
        self._number = 0
        self._ahead: dict[int, int] = {}
        self._per_run = 0.0
        self._cached = 0
        self._link_at = time.monotonic() + _LINK
        self._pace = Pace()
        self._workers = 1
        self._stage = ""

    def run(self, start: Callable[[], tuple[Engine | ThisProcess, Strategy]], limit: int | None) -> State:
        """Run all that is missing.

        Parameters
        ----------
        start : callable
            Makes the engine and chooses how instances are reused; not called where nothing needs to be simulated.
        limit : int or None
            Most chunks at a time.

        Raises
        ------
        EngineError
            When the engine is gone. What came back is kept.
        """
        try:
            self.advance(start, limit)
        finally:
            self.close()
        self._store.compact()
        return self.state

    def advance(self, start: Callable[[], tuple[Engine | ThisProcess, Strategy]], limit: int | None) -> None:
        """Run all that is missing, and keep the engine; parameters and errors as `run`."""
        if not (self._store.folder / "results.h5").exists():
            self._link()
        self._on_progress(self.state)
        while True:
            chunk = self._next(limit)
            if chunk is not None:
                if self._engine is None:
                    self._begin("starting the processes that run them")
                    self._engine, strategy = start()
                    self._job = self._job.with_strategy(strategy)
                    self._begin("loading the model")
                self._submit(self._engine, chunk)
                continue
            if self._engine is None or not self._engine.in_flight:
                return
            ended = self._engine.next(_PATIENCE)
            if ended is not None:
                self._take(self._engine, ended)
            else:
                self._look(self._engine)

    def grow(self) -> None:
        """Take up the runs that were added to the plan."""
        self._parts = Parts(self._store, self._plan, self._job)

    def finish(self) -> None:
        """Write the last part of a plan that has grown."""
        self._parts.finish()
        self._store.compact()

    def close(self) -> None:
        """End the engine, unless it is lent, and make what is there readable as one file."""
        if self._engine is not None and not self._lent:
            self._engine.close()
        self._link()

    @property
    def state(self) -> State:
        """Where the study stands."""
        # until a rate is measured: that of the runs alone, without the start of what runs them
        rate = self._pace.rate(self._workers) or (self._workers / self._per_run if self._per_run else None)
        ahead = sum(self._ahead.values())
        stage = "" if self._parts.done or ahead else self._stage
        return State(self._plan.count, self._parts.done, self._parts.failed, self._cached, rate, ahead, stage)

    def _begin(self, stage: str) -> None:
        self._stage = stage
        self._on_progress(self.state)

    def _next(self, limit: int | None) -> Chunk | None:
        """Return the next chunk for a worker, if there is room for one."""
        workers = self._workers = self._engine.workers if self._engine else 1
        room = min(_WINDOW * workers, limit or 2**31)
        while self._engine is None or self._engine.in_flight < room:
            if self._again:
                return self._again.pop()
            if not self._unknown.size:
                runs = self._parts.take()
                if runs is None:
                    return None
                self._unknown = self._without_known(runs)
                continue
            size = self._chunk_size(workers)
            batch, self._unknown = self._unknown[:size], self._unknown[size:]
            return Chunk(batch)
        return None

    def _chunk_size(self, workers: int) -> int:
        if not self._per_run:
            return 1
        size = CHUNK_SECONDS / self._per_run
        if self._job.bytes_of_run:
            size = min(size, _CHUNK_BYTES / self._job.bytes_of_run)
        left = self._plan.count - self._parts.done
        return max(1, min(int(size), self._parts.size, -(-left // (_WINDOW * workers))))

    def _without_known(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take results from the cache; return the runs that it does not know."""
        if self._cache is None or (self._per_run and self._per_run < _WORTH_KEEPING):
            return runs
        cached = Results.empty(self._job, runs)
        self._cache.find(self._job, keys_of(self._job, self._identity, self._parts.rows(runs)), cached)
        finished = cached.status == DONE
        if finished.any():
            self._cached += int(finished.sum())
            self._keep(_selected(cached, finished))
        left: NDArray[np.int64] = runs[~finished]
        return left

    def _submit(self, engine: Engine | ThisProcess, chunk: Chunk) -> None:
        chunk.number = self._number = self._number + 1
        self._ahead[chunk.number] = 0
        engine.submit(task, chunk, self._job, chunk, self._parts.rows(chunk.runs))

    def _look(self, engine: Engine | ThisProcess) -> None:
        """Show how far the chunks are."""
        for number in self._ahead:
            ended = engine.reported(key_of_chunk(number))
            if ended is not None:
                self._ahead[number] = ended
                self._stage = "the first are under way"
        self._on_progress(self.state)

    def _take(self, engine: Engine | ThisProcess, ended: Ended) -> None:
        chunk: Chunk = ended.item
        engine.reported(key_of_chunk(chunk.number))
        self._ahead.pop(chunk.number)
        if ended.lost or isinstance(ended.error, LostError):
            self._after_loss(chunk, [run for run in chunk.runs.tolist() if engine.reported(key_of_run(run))])
            return
        if ended.error is not None:
            if isinstance(ended.error, TriviumError):
                raise ended.error
            raise EngineError(f"a worker failed: {type(ended.error).__name__}: {ended.error}") from ended.error
        results: Results = ended.result
        each = results.seconds / results.runs.size
        self._pace.add(results.runs.size)
        self._per_run = each if not self._per_run else 0.7 * self._per_run + 0.3 * each
        if self._cache is not None and each >= _WORTH_KEEPING:
            keys = keys_of(self._job, self._identity, self._parts.rows(results.runs))
            self._cache.add(self._job, dict(zip(results.runs.tolist(), keys, strict=True)), results)
        self._keep(results)

    def _after_loss(self, chunk: Chunk, late: list[int]) -> None:
        """Have the runs of a chunk that was lost with its worker evaluated in processes of their own."""
        if late:
            self._keep(Results.failed(self._job, np.array(late, dtype=np.int64), too_long(self._job)))
        left = chunk.runs[~np.isin(chunk.runs, late)]
        if not left.size:
            return
        if chunk.losses == _LOSSES:
            first, last = int(left[0]), int(left[-1])
            raise EngineError(
                f"the workers of the runs {first} to {last} were lost {_LOSSES + 1} times; what ended is kept, and the "
                "same command goes on from there"
            )
        self._again.append(Chunk(left, losses=chunk.losses + 1))

    def _link(self) -> None:
        """Make what stands in whole parts readable as one file."""
        started = time.monotonic()
        hdf5.link(self._store, self._job)
        ended = time.monotonic()
        self._link_at = ended + max(_LINK, _LINK_COST * (ended - started))

    def _keep(self, results: Results) -> None:
        for each in self._parts.spread(results):
            self._parts.add(each)
        if time.monotonic() >= self._link_at:
            self._link()
        self._on_progress(self.state)


def _selected(results: Results, which: NDArray[np.bool_]) -> Results:
    return Results(results.runs[which], results.status[which], results.metrics[which], results.trajectories[which], {})
