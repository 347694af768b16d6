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

`trivium.coupling.course` decides when one of them is left for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from trivium.coupling.secants import differences, secants
from trivium.model.contract import FloatArray

Name = Literal["constant", "aitken", "anderson", "iqn-ils", "newton-krylov"]
#: How far the mixing backs off, of alpha.
_LEAST_MIXING = 1.0 / 16.0
#: Bounds of Aitken's factor, of either sign.
_AITKEN = (0.01, 20.0)
#: Most differences where the method does not say.
_DEEPEST = 60


@dataclass(frozen=True)
class Method:
    """How iterates are made.

    Attributes
    ----------
    name : {"constant", "aitken", "anderson", "iqn-ils", "newton-krylov"}
    alpha : float
        In (0, 1]; see the module's table.
    depth : int, optional
        Most differences of Anderson and IQN-ILS; default: as many as there are unknowns, at most 60.
    """

    name: Name = "anderson"
    alpha: float = 1.0
    depth: int | None = None

    def depth_of(self, n: int) -> int:
        """Return how many differences are used at most for so many unknowns."""
        return min(n, _DEEPEST) if self.depth is None else self.depth


def following(
    method: Method, xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray
) -> tuple[FloatArray, float]:
    """Return the next iterate.

    Parameters
    ----------
    method : Method
        All but Newton-Krylov, of which see `trivium.coupling.krylov`.
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
    model = secants(xs, gs, weights, method.depth_of(len(x)))
    return x + model.step + mixing * model.rest, mixing


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


def _aitken(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weights: FloatArray, alpha: float) -> float:
    dx, dr = (column[:, 0] for column in differences(xs, gs, weights, 1))
    denominator = float(dr @ dr)
    if denominator == 0.0:
        return alpha
    factor = -float(dx @ dr) / denominator
    return float(np.copysign(np.clip(abs(factor), *_AITKEN), factor))
