"""Which runs of a search are the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study.search.goals import Optimize

#: Stands for infinity where numbers are compared by others.
_VAST = 1e300


def excesses(goal: Optimize, metrics: Mapping[str, FloatArray]) -> FloatArray:
    """Return how far runs are beyond the conditions, shape (k, n_conditions): at most 0 where they hold."""
    columns = [condition.excess(metrics[condition.metric]) for condition in goal.conditions]
    size = len(metrics[next(iter(goal.objectives))])
    # where a metric has no value it is beyond every bound, by a number that the sampler can compare
    return np.clip(np.column_stack(columns), -_VAST, _VAST) if columns else np.empty((size, 0))


def best_of(goal: Optimize, metrics: Mapping[str, FloatArray]) -> NDArray[np.intp]:
    """Return the runs that meet all conditions and that no other such run is better than in every objective.

    Parameters
    ----------
    goal : Optimize
    metrics : Mapping[str, FloatArray]
        Of the runs, shape (k,); nan where a run has none.

    Returns
    -------
    array of int, shape (n,)
        Their numbers: of one objective the best run, of several those that make the front, by the first objective.
    """
    costs = np.column_stack([metrics[name] * (-1.0 if great else 1.0) for name, great in goal.objectives.items()])
    usable = np.isfinite(costs).all(axis=1) & (excesses(goal, metrics) <= 0.0).all(axis=1)
    runs = np.flatnonzero(usable)
    order = runs[np.lexsort(costs[runs].T[::-1])]
    front: list[int] = []
    for run in order.tolist():
        if not front or not (costs[front] <= costs[run]).all(axis=1).any():
            front.append(run)
    return np.array(front, dtype=np.intp)
