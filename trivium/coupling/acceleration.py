"""From the iterates so far to the next one: constant damping, Aitken, Anderson, IQN-ILS.

All are functions of the history, without a state of their own: a run that goes on from its record goes on exactly.
x is an iterate, G(x) the map's value there, r = G(x) - x the residual, k the newest iterate.

``constant``
    x + alpha r.
``aitken``
    x + w r, where w = -<dx, dr> / <dr, dr> from the last two iterates (Irons and Tuck 1969); alpha at first.
``anderson``
    x + b r - (dX + b dR) c, where the columns of dX and dR are differences of the last iterates and residuals and c
    minimises |r - dR c| (Anderson 1965; Walker and Ni 2011). The mixing b is alpha; it is halved each time that the
    residual grows and doubled back, up to alpha, each time that it shrinks.
``iqn-ils``
    The same with b = 1 but for the first step, which is damped by alpha (Degroote et al. 2009).

Columns are taken from the newest on, and one that lies almost in the space of those before it is left out (the QR2
filter of Haelterman et al. 2016). All is done in weighted elements, so that units do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from trivium.model.contract import FloatArray

Name = Literal["constant", "aitken", "anderson", "iqn-ils"]
#: How far the mixing backs off, of alpha.
_LEAST_MIXING = 1.0 / 16.0
#: Bounds of Aitken's factor, of either sign.
_AITKEN = (0.01, 20.0)


@dataclass(frozen=True)
class Method:
    """How iterates are made.

    Attributes
    ----------
    name : {"constant", "aitken", "anderson", "iqn-ils"}
    alpha : float
        In (0, 1]; see the module's table.
    depth : int
        Most columns of Anderson and IQN-ILS.
    filter : float
        A column is left out when what is new in it is less than this share of it.
    """

    name: Name = "anderson"
    alpha: float = 1.0
    depth: int = 5
    filter: float = 1e-6


def following(
    method: Method, xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray
) -> tuple[FloatArray, float]:
    """Return the next iterate.

    Parameters
    ----------
    method : Method
    xs, gs : sequence of FloatArray, shape (n,)
        All iterates so far and the map's values there, the newest last.
    weights : FloatArray, shape (n,)
        Positive.

    Returns
    -------
    tuple of FloatArray and float
        The iterate, and the factor of the residual in it (alpha, w or b).
    """
    x, r = xs[-1], gs[-1] - xs[-1]
    if method.name == "constant" or len(xs) == 1:
        return x + method.alpha * r, method.alpha
    if method.name == "aitken":
        factor = _aitken(xs, gs, weights, method.alpha)
        return x + factor * r, factor
    mixing = 1.0 if method.name == "iqn-ils" else mixing_of(method.alpha, sizes(xs, gs, weights))
    dx, dr = differences(xs, gs, weights, method.depth)
    q, upper, columns = filtered(dr, method.filter)
    c = np.linalg.solve(upper, q.T @ (r * weights)) if columns else np.zeros(0)
    step = mixing * r * weights - (dx[:, columns] + mixing * dr[:, columns]) @ c
    return x + step / weights, mixing


def sizes(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    """Return the weighted Euclidean norms of all residuals, shape (k,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array([np.linalg.norm((g - x) * weights) for x, g in zip(xs, gs, strict=True)])


def mixing_of(alpha: float, norms: Sequence[float] | FloatArray) -> float:
    """Return the mixing of Anderson after residuals of these norms, the oldest first."""
    mixing = alpha
    for before, after in pairwise(norms):
        mixing = max(mixing / 2, alpha * _LEAST_MIXING) if after > before else min(2 * mixing, alpha)
    return mixing


def differences(
    xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, depth: int
) -> tuple[FloatArray, FloatArray]:
    """Return weighted differences of successive iterates and residuals, the newest first.

    Returns
    -------
    tuple of FloatArray, shape (n, m)
        m is at most ``depth``, the number of differences and the number of elements.
    """
    count = min(depth, len(xs) - 1, len(weights))
    points = np.array(xs[-count - 1 :])[::-1] * weights
    residuals = (np.array(gs[-count - 1 :])[::-1] * weights) - points
    return (points[:-1] - points[1:]).T, (residuals[:-1] - residuals[1:]).T


def filtered(columns: FloatArray, least: float) -> tuple[FloatArray, FloatArray, list[int]]:
    """Factorise columns, without those that lie almost in the space of those before them.

    Parameters
    ----------
    columns : FloatArray, shape (n, m)
    least : float
        Share of a column that must be new.

    Returns
    -------
    tuple
        Q, shape (n, k), orthonormal; R, shape (k, k), upper triangular; which columns were kept: Q R are those.
    """
    basis: list[FloatArray] = []
    triangle: list[FloatArray] = []
    places: list[int] = []
    for place, column in enumerate(columns.T):
        rest, coefficients = column.copy(), np.zeros(len(basis))
        for _ in range(2):  # once more for what rounding left
            for i, direction in enumerate(basis):
                share = float(direction @ rest)
                coefficients[i] += share
                rest = rest - share * direction
        new, norm = float(np.linalg.norm(rest)), float(np.linalg.norm(column))
        if new <= least * norm or new == 0.0:
            continue
        basis.append(rest / new)
        triangle.append(np.append(coefficients, new))
        places.append(place)
    q = np.array(basis).T if basis else np.zeros((len(columns), 0))
    upper = np.zeros((len(places), len(places)))
    for i, coefficients in enumerate(triangle):
        upper[: i + 1, i] = coefficients
    return q, upper, places


def _aitken(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, alpha: float) -> float:
    dx, dr = (column[:, 0] for column in differences(xs, gs, weights, 1))
    denominator = float(dr @ dr)
    if denominator == 0.0:
        return alpha
    factor = -float(dx @ dr) / denominator
    return float(np.copysign(np.clip(abs(factor), *_AITKEN), factor))
