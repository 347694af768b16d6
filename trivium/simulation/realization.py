"""States that explain how outputs respond to pulses of inputs: the eigensystem realization algorithm.

J.-N. Juang and R. S. Pappa, An eigensystem realization algorithm for modal parameter identification and model
reduction, Journal of Guidance, Control, and Dynamics 8 (1985), 620-627.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trivium.model.contract import FloatArray

#: Singular values below this part of the largest one are noise, and no states.
NOISE = 1e-4


class Realization(NamedTuple):
    """A linear system in steps: x[k+1] = a x[k] + b u[k], y[k] = c x[k] + d u[k].

    Attributes
    ----------
    a, b, c, d : FloatArray
        Shapes (n, n), (n, m), (p, n), (p, m).
    misfit : float
        Largest difference between its responses and those that it was made from, as a share of the largest response of
        the output [1].
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray
    misfit: float


def realize(responses: FloatArray, inputs: FloatArray, outputs: FloatArray) -> Realization:
    """Return a system of few states with given responses; the first states matter most.

    Parameters
    ----------
    responses : FloatArray, shape (k, p, m)
        Outputs at the ends of steps after a pulse of an input over the first one.
    inputs, outputs : FloatArray, shape (m,), (p,)
        Scales: how large a change of each is large.
    """
    count, p, m = responses.shape
    scaled = responses * inputs / outputs[:, np.newaxis]
    rows = count // 2
    columns = count - 1 - rows
    direct = responses[0]
    if not columns or not p or not m:
        return Realization(np.empty((0, 0)), np.empty((0, m)), np.empty((p, 0)), direct, _misfit(scaled[1:], scaled))
    hankel, shifted = (_hankel(scaled[first:], rows, columns) for first in (1, 2))
    left, sizes, right = np.linalg.svd(hankel, full_matrices=False)
    n = int(np.sum(sizes > max(NOISE * sizes[0], np.finfo(np.float64).tiny)))
    root = np.sqrt(sizes[:n])
    left, right = left[:, :n], right[:n]
    a = (left / root).T @ shifted @ (right.T / root)
    b, c = (root[:, np.newaxis] * right)[:, :m], (left * root)[:p]
    missed = np.array([scaled[k] - c @ np.linalg.matrix_power(a, k - 1) @ b for k in range(1, count)])
    return Realization(a, b / inputs, c * outputs[:, np.newaxis], direct, _misfit(missed, scaled))


def _hankel(responses: FloatArray, rows: int, columns: int) -> FloatArray:
    return np.block([[responses[i + j] for j in range(columns)] for i in range(rows)])


def _misfit(missed: FloatArray, scaled: FloatArray) -> float:
    largest = np.abs(scaled).max(axis=(0, 2), initial=0.0)
    errors = np.abs(missed).max(axis=(0, 2), initial=0.0)
    shares = np.divide(errors, largest, out=np.zeros_like(errors), where=largest > 0.0)
    return float(shares.max(initial=0.0))
