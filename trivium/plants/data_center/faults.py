"""The faults of the data centre: what causes they have, how large they are, and laws by which they are drawn.

Kinds after published sets of faults: those of a water-cooled chiller, with 12 to 45 % of the condenser's tubes plugged
(Comstock and Braun, ASHRAE research project 1043, 1999), and those of building systems, with biased sensors, stuck
valves and fouled exchangers (Granderson et al., Scientific Data 7, 65, 2020; 10, 342, 2023). The sizes of all but the
condenser's are chosen, so that the least can hardly be noticed and the largest still lets the plant serve.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from trivium.evaluation.faults import Fault

DAY, HOUR = 86400.0, 3600.0
#: Where no fault is.
HEALTHY = "none"


class Cause(NamedTuple):
    """A cause of faults.

    Attributes
    ----------
    name : str
    kind : str
        Of `trivium.evaluation.faults` or `trivium.control.instruments`.
    signals : tuple of str
        One is drawn.
    least, most : float
        Bounds of the size [unit of the signal].
    days : tuple of float
        Bounds of how long it lasts in a year of a member [d].
    signed : bool
        Whether the size may have either sign.
    """

    name: str
    kind: str
    signals: tuple[str, ...]
    least: float
    most: float
    days: tuple[float, float]
    signed: bool = False


_WORN, _SENSORS = (14.0, 42.0), (3.0, 14.0)
#: Causes by name, in the order of their numbers from 1 on, which never change within a version of the tasks.
CAUSES: Mapping[str, Cause] = {
    cause.name: cause
    for cause in (
        Cause("fouled_condenser", "condition", ("kCon",), 0.55, 0.88, _WORN),
        Cause("fouled_tower", "condition", ("kTow",), 0.5, 0.8, _WORN),
        Cause("fouled_economizer", "condition", ("kEco",), 0.4, 0.7, _WORN),
        Cause("worn_chilled_water_pumps", "condition", ("kPumChiWat",), 0.6, 0.85, _WORN),
        Cause("worn_condenser_water_pumps", "condition", ("kPumConWat",), 0.6, 0.85, _WORN),
        Cause("tripped_chiller", "condition", tuple(f"kChi{unit}" for unit in (1, 2, 3, 4)), 0.0, 0.0, (0.1, 1.0)),
        Cause("stuck_economizer_valve", "stuck", ("yValEco",), 0.0, 1.0, _SENSORS),
        Cause("biased_supply_sensor", "bias", ("TChiWatSup",), 1.0, 3.0, _SENSORS, signed=True),
        Cause("drifting_supply_sensor", "drift", ("TChiWatSup",), 2.0, 4.0, _SENSORS, signed=True),
        Cause("frozen_condenser_sensor", "freeze", ("TConWatSup",), 0.0, 0.0, _SENSORS),
    )
}
#: Labels: 0 is healthy, then the causes.
LABELS = (HEALTHY, *CAUSES)
#: Set points of the signals that local loops control.
LOOPS: Mapping[str, str] = {
    "TChiWatSup": "TChiWatSupSet",
    "TSupAir1": "TSupAirSet1",
    "TSupAir2": "TSupAirSet2",
    "TLiqSup": "TLiqSupSet",
}


def draw(cause: Cause, start: float, end: float, random: np.random.Generator) -> Fault:
    """Draw a fault of a cause, between two times [s]."""
    signal = cause.signals[int(random.integers(len(cause.signals)))]
    size = float(np.round(random.uniform(cause.least, cause.most), 3))
    return Fault(cause.kind, signal, start, end, -size if cause.signed and random.random() < 0.5 else size)


def draw_episode(start: float, step: float, random: np.random.Generator) -> tuple[str, list[Fault]]:
    """Draw what happens in an episode of a day: one time in five nothing, else one fault, from a time on that is drawn.

    Parameters
    ----------
    start : float
        When the episode begins [s].
    step : float
        The fault begins with a control step [s].
    random : Generator

    Returns
    -------
    name : str
        Its cause, or ``none``.
    faults : list of Fault
    """
    name = LABELS[0] if random.random() < 0.2 else list(CAUSES)[int(random.integers(len(CAUSES)))]
    begin = start + step * round(float(random.uniform(6 * HOUR, 14 * HOUR)) / step)
    return name, [] if name == HEALTHY else [draw(CAUSES[name], begin, start + DAY, random)]


def draw_year(seed: int, days: int = 365) -> list[Fault]:
    """Draw the faults of a plant in a year, one after the other; heat transfer and pumps wear slowly, chillers trip.

    Parameters
    ----------
    seed : int
        Not negative.
    days : int
        Length of the year [d].

    Returns
    -------
    list of Fault
        Kinds of a scenario (`trivium.evaluation.faults`), on whole hours.
    """
    random = np.random.default_rng((seed, 4))
    causes = [cause for cause in CAUSES.values() if cause.kind == "condition"]
    faults: list[Fault] = []
    time = DAY * int(random.integers(7, 21))
    while time < DAY * days:
        cause = causes[int(random.integers(len(causes)))]
        end = min(time + HOUR * round(24 * float(random.uniform(*cause.days))), DAY * days)
        drawn = draw(cause, time, end, random)
        faults.append(drawn if cause.most == 0.0 else Fault("wear", drawn.signal, time, end, drawn.size))
        time = end + HOUR * int(random.integers(24 * 3, 24 * 15))
    return faults


def cause_of(fault: Fault) -> str:
    """Return the cause of a fault in the plant or at one of its instruments."""
    kind = "condition" if fault.kind == "wear" else fault.kind
    return next(name for name, cause in CAUSES.items() if cause.kind == kind and fault.signal in cause.signals)
