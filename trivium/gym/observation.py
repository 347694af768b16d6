"""What an agent observes: points of the plant now, and boundary data ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trivium.gym.boundary import Boundary, Forecast
from trivium.gym.spaces import Vector, bounds_of
from trivium.protocol import Simulation


class Observer:
    """Makes observations.

    Parameters
    ----------
    plant : Simulation
    names : sequence of str or None
        Measurements, inputs and boundary signals; None for all measurements and the boundary
        signals that have bounds (prices have none).
    forecast : Forecast or None
        The boundary data ahead.
    given : Mapping[str, tuple of float]
        Bounds that take the place of the plant's.
    needed : sequence of str
        Boundary signals that somebody else needs.
    step : float
        Control step [s].
    length : int
        Control steps of an episode.
    uncertain : bool
        Whether the plant's forecasts have an error.
    normalise : bool

    Raises
    ------
    InvalidValueError
        When a name is unknown or has no bounds, or the forecast is not of whole control steps.
    """

    def __init__(
        self,
        plant: Simulation,
        names: Sequence[str] | None,
        forecast: Forecast | None,
        bounds: Mapping[str, tuple[float, float]],
        needed: Sequence[str],
        step: float,
        length: int,
        *,
        uncertain: bool,
        normalise: bool,
    ) -> None:
        measurements, signals = plant.measurements, plant.forecast_points
        values = {**measurements, **plant.inputs}
        bounded = [name for name, point in signals.items() if None not in (point.minimum, point.maximum)]
        self._names = [*measurements, *bounded] if names is None else list(names)
        low, high = bounds_of({**values, **signals}, self._names, bounds)
        labels: list[str] = []
        self._ahead: list[str] = []
        if forecast is not None:
            self._ahead = list(forecast.point_names)
            labels = [
                f"{name}+{k * forecast.interval:g}s" for name in self._ahead for k in range(1, forecast.values + 1)
            ]
            for ends, ahead in zip((low, high), bounds_of(signals, self._ahead, bounds), strict=True):
                ends.extend(np.repeat(ahead, forecast.values).tolist())
        #: The observation as a box.
        self.vector = Vector([*self._names, *labels], low, high, normalise=normalise)
        all_needed = [*(name for name in self._names if name not in values), *self._ahead, *needed]
        #: The boundary data along an episode.
        self.boundary = Boundary(plant, list(dict.fromkeys(all_needed)), step, length, forecast, uncertain=uncertain)

    def observe(self, values: Mapping[str, float]) -> NDArray[np.float32]:
        """Return the observation for measurements and inputs, where the boundary data stands."""
        signals = {**values, **self.boundary.present()}
        present = np.array([signals[name] for name in self._names])
        return self.vector.encode(np.concatenate((present, self.boundary.ahead(self._ahead))))
