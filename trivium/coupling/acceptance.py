"""When an iterate is a fixed point: by its estimated error, not by its residual.

The residual r = G(x) - x is small wherever an iteration moves slowly: x + 1 moves by 1 for ever, and near x = 10^10
that is nothing. What counts is the distance to the fixed point, e = (I - J)^-1 r, where J is the Jacobian of G; for one
unknown of slope rho that is r / (1 - rho). The run's own history samples J (`trivium.coupling.secants`): it explains a
part of the residual, and gives that part of e. Of the rest nothing is known but how much the explored directions are
amplified at most; it counts as much. How far the model can be trusted shows in its last predictions: where it was wrong
by a share s of the residual, the estimate is divided by (1 - s)^2. (At a double root s is 0.38 for ever, and this is
exact.)

One residual says nothing of rho, and a direction that hides in the rest shows only once it was gone. So an estimate is
confirmed by another one: the evaluation at the next iterate adds the direction of the rest to what is explored. Where
the rest is so small that even a slope of 0.99 in it would leave it within the tolerance, there is nothing to confirm,
and the evaluation at the iterate itself is enough; but only where the residual is a thousandth of the tolerance, or
residuals fell steadily until then, the last two on (geometric) average to the tolerance. Where they are noise, of
models that are less exact than the tolerance, one of them is small by chance now and then, and an estimate of the error
from steps that have become short says nothing; two in succession hardly ever are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trivium.coupling.residual import Part, element_weights, multiples
from trivium.coupling.secants import Secants, secants
from trivium.model.contract import FloatArray

#: Most differences that an error is estimated from.
COLUMNS = 100
#: Differences beside as many as there are unknowns: a direction that did not change the residual is not forgotten.
_BESIDE = 8
#: Amplification of what is not explored that needs no further evaluation: a slope of 0.99.
_HIDDEN = 100.0
#: An estimate confirms the next one up to this multiple of the tolerance.
_NEARLY = 2.0
#: Quotient of two residuals that shows that the step was right.
_SHRANK = 0.5
#: Residuals that must have shrunk so.
_FALLS = 2
#: A residual that is no noise, as a multiple of the tolerance.
_TINY = 1e-3
#: The largest surprise that is allowed for, and the surprise where nothing was predicted yet.
_SURPRISED, _UNKNOWN = 0.9, 0.3
#: Surprises that are remembered: one that was small by chance means nothing after large ones.
_REMEMBERED = 3


def errors(parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray]) -> FloatArray:
    """Return the estimated distance of the last iterate from the fixed point, element by element.

    Parameters
    ----------
    parts : sequence of Part
    xs, gs : sequence of FloatArray, shape (n,)
        All iterates and the map's values there, the newest last.

    Returns
    -------
    FloatArray, shape (n,)
        Infinite where nothing is known: after one evaluation, and where the residual did not change on the way.
    """
    return _estimate(parts, xs, gs)[0]


def is_accepted(parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray]) -> bool:
    """Return whether the last iterate is a fixed point within the tolerances, and an evaluation confirmed it."""
    if np.array_equal(xs[-1], gs[-1]):  # true unless it is rounding: the way here did not change the residual
        return len(xs) == 1 or bool(np.isfinite(_model(parts, xs, gs).amplification))
    if len(xs) < 3:
        return False
    residual = _worst(parts, xs[-1], gs[-1], gs[-1] - xs[-1])
    if residual > 1.0:
        return False
    error, pessimistic = _estimate(parts, xs, gs)
    if _worst(parts, xs[-1], gs[-1], error) > 1.0:
        return False
    before = [_worst(parts, x, g, g - x) for x, g in zip(xs[:-1], gs[:-1], strict=True)]
    steady = _falls([*before, residual]) and residual * before[-1] <= 1.0
    if (steady or residual <= _TINY) and _worst(parts, xs[-1], gs[-1], pessimistic) <= 1.0:
        return True
    return max(before[-1], _worst(parts, xs[-2], gs[-2], _estimate(parts, xs[:-1], gs[:-1])[0])) <= _NEARLY


def _falls(residuals: Sequence[float]) -> bool:
    """Return whether each of the last residuals was half of all before it: noise is small only by chance."""
    return all(
        residuals[end] <= _SHRANK * min(residuals[:end])
        for end in range(max(1, len(residuals) - _FALLS), len(residuals))
    )


def _estimate(
    parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the estimated errors, and what they would be if what is not explored had a slope of 0.99."""
    residual = gs[-1] - xs[-1]
    nothing = np.where(residual == 0.0, 0.0, np.inf)
    if len(xs) < 2:
        return nothing, nothing
    model = _model(parts, xs, gs)
    explained, rest = np.abs(model.step), np.abs(model.rest)
    surprise = max(_surprise(parts, xs[: len(xs) - i], gs[: len(gs) - i]) for i in range(_REMEMBERED))
    allowance = 1.0 / (1.0 - min(surprise, _SURPRISED)) ** 2
    with np.errstate(invalid="ignore"):
        error, pessimistic = (
            allowance * (explained + np.where(rest == 0.0, 0.0, rest * factor))
            for factor in (model.amplification, max(model.amplification, _HIDDEN))
        )
    return error, pessimistic


def _surprise(parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray]) -> float:
    """Return how wrong the last residual was predicted, as a share of the one before."""
    if len(xs) < 3:
        return _UNKNOWN
    before = _model(parts, xs[:-1], gs[:-1])
    wrong = (gs[-1] - xs[-1]) * before.weights - before.residual_after(xs[-1] - xs[-2])
    size = float(np.linalg.norm(before.residual * before.weights))
    return float(np.linalg.norm(wrong)) / size if size > 0.0 else 0.0


def _model(parts: Sequence[Part], xs: Sequence[FloatArray], gs: Sequence[FloatArray]) -> Secants:
    count = min(len(xs[-1]) + _BESIDE, COLUMNS)
    recent = slice(-count - 1, None)
    return secants(xs, gs, element_weights(parts, np.array([*xs[recent], *gs[recent]])), count)


def _worst(parts: Sequence[Part], x: FloatArray, g: FloatArray, distance: FloatArray) -> float:
    return float(multiples(parts, x, g, distance).max(initial=0.0))
