"""The runs that a page is about: all that are done, or as many as fit in memory, a column at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import copy
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study.job import DONE, FAILED
from trivium.study.read import SweepResults
from trivium.study.report.response import Axis, cut

#: Most runs whose parameters and metrics are looked at; of more, so many are drawn at random.
MOST_RUNS = 2_000_000
#: Most runs whose trajectories are read where a study has no metrics.
_MOST_READ = 2000
#: Most variables that metrics are made up of there.
_MOST_VARIABLES = 4
_SEED = 1


class Sample:
    """Runs that are done, and what is known of them.

    Parameters
    ----------
    results : SweepResults

    Attributes
    ----------
    runs : array of int, shape (k,)
        Their numbers, growing.
    done, failed, total : int
        Of the whole study.
    derived : bool
        Whether the study has no metrics, and final and least values of trajectories stand in for them.
    """

    def __init__(self, results: SweepResults) -> None:
        self._results = results
        status = results.status
        done = np.flatnonzero(status == DONE)
        self.total, self.done, self.failed = len(results), int(done.size), int((status == FAILED).sum())
        self.derived = not results.metrics
        limit = _MOST_READ if self.derived else MOST_RUNS
        # a beginning of Saltelli's or Morris' design is one too
        runs: NDArray[np.intp] = done[:limit] if results.sampling in ("saltelli", "morris") else drawn(done, limit)
        self.runs = results.readable(runs) if self.derived else runs

    @property
    def units(self) -> dict[str, str]:
        """Units of parameters and metrics, where they have one."""
        return self._results.units

    def within(self, ends: Mapping[str, tuple[float, float]]) -> Sample:
        """Return the runs whose parameters are within ends, where these have so many values that runs are grouped."""
        inside = np.ones(self.runs.size, dtype=bool)
        for name, (low, high) in ends.items():
            if name in self.axes and self.axes[name].grouped:
                values = self.parameters[name]
                inside &= (values >= low) & (values <= high)
        made = copy(self)
        made.runs = self.runs[inside]
        for name in ("parameters", "axes", "unserving", "_derived"):
            made.__dict__.pop(name, None)
        return made

    @property
    def whole(self) -> bool:
        """Whether all runs of the study are here."""
        return bool(self.runs.size == self.total)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return tuple(self._derived) if self.derived else self._results.metrics

    @cached_property
    def parameters(self) -> dict[str, FloatArray]:
        """Values of the parameters that vary, shape (k,)."""
        parameters = {name: self._column(name) for name in self._results.parameters}
        return {name: values for name, values in parameters.items() if values.size and np.ptp(values) > 0}

    @property
    def constants(self) -> dict[str, float | str]:
        """Parameters that are the same in all these runs."""
        names = [name for name in self._results.parameters if name not in self.parameters]
        return {name: self._results.values(name, self.runs[:1]).item() for name in names} if self.runs.size else {}

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """The parameters that vary, cut into levels."""
        return {name: cut(values, self._results.texts.get(name, ())) for name, values in self.parameters.items()}

    def metric(self, name: str) -> FloatArray:
        """Return a metric, shape (k,); NaN where a run has none."""
        return self._derived[name] if self.derived else self._column(name)

    @cached_property
    def unserving(self) -> NDArray[np.intp]:
        """Numbers of these runs that do not serve, where the study has that indicator among its metrics; growing."""
        names = [name for name, indicator in self._results.indicators.items() if indicator == "serves"]
        return self.runs[self.metric(names[0]) == 0.0] if names else self.runs[:0]

    def reasons(self) -> list[tuple[str, int, int]]:
        """Return why runs failed, the commonest first: reason, how many runs, one of them."""
        counts: Counter[str] = Counter()
        examples: dict[str, int] = {}
        for run, reason in self._results.each_failure():
            counts[reason] += 1
            examples.setdefault(reason, run)
        return [(reason, count, examples[reason]) for reason, count in counts.most_common()]

    @cached_property
    def _derived(self) -> dict[str, FloatArray]:
        names = self._results.variables[:_MOST_VARIABLES]
        columns = {f"{kind} of {name}": np.empty(self.runs.size) for name in names for kind in ("end", "minimum")}
        for name in names:
            for start in range(0, self.runs.size, 50):
                rows = self._results.trajectories(self.runs[start : start + 50], name)
                columns[f"end of {name}"][start : start + 50] = rows[:, -1]
                columns[f"minimum of {name}"][start : start + 50] = rows.min(axis=1)
        return columns

    def _column(self, name: str) -> FloatArray:
        return self._results.column(name, self.runs)


def drawn(runs: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """Return the runs, or so many of them, evenly likely and growing."""
    if runs.size <= limit:
        return runs
    rng = np.random.default_rng(_SEED)
    return np.sort(rng.choice(runs, limit, replace=False))
