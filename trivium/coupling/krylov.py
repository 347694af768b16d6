"""Newton-Krylov by SciPy as a function of the history: `scipy.optimize.newton_krylov` is played again each time.

SciPy's solver asks for residuals one after the other. It is given those that the history has, in their order, and
stopped at the first that it has not: that is the next iterate. What it does between two evaluations costs little beside
a model.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import NoConvergence, newton_krylov

from trivium.model.contract import FloatArray

#: Most steps of Newton, and of the linear solver within each.
_OUTER, _INNER = 50, 20
#: Distance of the differences that stand for derivatives, relative: models are not exact to the last bit.
_DISTANCE = 1e-5


class _NextError(Exception):
    """Ends the solver where a residual is not known."""

    def __init__(self, x: FloatArray) -> None:
        super().__init__("a residual is not known")
        self.x = x


def following(
    base: tuple[FloatArray, FloatArray], evaluated: Sequence[tuple[FloatArray, FloatArray | None]], weights: FloatArray
) -> FloatArray | None:
    """Return the next iterate; None where the solver has given up.

    Parameters
    ----------
    base : tuple of FloatArray, shape (n,)
        The iterate that it began with and the map's value there.
    evaluated : sequence of tuple of FloatArray, shape (n,)
        What it asked for since; no value where the map failed.
    weights : FloatArray, shape (n,)
        Positive, and the same for the whole of a run of the solver.
    """
    x0, g0 = base
    least = (g0 - x0) * weights
    residuals = iter([least, *(_residual(x, g, weights, least) for x, g in evaluated)])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            newton_krylov(
                lambda z: _next(residuals, z),
                x0 * weights,
                rdiff=_DISTANCE,
                maxiter=_OUTER,
                inner_maxiter=min(len(x0), _INNER),
                f_tol=np.finfo(np.float64).tiny,
            )
    except _NextError as asked:
        return asked.x / weights
    except (NoConvergence, ValueError, ArithmeticError, np.linalg.LinAlgError):
        return None
    return None


def _next(residuals: Iterator[FloatArray], z: FloatArray) -> FloatArray:
    for residual in residuals:
        return residual
    raise _NextError(np.array(z, dtype=np.float64))


def _residual(x: FloatArray, g: FloatArray | None, weights: FloatArray, least: FloatArray) -> FloatArray:
    """Return a weighted residual; where the map failed one that no step is taken to."""
    return 1e3 * np.abs(least) + 1.0 if g is None else (g - x) * weights
