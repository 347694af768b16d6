"""Levels of difficulty of a task; each has what those before it have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all


@dataclass(frozen=True)
class Level:
    """A level.

    Attributes
    ----------
    name : str
    uncertainty : str or None
        Error of forecast temperatures (`trivium.evaluation.forecast_error`), with a seed that is drawn an episode.
    noise : Mapping[str, float]
        Standard deviation of the sensors' noise by the unit of a point.
    mismatch : Mapping[str, tuple of float]
        Parameters of the plant, each with the factors between which it is drawn an episode [1].
    faults : bool
        Whether an episode may have a fault; `trivium.plants.data_center.faults` has what is drawn.
    """

    name: str
    uncertainty: str | None = None
    noise: Mapping[str, float] = field(default_factory=dict)
    mismatch: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    faults: bool = False


#: Sensors: temperature 0.2 K (class A of IEC 60751), power 1 % of 1 MW, flows, pressures and others as usual in plants.
_NOISE = {"K": 0.2, "W": 5e3, "kg/s": 0.5, "Pa": 1e3}
#: How far plants of one design differ: chillers, pumps, coils, towers, halls.
_MISMATCH = {
    "chi.COPNom": (0.88, 1.05),
    "pumChi.eta": (0.9, 1.05),
    "pumCon.eta": (0.9, 1.05),
    "hal.ntuCoi": (0.85, 1.1),
    "tow.cMer": (0.8, 1.1),
    "eco.ntu": (0.8, 1.05),
    "hal.CSer": (0.8, 1.25),
    "pipCon.dp": (0.85, 1.3),
}
#: The levels by name, in order.
LEVELS = {
    level.name: level
    for level in (
        Level("perfect"),
        Level("forecast", "medium"),
        Level("noise", "medium", _NOISE),
        Level("mismatch", "medium", _NOISE, _MISMATCH),
        Level("faults", "medium", _NOISE, _MISMATCH, faults=True),
    )
}


def level(name: str) -> Level:
    """Return a level by its name.

    Raises
    ------
    InvalidValueError
        When there is none.
    """
    try:
        return LEVELS[name]
    except KeyError:
        raise InvalidValueError(f"there is no level {name!r}.{near_or_all(name, LEVELS)}", "level") from None


def drawn_plant(level: Level, nominal: Mapping[str, float], random: np.random.Generator) -> dict[str, float]:
    """Draw the parameters of a plant of a level.

    Parameters
    ----------
    level : Level
    nominal : Mapping[str, float]
        What the parameters of the level have without a mismatch.
    random : Generator
    """
    return {name: nominal[name] * float(random.uniform(*ends)) for name, ends in level.mismatch.items()}
