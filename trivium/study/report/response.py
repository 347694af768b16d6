"""How a metric responds: against one parameter, and against two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray

#: Most different values of a parameter that stand for themselves; of more, groups of runs of about the same size.
_MOST_LEVELS = 40
_GROUPS = 20


@dataclass(frozen=True)
class Axis:
    """A parameter cut into levels.

    Attributes
    ----------
    levels : FloatArray, shape (n_levels,)
        Values; of groups their mean.
    code : array of int16, shape (k,)
        The level of every run.
    grouped : bool
        Whether levels are groups of values.
    texts : tuple of str
        What the levels of a text are.
    """

    levels: FloatArray
    code: NDArray[np.int16]
    grouped: bool
    texts: tuple[str, ...] = ()

    @property
    def labels(self) -> NDArray[Any]:
        """What the levels are called: their values, or the texts, shape (n_levels,)."""
        return np.array(self.texts) if self.texts else self.levels


@dataclass(frozen=True)
class Curve:
    """A metric against a parameter.

    Attributes
    ----------
    mean, low, high : FloatArray, shape (n_levels,)
        Over all runs of the level; the band is from the 10th to the 90th percentile.
    middle : FloatArray or None
        Mean over the runs whose other parameters have their middle values; None where these are too few.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    middle: FloatArray | None


def cut(values: FloatArray, texts: Sequence[str] = ()) -> Axis:
    """Return the levels of a parameter; of a text the values are places in the texts."""
    levels, code = np.unique(values, return_inverse=True)
    if levels.size <= _MOST_LEVELS or texts:
        labels = tuple(texts[int(level)] for level in levels) if texts else ()
        return Axis(levels, code.astype(np.int16), grouped=False, texts=labels)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _GROUPS + 1)[1:-1]))
    groups = np.searchsorted(edges, values, side="right").astype(np.int16)
    counts = np.bincount(groups, minlength=edges.size + 1)
    sums = np.bincount(groups, values, minlength=edges.size + 1)
    present = np.flatnonzero(counts)
    place = np.zeros(edges.size + 1, np.int16)
    place[present] = np.arange(present.size)
    return Axis(sums[present] / counts[present], place[groups], grouped=True)


def curve(axes: dict[str, Axis], name: str, metric: FloatArray) -> Curve:
    """Return a metric against a parameter.

    Parameters
    ----------
    axes : dict[str, Axis]
    name : str
        The parameter.
    metric : FloatArray, shape (k,)
        NaN counts as not there.
    """
    size = axes[name].levels.size
    finite = np.isfinite(metric)
    code, values = axes[name].code[finite], metric[finite]
    order = np.argsort(code, kind="stable")
    groups = np.split(values[order], np.cumsum(np.bincount(code, minlength=size))[:-1])
    figures = [(g.mean(), *np.quantile(g, [0.1, 0.9])) if g.size else (np.nan,) * 3 for g in groups]
    mean, low, high = np.array(figures).T
    return Curve(mean, low, high, _middle(axes, name, metric, finite))


def surface(first: Axis, second: Axis, metric: FloatArray) -> FloatArray:
    """Return the mean of a metric for each pair of levels, shape (n_second, n_first); NaN where there is no run."""
    shape = (second.levels.size, first.levels.size)
    finite = np.isfinite(metric)
    cell = second.code[finite].astype(np.int64) * shape[1] + first.code[finite]
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    sums = np.bincount(cell, metric[finite], minlength=counts.size)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = (sums / counts).reshape(shape)
    return mean


def _middle(axes: dict[str, Axis], name: str, metric: FloatArray, finite: NDArray[np.bool_]) -> FloatArray | None:
    """Return the response where all other parameters have their middle value; None unless every level has one."""
    rest = [axis for key, axis in axes.items() if key != name]
    if not rest or any(axis.grouped for axis in axes.values()):
        return None
    mask = finite.copy()
    for axis in rest:
        mask &= axis.code == (axis.levels.size - 1) // 2
    code = axes[name].code[mask]
    counts = np.bincount(code, minlength=axes[name].levels.size)
    if not counts.all():
        return None
    means: FloatArray = np.bincount(code, metric[mask], minlength=counts.size) / counts
    return means
