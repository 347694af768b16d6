"""Where a study runs: on which engine, and how it reuses instances of the FMU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trivium.engine import Engine, ThisProcess, cores, prefork
from trivium.experiment.conditions import STRATEGIES, Conditions, Strategy
from trivium.model.contract import FloatArray
from trivium.settings import Settings
from trivium.study import selftest
from trivium.study.cache import Cache
from trivium.study.job import Job
from trivium.study.plan import Plan
from trivium.study.spec import Study

#: What each strategy does, for people.
_STRATEGIES: Mapping[Strategy, str] = {
    "reset": "an instance of the FMU is used for many runs and reset between them",
    "restore": "an instance of the FMU is used for many runs, and its first state restored between them",
    "fresh": "each run gets a new instance of the FMU",
    "isolated": "each run gets a process of its own, because the FMU cannot be initialized twice in one",
}
#: What processes that run chunks import.
_NEEDED = ("trivium.study.task", "trivium.experiment.preload")


def warm_up() -> None:
    """Start the process that those which run chunks on this machine are forked from, and do not wait for it."""
    prefork(*_NEEDED)


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
        warm_up()
        rows = np.concatenate([plan.rows(0, 1), plan.rows(plan.count - 1, plan.count)])
        strategy = choose_strategy(job, rows, cache, say)
        workers = places.workers
        if study.max_concurrent is not None:
            workers = min(workers or cores(), study.max_concurrent)
        scratch = study.paths.scratch_dir
        folder = None if scratch is None else str(scratch)
        return Engine(places.scheduler, workers, folder, wait=places.wait), strategy

    return start


def choose_strategy(job: Job, rows: FloatArray, cache: Cache | None, say: Callable[[str], None]) -> Strategy:
    """Return how instances are reused: as found out before, or by trying runs with these parameters."""
    if job.strategy == "isolated":
        say(_STRATEGIES["isolated"])
    if job.strategy == "isolated" or not (isinstance(job.recipe, Conditions) and job.recipe.native):
        return job.strategy  # whatever else is evaluated begins anew by itself
    earlier = cache.strategy(job.identity()) if cache is not None else None
    for strategy in STRATEGIES:
        if earlier == strategy:
            return strategy
    say("trying how an instance of the FMU can be used for many runs")
    choice = selftest.choose(job, rows)
    refused = "".join(f"; {name} does not work: {why}" for name, why in choice.reasons.items())
    say(f"{_STRATEGIES[choice.strategy]}{refused}")
    if cache is not None and choice.decided:
        cache.set_strategy(job.identity(), choice.strategy)
    return choice.strategy
