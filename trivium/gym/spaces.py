"""Bounds of points, and vectors of them as spaces of Gymnasium; nothing is ever infinite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.model.variable import Variable
from trivium.plants.cooling.agent import LIMITS


class Vector:
    """Points in a row as a box.

    Parameters
    ----------
    names : sequence of str
    low, high : sequence of float
        Bounds of each.
    normalise : bool
        Whether the box is [-1, 1] in every direction instead of the bounds.
    """

    def __init__(self, names: Sequence[str], low: Sequence[float], high: Sequence[float], *, normalise: bool) -> None:
        self.names = tuple(names)
        self.low, self.high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
        self._half, self._middle = (self.high - self.low) / 2.0, (self.high + self.low) / 2.0
        self._normalise = normalise
        if normalise:
            self.space = Box(-1.0, 1.0, (len(self.names),), np.float32)
        else:
            self.space = Box(self.low.astype(np.float32), self.high.astype(np.float32), dtype=np.float32)

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return values as an element of the box; those beyond their bounds are brought back to them."""
        if self._normalise:
            values = (values - self._middle) / self._half
        encoded: NDArray[np.float32] = np.clip(values.astype(np.float32), self.space.low, self.space.high)
        return encoded

    def decode(self, element: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the values that an element of the box stands for, within the bounds.

        Raises
        ------
        InvalidValueError
            When a number is none.
        """
        values = np.asarray(element, dtype=np.float64)
        if np.isnan(values).any():
            raise InvalidValueError(
                f"Invalid action: {self.names[int(np.isnan(values).argmax())]} is no number.", "action"
            )
        if self._normalise:
            values = self._middle + self._half * values
        within: NDArray[np.float64] = np.clip(values, self.low, self.high)
        return within


def bounds_of(
    points: Mapping[str, Variable], names: Sequence[str], bounds: Mapping[str, tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """Return the lower and the upper bounds of points.

    Parameters
    ----------
    points : Mapping[str, Variable]
    names : sequence of str
        Of the points that are wanted.
    bounds : Mapping[str, tuple of float]
        Bounds that take the place of the plant's.

    Raises
    ------
    InvalidValueError
        When a name is unknown, or a point has no bounds or none that are one.
    """
    names_ = []
    for name in names:
        if name not in points:
            raise InvalidValueError(f"There is no point {name}; there are {', '.join(points)}.", name)
        low, high = bounds.get(name) or _own_bounds(name, points[name])
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InvalidValueError(
                f"The point {name} has no finite bounds: give them, as in bounds={{{name!r}: (0.0, 1.0)}}.", name
            )
        names_.append((float(low), float(high)))
    return [low for low, _ in names_], [high for _, high in names_]


def _own_bounds(name: str, point: Variable) -> tuple[float, float]:
    low = -np.inf if point.minimum is None else point.minimum
    high = np.inf if point.maximum is None else point.maximum
    for pattern, least, most in LIMITS:
        if pattern.fullmatch(name):
            return max(low, least), min(high, most)
    return low, high
