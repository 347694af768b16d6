"""The head that the condenser water loop takes, from its own resistances.

``H = lift + (m / k_trains)^2 + (m / k_towers)^2``, with the flow coefficients of the open branches as the plant has
them (`workshop.cooling_plant`), trains and towers in parallel among themselves and in series with each other, and the
height to which the towers lift the water.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.parameters import PARAMETERS
from workshop.cooling_plant.pump import PASCAL_PER_METRE

FloatArray = NDArray[np.float64]

# : Height of the towers' distribution over their basins, and pressure of the spray nozzles [m]. It is the median of
# recorded : head less the resistances over the records of the reference plant with chillers alone, where resistances
# matter least.
STATIC_LIFT = 9.0
# : The most that the condenser water pumps can give, at full speed without flow [m]. A loop that wants more gets no
# flow.
HIGHEST = 50.9


@dataclass(frozen=True)
class Coefficients:
    """Flow coefficients of a train in each mode and of a tower [kg/(s.Pa^0.5)]."""

    free: float
    partial: float
    chiller: float
    tower: float


def coefficients() -> Coefficients:
    """Put the branches of the plant together, valves open, with its parameters as they start."""
    p = {parameter.name: parameter.start for parameter in PARAMETERS}

    def nominal(flow: str, drop: str) -> float:
        return float(hydraulics.nominal_coefficient(p[flow], p[drop]))

    valve = {n: nominal(f"train.m_flow_{n}", "train.dp_valve") for n in (1, 2, 3, 4)}
    plates = nominal("hex.m_flow", "hex.dp")
    condenser = nominal("chiller.m_flow", "chiller.dp")
    motor = nominal("tower.m_flow_valve", "tower.dp_valve")
    cell = float(hydraulics.series(motor, nominal("tower.m_flow", "tower.dp")))
    return Coefficients(
        free=float(hydraulics.series(valve[3], plates, valve[2])),
        partial=float(hydraulics.series(valve[3], plates, condenser, valve[4])),
        chiller=float(hydraulics.series(valve[1], condenser, valve[4])),
        tower=float(hydraulics.series(2.0 * cell, motor)),
    )


def required_head(chillers_on: FloatArray, hex_on: FloatArray, tower_cells: FloatArray, mcw: FloatArray) -> FloatArray:
    """Head of the loop [m].

    Trains that use both count as partial: with chillers and heat exchangers on, as many trains as possible have both in
    series, and what is left of either runs alone.

    Parameters
    ----------
    chillers_on, hex_on, tower_cells : ndarray
        Numbers in use [-]; cells are twice the towers.
    mcw : ndarray
        Flow, in thousands of kg/s.

    Returns
    -------
    ndarray
        At most `HIGHEST`, which stands for a loop that is closed.
    """
    k = coefficients()
    both = np.minimum(chillers_on, hex_on)
    trains = both * k.partial + (chillers_on - both) * k.chiller + (hex_on - both) * k.free
    towers = 0.5 * tower_cells * k.tower
    flow = 1000.0 * mcw
    with np.errstate(divide="ignore", invalid="ignore"):
        drop = (flow / trains) ** 2 + (flow / towers) ** 2
    open_loop = (trains > 0.0) & (towers > 0.0)
    return np.where(open_loop, np.minimum(STATIC_LIFT + drop / PASCAL_PER_METRE, HIGHEST), HIGHEST)
