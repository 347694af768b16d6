"""What a controller of the data centre must not do, as costs of a control step; 0 where nothing is violated.

The limits are those of ASHRAE TC 9.9 (Thermal Guidelines for Data Processing Environments, 5th edition, 2021): the
upper end of the recommended inlet temperature, class W40 for the liquid of cold plates, 20 K/h for the rate of change.
Evaporators need the 20 % of their nominal flow at which their flow switches stop them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: Warmest inlet air and liquid supply [K], and fastest change of the inlet air [K/h].
INLET, LIQUID, RATE = 300.15, 313.15, 20.0
#: Least flow of a running chiller's evaporator over the nominal one [1], which is this over the IT load that the plant
#: is built for [kg/(s W)]: 0.36 of it with a drop of 10 K.
LEAST_FLOW, NOMINAL_FLOW = 0.2, 0.36 / (4184.0 * 10.0)
_HALLS, _CHILLERS = (1, 2), (1, 2, 3, 4)
_HOUR, _KWH = 3600.0, 3.6e6


class Costs(NamedTuple):
    """Costs of a control step.

    Attributes
    ----------
    work : float
        Work that was refused because servers throttled or stopped [kWh].
    hall : float
        Inlet air above its limit, both halls together [K h].
    supply : float
        Liquid supply above its limit [K h].
    lock : float
        Commands to start or stop a chiller within its minimum off or on time [1].
    rate : float
        Change of the inlet air beyond what is allowed in the step, both halls together [K].
    flow : float
        Time of chillers that are commanded to run with too little water [h].
    """

    work: float
    hall: float
    supply: float
    lock: float
    rate: float
    flow: float


def costs(before: Mapping[str, float], after: Mapping[str, float], step: float, nominal: float) -> Costs:
    """Return the costs of a control step, with the values at its end.

    Parameters
    ----------
    before, after : Mapping[str, float]
        All measurements and inputs.
    step : float
        Length of the step [s].
    nominal : float
        IT load that the plant is built for [W].
    """
    hours = step / _HOUR
    changes = (abs(after[f"TInl{hall}"] - before[f"TInl{hall}"]) for hall in _HALLS)
    commanded = sum(after[f"uChi{unit}"] > 0.5 for unit in _CHILLERS)
    thirsty = after["mChiWat_flow"] < LEAST_FLOW * NOMINAL_FLOW * nominal * commanded
    switched = (f"{unit}" for unit in _CHILLERS if round(before[f"uChi{unit}"]) != round(after[f"uChi{unit}"]))
    return Costs(
        work=after["PItUns"] * step / _KWH,
        hall=sum(max(0.0, after[f"TInl{hall}"] - INLET) for hall in _HALLS) * hours,
        supply=max(0.0, after["TLiqSup"] - LIQUID) * hours,
        lock=float(sum(before[f"tLocChi{unit}"] > 0.0 for unit in switched)),
        rate=sum(max(0.0, change - RATE * hours) for change in changes),
        flow=commanded * hours if thirsty else 0.0,
    )
