"""The boundary data of a test case's year: what a run would meet, before it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import TriviumError
from trivium.evaluation.scenario import Period, Scenarios
from trivium.simulation.boundary import Disturbances
from trivium.simulation.resources import Resources


@dataclass(frozen=True)
class Year:
    """The boundary data of a test case.

    Attributes
    ----------
    times : array of shape (k,)
        [s]
    columns : Mapping[str, array of shape (k,)]
    periods : Mapping[str, Period]
        By name.
    """

    times: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]
    periods: Mapping[str, Period]

    def lows_and_highs(self, start: float, end: float) -> dict[str, tuple[float, float]]:
        """Return the least and greatest value of each column in a window [s]; columns without a value are left out."""
        inside = (self.times >= start) & (self.times <= end)
        if not inside.any():
            return {}
        return {name: (float(each[inside].min()), float(each[inside].max())) for name, each in self.columns.items()}


def year_of(resources: Resources) -> Year:
    """Return the year of a test case; empty where it has no boundary data of its own, or it cannot be read."""
    declared = {name: value for name, value in resources.scenario.items() if name != "faults"}
    try:
        boundary = None if resources.disturbances is None else _boundary(resources.disturbances, _stamp(resources))
        periods = Scenarios(declared, boundary, None).periods
    except (TriviumError, OSError):
        return Year(np.empty(0), {}, {})
    if boundary is None:
        return Year(np.empty(0), {}, periods)
    columns = {name: boundary.values[:, place] for place, name in enumerate(boundary.names)}
    return Year(boundary.times, columns, periods)


def _stamp(resources: Resources) -> Any:
    return resources.disturbances.stat().st_mtime_ns if resources.disturbances is not None else None


@lru_cache(maxsize=4)
def _boundary(path: Path, _: Any) -> Disturbances:
    return Disturbances.read(path)
