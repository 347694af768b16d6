"""The time of a run: steps of one length with an output point at both ends, divided into communication steps."""

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
    divisions : int
        Communication steps in a step: what the model takes at a time.
    """

    start: float
    step: float
    count: int
    tolerance: float | None = None
    divisions: int = 1

    @property
    def communication_step(self) -> float:
        """Length of what the model takes at a time, in its unit of time."""
        return self.step / self.divisions

    @property
    def times(self) -> FloatArray:
        """Times of the output points, shape (count + 1,)."""
        return np.array(Clock(self.start, self.step).times(self.count))
