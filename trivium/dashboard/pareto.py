"""Which runs no other run beats in two objectives at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray


def pareto_front(first: FloatArray, second: FloatArray, *, smaller: tuple[bool, bool]) -> NDArray[np.intp]:
    """Return the Pareto front of two objectives.

    A run is on it if no other run is at least as good in both objectives and better in one.

    Parameters
    ----------
    first, second : FloatArray, shape (n,)
        A run without a value (nan) in one of them is not on the front.
    smaller : tuple of bool
        For each objective: whether smaller values are better.

    Returns
    -------
    array of int
        Places, from the best in the first objective to the best in the second. Of runs that are equal in both, all.
    """
    costs = [values if small else -values for values, small in zip((first, second), smaller, strict=True)]
    places = np.flatnonzero(np.isfinite(costs[0]) & np.isfinite(costs[1]))
    a, b = costs[0][places], costs[1][places]
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    if not a.size:
        return places
    best = np.minimum.accumulate(b)
    beaten_by_earlier = np.concatenate(([False], b[1:] >= best[:-1]))
    new = np.concatenate(([True], (np.diff(a) != 0) | (np.diff(b) != 0)))  # the first of equal ones
    on_front = (~beaten_by_earlier & new)[np.maximum.accumulate(np.where(new, np.arange(a.size), 0))]
    front: NDArray[np.intp] = places[order[on_front]]
    return front
