"""The time of a run that an FMU proposes."""

from __future__ import annotations

from dataclasses import dataclass


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
