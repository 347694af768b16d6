"""The state of an iteration and its outcome, derived from its history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from trivium.coupling.acceleration import differences, filtered, sizes
from trivium.model.contract import FloatArray

#: Residuals that the contraction rate is averaged over.
_RATE = 4
#: The residual has not shrunk when its best is not below this share of its best before.
_PROGRESS = 0.999
#: Growth of the residual over its least that is divergence: at once, and when it grew in every one of the last steps.
_EXPLODED, _GROWN, _STEPS = 1e6, 10.0, 5
#: Residuals cancel each other when their sum is less than this share of the sum of their norms.
_CANCELLED = 0.5
#: Columns that the spectral radius is estimated from, and the share that must be new in each.
_COLUMNS, _NEW = 8, 1e-6


class Ending(StrEnum):
    """How an iteration ended."""

    CONVERGED = "converged"
    STALLED = "stalled"
    OSCILLATING = "oscillating"
    DIVERGED = "diverged"
    OUT_OF_ITERATIONS = "out of iterations"
    FAILED = "component failed"


def hopeless(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, patience: int) -> Ending | None:
    """Return the outcome of an iteration that cannot converge, judged by its iterates.

    Diverged
        The residual is no finite number, a million times its least, or has grown five times in a row and is ten times
        its least or has not been below that for ``patience`` iterations.
    Oscillating
        The best residual of the last ``patience`` iterates is not better than that before, and their residuals cancel
        each other: the iterates go round.
    Stalled
        The same where residuals point the same way.

    Parameters
    ----------
    xs, gs : sequence of FloatArray, shape (n,)
    weights : FloatArray, shape (n,)
    patience : int
    """
    norms = sizes(xs, gs, weights)
    if not np.isfinite(norms[-1]):
        return Ending.DIVERGED
    least = float(norms.min())
    last = norms[-_STEPS - 1 :]
    growing = len(last) > _STEPS and bool((np.diff(last) > 0).all())
    if norms[-1] > _EXPLODED * least or (growing and norms[-1] > _GROWN * least):
        return Ending.DIVERGED
    if len(norms) <= patience or norms[-patience:].min() <= _PROGRESS * norms[:-patience].min():
        return None
    if growing:
        return Ending.DIVERGED
    return Ending.OSCILLATING if _cancel(xs[-patience:], gs[-patience:], weights) else Ending.STALLED


def exhausted(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray) -> Ending:
    """Return how iterates end that may not be continued: diverged where the residual grew over the last of them."""
    norms = sizes(xs, gs, weights)
    grew = len(norms) > _STEPS and bool((np.diff(norms[-_STEPS - 1 :]) > 0).all())
    return Ending.DIVERGED if grew else Ending.OUT_OF_ITERATIONS


def contraction_rate(norms: Sequence[float] | FloatArray) -> float | None:
    """Return the mean factor of the last residuals from one iterate to the next; None where there is none.

    Parameters
    ----------
    norms : sequence of float
        As of `trivium.coupling.acceleration.sizes`.
    """
    count = min(_RATE, len(norms) - 1)
    if count < 1 or not norms[-count - 1] > 0.0 or not math.isfinite(norms[-1]):
        return None
    return math.pow(norms[-1] / norms[-count - 1], 1.0 / count)


def remaining(excess: float, rate: float | None) -> int | None:
    """Return how many more iterations the rate predicts; None where it leads nowhere.

    Parameters
    ----------
    excess : float
        How many times the tolerance the residual is.
    rate : float or None
        As of `contraction_rate`.
    """
    if excess <= 1.0:
        return 0
    if rate is None or rate >= 1.0 or not math.isfinite(excess):
        return None
    return 1 if rate == 0.0 else max(1, math.ceil(math.log(excess) / -math.log(rate)))


def spectral_radius(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray) -> float | None:
    """Estimate the spectral radius of the map's Jacobian, whatever the method of the iteration.

    The Jacobian is projected onto the space of the last steps (Rayleigh-Ritz). Below 1 the plain iteration converges.
    """
    if len(xs) < 2 or not len(weights):
        return None
    dx, dr = differences(xs, gs, weights, _COLUMNS)
    with np.errstate(all="ignore"):
        q, upper, columns = filtered(dx, _NEW)
        if not columns or not np.isfinite(upper).all() or not np.isfinite(dr).all():
            return None
        projected = np.linalg.solve(upper.T, (q.T @ (dx + dr)[:, columns]).T).T
        return float(np.abs(np.linalg.eigvals(projected)).max()) if np.isfinite(projected).all() else None


def _cancel(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray) -> bool:
    residuals = [(g - x) * weights for x, g in zip(xs, gs, strict=True)]
    total = sum(float(np.linalg.norm(r)) for r in residuals)
    return float(np.linalg.norm(np.sum(residuals, axis=0))) < _CANCELLED * total
