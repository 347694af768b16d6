"""Trajectories as whole multiples of a quantum, delta coded along time.

With a quantum of twice the absolute error, the nearest multiple is never further away than that error. Differences of
neighbours are small where a trajectory is smooth, and compress well. Sums of differences are exact. A trajectory that
ends early has the difference `END` where it has no value any more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.model.contract import FloatArray

#: No difference of two multiples: the trajectory has no values from here on.
END = np.iinfo(np.int32).min
#: Greatest multiple of a quantum.
_MOST = 2**30 - 1


def encode(values: FloatArray, quantum: float) -> NDArray[np.int32]:
    """Return differences of multiples; the first one is the first multiple itself.

    Parameters
    ----------
    values : FloatArray, shape (n_times, n)
    quantum : float

    Raises
    ------
    ModelError
        When a value is beyond 2**30 quanta.
    """
    multiples = np.rint(values / quantum)
    if multiples.size and not np.abs(multiples).max() <= _MOST:
        raise ModelError(f"a value is beyond 2**30 times the quantum {quantum:g}; output.absolute_error is too small")
    integers = multiples.astype(np.int32)
    coded = integers.copy()
    coded[1:] -= integers[:-1]
    return coded


def decode(coded: NDArray[np.int32], quantum: float, axis: int) -> FloatArray:
    """Return the values of differences along an axis; NaN from the end on."""
    values = np.cumsum(coded, axis=axis, dtype=np.int32).astype(np.float64) * quantum
    ended = coded == END
    if ended.any():
        values[np.maximum.accumulate(ended, axis=axis)] = np.nan
    return values
