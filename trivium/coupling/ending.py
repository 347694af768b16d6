"""The state of an iteration and its outcome, derived from its history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from trivium.coupling.acceleration import sizes
from trivium.coupling.residual import Part, element_weights
from trivium.coupling.secants import differences, filtered, secants
from trivium.model.contract import FloatArray

#: Residuals that the contraction rate is averaged over.
_RATE = 4
#: The residual has not shrunk when its best is not below this share of its best before.
_PROGRESS = 0.999
#: Growth of the residual over its least that is divergence: at once, and when it grew in every one of the last steps.
_EXPLODED, _GROWN, _STEPS = 1e6, 10.0, 5
#: Share of the first residual below which residuals that cancel each other are taken for noise.
_NOISE = 1e-3
#: Residuals that are rounding, relative to the magnitude of their variable.
_ROUNDING = 1e-12
#: Residuals of one size: the greatest over the least.
_EVEN = 5.0
#: Share of the magnitude of iterates that is far; share of a residual that is nothing to speak of.
_FAR, _EXPLAINED = 0.5, 0.01
#: Residuals cancel each other when their sum is less than this share of the sum of their norms.
_CANCELLED = 0.5
#: An iterate that goes straight gets this share of its way's length from where it began.
_STRAIGHT = 0.7
#: Steps over which a fixed point recedes.
_WINDOW = 8
#: Columns that the spectral radius is estimated from, and the share that must be new in each.
_COLUMNS, _NEW = 8, 1e-6


class Ending(StrEnum):
    """How an iteration ended."""

    CONVERGED = "converged"
    DRIFTING = "drifting"
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
    Drifting
        The same where residuals have one direction and one size, and the fixed point that they point to recedes.
    Stalled
        The same otherwise; also where residuals cancel, but are a thousandth of the first: models are not more exact.

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
    residuals = [(g - x) * weights for x, g in zip(xs[-patience:], gs[-patience:], strict=True)]
    recent = norms[-patience:]
    if norms[-1] <= _ROUNDING * np.sqrt(len(weights)):
        return Ending.STALLED
    if recent.max() < _EVEN * recent.min() and _have_one_direction(residuals):
        return Ending.DRIFTING if _recedes(xs, gs, weights, patience) else Ending.STALLED
    return Ending.OSCILLATING if _cancel(residuals) and norms.min() > _NOISE * norms[0] else Ending.STALLED


def drifts(parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray], count: int = _WINDOW) -> bool:
    """Return whether iterates run after a fixed point that recedes: as with sqrt(x^2 + 1), whose residual shrinks.

    Over the last steps they went straight and far, along a residual of one direction that all other differences
    explain, so that they should have arrived; and the fixed point that they point to moved at least half as far.
    """
    if len(xs) < count + 3:
        return False
    scale = element_weights(parts, np.array([*xs[-count - 1 :], *gs[-count - 1 :]]))
    steps = np.diff(np.array(xs[-count - 1 :]), axis=0) * scale
    residuals = [(g - x) * scale for x, g in zip(xs[-count:], gs[-count:], strict=True)]
    return (
        float(np.linalg.norm(steps.sum(axis=0))) >= _FAR * float(np.linalg.norm(xs[-1] * scale))
        and _is_straight(steps)
        and _have_one_direction(residuals)
        and (len(xs) >= len(scale) + count + 3 or all(_is_explained(xs[:end], gs[:end], scale) for end in _last(xs)))
        and _recedes(xs, gs, scale, count)
    )


def _last(xs: Sequence[FloatArray]) -> range:
    return range(len(xs) - 2, len(xs) + 1)


def _is_explained(xs: Sequence[FloatArray], gs: Sequence[FloatArray], scale: FloatArray) -> bool:
    """Return whether nothing to speak of is left of the residual that earlier differences do not explain."""
    rest = secants(xs, gs, scale, _COLUMNS).rest * scale
    return float(np.linalg.norm(rest)) <= _EXPLAINED * float(np.linalg.norm((gs[-1] - xs[-1]) * scale))


def _recedes(xs: Sequence[FloatArray], gs: Sequence[FloatArray], scale: FloatArray, count: int) -> bool:
    """Return whether the fixed point that iterates point to moved at least half as far as they did, or is nowhere."""
    begin = max(min(len(scale), _COLUMNS) + 2, len(xs) - count)  # from where on a model is whole
    last = secants(xs, gs, scale, _COLUMNS)
    if not np.isfinite(last.amplification):
        return True
    if begin >= len(xs):
        return False
    first = secants(xs[:begin], gs[:begin], scale, _COLUMNS)
    way = xs[-1] - xs[begin - 1]
    moved = way + last.step + last.rest - first.step - first.rest
    return float(np.linalg.norm(moved * scale)) >= 0.5 * float(np.linalg.norm(way * scale))


def _have_one_direction(residuals: Sequence[FloatArray]) -> bool:
    return _is_straight([r / (float(np.linalg.norm(r)) or 1.0) for r in residuals])


def _is_straight(steps: Sequence[FloatArray] | FloatArray) -> bool:
    steps = np.asarray(steps)
    return float(np.linalg.norm(steps.sum(axis=0))) > _STRAIGHT * float(np.linalg.norm(steps, axis=1).sum())


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


def _cancel(residuals: Sequence[FloatArray]) -> bool:
    total = sum(float(np.linalg.norm(r)) for r in residuals)
    return float(np.linalg.norm(np.sum(residuals, axis=0))) < _CANCELLED * total
