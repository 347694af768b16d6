"""What BOPTEST's routes ask beyond those of the reference: forecast, key figures, scenario.

A test case of this kind defines no scenario (no periods, no prices) and no key figures yet, so the answers have the
contract's shape and say so: null, never an invented number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adcc.core.boundary import Disturbances
from adcc.core.model import FloatArray
from adcc.core.numbers import parse_number, shown
from adcc.core.times import Clock
from adcc.errors import InvalidValueError

#: Parts of a scenario.
SCENARIO = ("electricity_price", "time_period", "temperature_uncertainty", "solar_uncertainty", "seed")
#: Core key figures of BOPTEST.
KPIS = (
    "cost_tot", "emis_tot", "ener_tot", "idis_tot", "pdih_tot", "pele_tot", "pgas_tot", "tdis_tot", "time_rat",
)  # fmt: skip
#: Most values of each point in a forecast.
MOST_POINTS = 200_000


def forecast(
    disturbances: Disturbances, now: float, point_names: Any, horizon: Any, interval: Any
) -> dict[str, FloatArray]:
    """Return the boundary data ahead.

    A value holds from its time on until the next of the data; what lies beyond the data is left out.

    Parameters
    ----------
    disturbances : Disturbances
    now : float
        Clock [s].
    point_names : sequence of str
    horizon : float, int or str
        How far ahead [s], not negative; both ends are in the answer.
    interval : float, int or str
        Between two values [s], positive.

    Returns
    -------
    dict[str, FloatArray]
        ``time`` and each point once.

    Raises
    ------
    InvalidValueError
        Naming the parameter and the rule.
    """
    ahead, apart = parse_number(horizon, "horizon"), parse_number(interval, "interval")
    if ahead < 0:
        raise InvalidValueError(f"Invalid value {ahead} for parameter horizon. Value must not be negative.", "horizon")
    if apart <= 0:
        raise InvalidValueError(f"Invalid value {apart} for parameter interval. Value must be positive.", "interval")
    if isinstance(point_names, str):
        point_names = [point_names]
    if not isinstance(point_names, Sequence):
        raise InvalidValueError(
            "Invalid value for parameter point_names. Value must be a list of names.", "point_names"
        )
    wrong = [shown(name) for name in point_names if name not in disturbances.names]
    if wrong:
        raise InvalidValueError(
            f"Invalid point name(s) {wrong} in parameter point_names.  Check list of available forecast points.",
            "point_names",
        )
    # a horizon is cut where the data ends, before anything is made of it
    last = min(now + ahead, float(disturbances.times[-1]))
    if last - now > apart * MOST_POINTS:
        raise InvalidValueError(
            f"Invalid value {apart} for parameter interval. The answer would have more than {MOST_POINTS} values of "
            f"each point.",
            "interval",
        )
    count = int((last - now) / apart + 1e-9) + 1 if last >= now else 0
    time = Clock(now, apart).times(count - 1) if count else []
    values = disturbances.at(time, last) if count else np.empty((0, len(disturbances.names)))
    columns = {name: values[:, disturbances.names.index(name)] for name in point_names}
    return {"time": np.array(time), **columns}


def scenario(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check a scenario that a client asks for; None asks for nothing.

    Raises
    ------
    InvalidValueError
        When it asks for something that this test case does not define.
    """
    for name, value in given.items():
        if name not in SCENARIO:
            raise InvalidValueError(f"Bad input for parameter {shown(name)}. Unknown parameter.", name)
        if value is None or (name.endswith("_uncertainty") and value == "none"):
            continue
        if name == "time_period":
            said = "but should be one of the following: []."
        elif name == "seed":
            said = "but this test case has nothing uncertain that it could be for."
        else:
            said = "but this test case does not define one."
        raise InvalidValueError(f"Scenario parameter {name} is {shown(value)}, {said}", name)
    return dict.fromkeys(SCENARIO)
