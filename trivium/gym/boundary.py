"""Boundary data now and ahead, asked from the plant a block at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.protocol import Simulation

#: Most control steps that are asked at once.
BLOCK = 2016


class Forecast(NamedTuple):
    """The boundary data ahead that an agent observes.

    Attributes
    ----------
    point_names : sequence of str
    horizon : float
        How far ahead [s].
    interval : float
        Between two values [s], a multiple of the control step.
    """

    point_names: Sequence[str]
    horizon: float
    interval: float

    @property
    def values(self) -> int:
        """Number of values of each point: now is an observation of its own, so the first is an interval ahead."""
        return int(self.horizon / self.interval + 1e-9)


class Boundary:
    """Boundary data along an episode.

    Parameters
    ----------
    plant : Simulation
    names : sequence of str
        Points that are needed, now or ahead.
    step : float
        Control step [s].
    length : int
        Control steps of an episode.
    forecast : Forecast or None
    uncertain : bool
        Whether the plant's forecasts have an error, which makes them another at every time. What is present is then
        measured, where the plant records it: a sensor knows nothing of the error of a forecast.

    Raises
    ------
    InvalidValueError
        When the forecast is not of whole control steps.
    """

    def __init__(
        self,
        plant: Simulation,
        names: Sequence[str],
        step: float,
        length: int,
        forecast: Forecast | None,
        *,
        uncertain: bool,
    ) -> None:
        self._plant, self._names, self._step = plant, list(names), step
        self._apart = self._count = 0
        if forecast is not None:
            self._apart, self._count = round(forecast.interval / step), forecast.values
            if self._apart < 1 or abs(self._apart * step - forecast.interval) > 1e-6 or self._count < 1:
                raise InvalidValueError(
                    f"Invalid value {forecast.interval} for parameter forecast. Its interval must be a multiple of the "
                    f"control step of {step} s, and its horizon at least that.",
                    "forecast",
                )
        self._block = 1 if uncertain else min(length + 1, BLOCK)
        recorded = plant.variables if uncertain else {}
        self._measured = [name for name in self._names if name in recorded]
        self._time0, self._rows = 0.0, 0
        self._values: dict[str, NDArray[np.float64]] = {}
        self._sensed: dict[str, float] = {}
        self._at = 0

    def move(self, time: float) -> None:
        """Go to a time [s]; the plant stands there."""
        if not self._names:
            return
        at = round((time - self._time0) / self._step)
        aligned = abs(self._time0 + at * self._step - time) < 1e-6 * self._step
        if self._block == 1 or not aligned or not 0 <= at < self._rows:
            reach = self._block - 1 + self._apart * self._count
            columns = self._plant.forecast(self._names, reach * self._step, self._step)
            self._values = {name: columns[name] for name in self._names}
            self._time0, self._rows, at = time, self._block, 0
        self._at = at
        if self._measured:
            last = self._plant.results(self._measured, time, time)
            self._sensed = {name: float(last[name][-1]) for name in self._measured}

    def present(self) -> Mapping[str, float]:
        """Return the values of the coming step by name; those that are measured are of the step before."""
        ahead = {name: float(values[min(self._at, values.size - 1)]) for name, values in self._values.items()}
        return {**ahead, **self._sensed}

    def ahead(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the values ahead, point by point; beyond the end of the data the last holds."""
        rows = self._at + self._apart * np.arange(1, self._count + 1)
        parts = [self._values[name][np.minimum(rows, self._values[name].size - 1)] for name in names]
        return np.concatenate(parts) if parts else np.empty(0)
