"""The time of a run: steps of one length, an output point at both ends of each, and what an FMU proposes for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    def times(self) -> NDArray[np.float64]:
        """Times of the output points, shape (count + 1,)."""
        return self.start + self.step * np.arange(self.count + 1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class DefaultExperiment:
    """The experiment that an FMU proposes (FMI's ``DefaultExperiment``): hints, which bind nobody.

    Attributes
    ----------
    start, stop : float or None
        Start and stop time [s]; None where nothing is proposed.
    step : float or None
        Step size [s].
    tolerance : float or None
        Relative tolerance [1].
    """

    start: float | None = None
    stop: float | None = None
    step: float | None = None
    tolerance: float | None = None

    @property
    def duration(self) -> float:
        """Return how long it is [s]; 0 where it has no end."""
        return max(0.0, (self.stop or 0.0) - (self.start or 0.0))
