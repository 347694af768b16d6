"""The value of a parameter at which a condition begins to hold, for every run of a study.

What is found is kept as the results of a sweep: a run for each point of the plan, with the value as a metric, so that
reports, maps, indices and selections are those of any study. All runs that were simulated for it are in ``search/``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study import hdf5
from trivium.study.drive import State
from trivium.study.job import DONE, FAILED, Job, Results
from trivium.study.metrics import exceeded
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.places import Places
from trivium.study.plan import Plan
from trivium.study.retry import forget_failed
from trivium.study.search.border import Borders, find_borders
from trivium.study.search.condition import Condition
from trivium.study.search.goals import COLUMNS, Find
from trivium.study.search.rounds import Rounds, Surroundings
from trivium.study.spec import Metric, Study

#: Where all runs are, in the folder of the results.
FOLDER = "search"
#: What the column ``outcome`` says.
FOUND, EVERYWHERE, NOWHERE, CENSORED = range(4)
#: What the distance to the condition is where it holds with nothing to spare: a border is never a plateau.
_TOUCHING = 1e-6


def run_find(study: Study, plan: Plan, job: Job, out: Path, around: Surroundings) -> State:
    """Find what a study seeks, or what is missing of it; parameters and errors as `trivium.study.study.run_study`."""
    assert study.find is not None  # noqa: S101 - the caller's
    answers = answers_of(job, study.find, plan)
    store = open_store(out.absolute(), plan, answers, study, around.say, deep=around.repair)
    try:
        if around.retry:
            forget_failed(store, plan, answers)
        parts = Parts(store, plan, answers)
        missing = parts.take_all()
        if missing.size:
            values = plan.parameters | study.searched
            with Rounds(out.absolute() / FOLDER, values, job, study, around) as rounds:
                _Search(study, plan, job, rounds).run(parts, store.places(), missing, answers)
                rounds.finish()
            hdf5.link(store, answers)
            store.compact()
        return State(plan.count, parts.done, parts.failed, 0, None)
    finally:
        store.close()


def answers_of(job: Job, find: Find, plan: Plan) -> Job:
    """Return the job whose results the answers are."""
    metrics: list[tuple[str, Metric]] = [(find.parameter, Metric(variable=str(find), method="output"))]
    metrics += [(name, Metric(variable=name, method="output")) for name in COLUMNS]
    return replace(job, parameters=plan.names, kept=(), metrics=(*metrics, *job.metrics), dtype="float64", quantum=0.0)


class _Search:
    """The borders of a study's condition.

    Parameters
    ----------
    study : Study
    plan : Plan
        Of the points.
    job : Job
        Of the runs.
    rounds : Rounds
    """

    def __init__(self, study: Study, plan: Plan, job: Job, rounds: Rounds) -> None:
        assert study.find is not None  # noqa: S101 - the caller's
        self._find, self._condition, self._rounds = study.find, study.find.condition, rounds
        self._points = plan.rows(0, plan.count)
        self._names = [name for name, _ in job.metrics]
        method = dict(job.metrics)[self._condition.metric].method
        simulation = study.simulation
        span = (0.0, 0.0) if simulation is None else (simulation.start_time, simulation.stop_time)
        #: whether a run without a value is beyond the condition for certain
        self._certain = exceeded(method, *span) >= self._condition.bound
        self._failed: dict[int, int] = {}
        self._say = rounds.say

    def run(self, parts: Parts, places: Places, missing: NDArray[np.int64], answers: Job) -> None:
        """Find the answers, and keep those of the missing places as they are settled."""
        low, high = self._find.between
        done = 0
        for borders, wave in find_borders(self._distance, self._points, low, high, self._find.width):
            settled = missing[np.isin(places.first_run(missing), wave)]
            for part in np.unique(settled // parts.size).tolist():
                some = settled[settled // parts.size == part]
                for results in parts.spread(self._results(borders, places.first_run(some), some, answers)):
                    parts.add(results)
            done += wave.size
            self._say(f"{done} of {len(self._points)} points are settled by {self._rounds.count} runs")

    def _evaluate(self, points: NDArray[Any], x: FloatArray) -> dict[str, FloatArray]:
        rows = np.column_stack([self._points[points], x])
        done = self._rounds.evaluate(rows)
        lost = done.status == FAILED
        self._failed.update(zip(points[lost].tolist(), done.runs[lost].tolist(), strict=True))
        return {**done.metrics, "failed": lost}

    def _distance(self, points: NDArray[np.intp], x: FloatArray) -> FloatArray:
        metrics = self._evaluate(points, x)
        return distance(self._condition, metrics[self._condition.metric], metrics["failed"] > 0)

    def _results(self, borders: Borders, runs: NDArray[np.int64], places: NDArray[np.int64], answers: Job) -> Results:
        """Return the answers of some points, which have these places in the results."""
        results = Results.empty(answers, places)
        inside, outside, found = borders.inside[runs], borders.outside[runs], borders.found[runs]
        one, other = np.where(found, inside, borders.low), np.where(found, outside, borders.high)
        failed = np.isnan(inside) & np.isnan(outside)
        at_one, at_other = self._evaluate(runs, one), self._evaluate(runs, other)
        value, beyond = at_one[self._condition.metric], at_other[self._condition.metric]
        if self._condition.sign == "=":  # the end that is nearer is the answer
            nearer = np.abs(self._condition.excess(beyond)) < np.abs(self._condition.excess(value))
            one, other = np.where(found & nearer, other, one), np.where(found & nearer, one, other)
            at_one = {name: np.where(found & nearer, at_other[name], each) for name, each in at_one.items()}
        hidden = np.where(found, np.isnan(value) | np.isnan(beyond), np.isnan(value) & np.isnan(beyond))
        outcome = np.select(
            [hidden & ~np.bool_(self._certain), found, np.isfinite(inside)], [CENSORED, FOUND, EVERYWHERE], NOWHERE
        )
        columns = [np.where(outcome == FOUND, one, np.nan), np.minimum(one, other), np.maximum(one, other), outcome]
        columns += [np.where(found, at_one[name], np.nan) for name in self._names]
        results.metrics[~failed] = np.column_stack(columns)[~failed]
        results.status[~failed] = DONE
        reasons = self._rounds.failures()
        for run, place in zip(runs[failed].tolist(), places[failed].tolist(), strict=True):
            at = self._failed[run]
            results.reasons = {**results.reasons, place: f"run {at} of the search failed: {reasons.get(at, '')}"}
        return results


def distance(condition: Condition, values: FloatArray, failed: NDArray[np.bool_]) -> FloatArray:
    """Return how far values are from a condition, as `trivium.study.search.border.Distance` has it."""
    excess = condition.excess(values)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isinf(excess), np.sign(excess), excess / (np.abs(excess) + (abs(condition.bound) or 1.0)))
    share[share == 0.0] = -_TOUCHING
    share[failed] = np.nan
    return share
