"""What the history of an iteration says of its map: differences of iterates and of their residuals, factorised.

Differences are taken from the newest on, and one that lies almost in the space of those before it is left out (the QR2
filter of Haelterman et al. 2016). All is done in weighted elements, so that units do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trivium.model.contract import FloatArray

#: A difference is left out when what is new in it is less than this share of it.
_NEW = 1e-6
#: Share of a way that newer ones have not been.
_ELSEWHERE = 1e-3
#: Differences that are rounding, relative to what they are differences of.
_ROUNDING = 64.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Secants:
    """A linear model of the residual near the newest iterate.

    Attributes
    ----------
    step : FloatArray, shape (n,)
        Where the residual vanishes as far as the model explains it, from the newest iterate on.
    rest : FloatArray, shape (n,)
        The part of the residual that the model does not explain.
    amplification : float
        The greatest distance over residual of the directions that were explored; at least 1, infinite where a
        direction did not change the residual at all.
    residual : FloatArray, shape (n,)
        At the newest iterate.
    ways, changes : FloatArray, shape (n, m)
        Weighted differences of iterates that were used, and those of residuals.
    weights : FloatArray, shape (n,)
    """

    step: FloatArray
    rest: FloatArray
    amplification: float
    residual: FloatArray
    ways: FloatArray
    changes: FloatArray
    weights: FloatArray

    def residual_after(self, step: FloatArray) -> FloatArray:
        """Return the weighted residual that a step leads to; in directions that were not explored, that of G constant.

        Parameters
        ----------
        step : FloatArray, shape (n,)
            From the newest iterate on.
        """
        step = step * self.weights
        shares = np.linalg.lstsq(self.ways, step)[0] if self.ways.size else np.zeros(0)
        return self.residual * self.weights + self.changes @ shares - (step - self.ways @ shares)


def secants(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, depth: int) -> Secants:
    """Return the model from the last iterates.

    Parameters
    ----------
    xs, gs : sequence of FloatArray, shape (n,)
        Iterates and the map's values there, the newest last.
    weights : FloatArray, shape (n,)
        Positive.
    depth : int
        Most differences.
    """
    r = (gs[-1] - xs[-1]) * weights
    dx, dr = differences(xs, gs, weights, depth)
    noise = _ROUNDING * float(np.linalg.norm(xs[-1] * weights) + np.linalg.norm(gs[-1] * weights))
    lengths, sizes = np.linalg.norm(dx, axis=0), np.linalg.norm(dr, axis=0)
    real = sizes > noise
    q, upper, kept = filtered(dr[:, real], _NEW)
    dr = dr[:, real][:, kept]
    still = dx[:, ~real & (lengths > 1e3 * noise)]  # ways on which the residual did not change
    dx = dx[:, real][:, kept]
    amplification = 1.0
    if still.size:
        explored = filtered(dx, _NEW)[0]
        elsewhere = np.linalg.norm(still - explored @ (explored.T @ still), axis=0)
        if (elsewhere > _ELSEWHERE * np.linalg.norm(still, axis=0)).any():
            amplification = float("inf")
    if not kept:
        return Secants(np.zeros_like(r), r / weights, amplification, r / weights, dx, dr, weights)
    c = np.linalg.solve(upper, q.T @ r)
    inverse = np.linalg.solve(upper.T, dx.T)
    amplification = max(amplification, float(np.linalg.norm(inverse, 2)))
    step, rest = -(dx @ c) / weights, (r - q @ (q.T @ r)) / weights
    return Secants(step, rest, amplification, r / weights, dx, dr, weights)


def differences(
    xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, depth: int
) -> tuple[FloatArray, FloatArray]:
    """Return weighted differences of successive iterates and residuals, the newest first.

    Returns
    -------
    tuple of FloatArray, shape (n, m)
        m is at most ``depth`` and the number of differences.
    """
    count = min(depth, len(xs) - 1)
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
        if basis:
            rows = np.array(basis)
            for _ in range(2):  # once more for what rounding left
                shares = rows @ rest
                coefficients += shares
                rest = rest - shares @ rows
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
