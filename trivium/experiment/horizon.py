"""The time of a run: steps of one length, and an output point at both ends of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trivium.model.contract import FloatArray
from trivium.simulation.times import Clock


@dataclass(frozen=True)
class Horizon:
    """The time of a run.

    Attributes
    ----------
    start, step : float
        In the model's unit of time.
    count : int
        Steps.
    tolerance : float or None
        Relative tolerance of the model [1]; None for its own.
    """

    start: float
    step: float
    count: int
    tolerance: float | None = None

    @property
    def times(self) -> FloatArray:
        """Times of the output points, shape (count + 1,)."""
        return np.array(Clock(self.start, self.step).times(self.count))
