"""Trajectories as whole multiples of a quantum, delta coded along time.

With a quantum of twice the absolute error, the nearest multiple is never further away than that error. Differences of
neighbours are small where a trajectory is smooth, and compress well. Sums of differences are exact: whole numbers of 32
bits wrap around in both directions alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.model.contract import FloatArray


def encode(values: FloatArray, quantum: float) -> NDArray[np.int32]:
    """Return differences of multiples; the first one is the first multiple itself.

    Parameters
    ----------
    values : FloatArray, shape (n_times, n)
    quantum : float

    Raises
    ------
    ModelError
        When a value is beyond 2**31 quanta.
    """
    multiples = np.rint(values / quantum)
    limit = np.iinfo(np.int32)
    if multiples.size and not (limit.min <= multiples.min() and multiples.max() <= limit.max):
        raise ModelError(f"a value is beyond 2**31 times the quantum {quantum:g}; output.absolute_error is too small")
    integers = multiples.astype(np.int32)
    coded = integers.copy()
    coded[1:] -= integers[:-1]
    return coded


def decode(coded: NDArray[np.int32], quantum: float, axis: int) -> FloatArray:
    """Return the values of differences along an axis."""
    return np.cumsum(coded, axis=axis, dtype=np.int32).astype(np.float64) * quantum
