"""The load of each chiller, estimated from the measurements.

The chilled water flow and inlet temperature of a chiller are no outputs of the plant, so both are inferred: the total
flow is shared evenly by the chillers that run, and the inlet is read where the water comes from. The surrogate of the
chillers' power is asked with these figures, so its training uses this very function.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Number of chiller trains of the plant.
TRAINS = 6
#: Specific heat capacity of water [J/(kg K)].
CP_WATER = 4186.0
#: A switch or valve counts as on or open above this value [1].
OPEN = 0.5


class ChillerLoad(NamedTuple):
    """What each running chiller has to do, one entry a running chiller.

    Attributes
    ----------
    unit : NDArray[np.int64], shape (n,)
        Number of the chiller, 1 to 6.
    load : FloatArray, shape (n,)
        Heat taken from the chilled water [W], never negative.
    t_chw_leaving : FloatArray, shape (n,)
        Temperature of the chilled water leaving the chiller [K].
    t_cw_entering : FloatArray, shape (n,)
        Temperature of the condenser water entering the chiller [K].
    """

    unit: NDArray[np.int64]
    load: FloatArray
    t_chw_leaving: FloatArray
    t_cw_entering: FloatArray


def chiller_load(
    *,
    on: FloatArray,
    chw3: FloatArray,
    cw3: FloatArray,
    mchw: float,
    tchw_r: float,
    tchws_chi: FloatArray,
    tchws_hex: FloatArray,
    tcw_supply: float,
    tcwr_hex: FloatArray,
) -> ChillerLoad:
    """Estimate the load of the running chillers from the measurements.

    ``load_i = m_i cp (Tin_i - Tchws_CHIi)`` with ``m_i = Mchw / n`` for n running chillers. In partial mode (valve
    ``CHI0i_CHW3`` open) the heat exchanger pre-cools, so the chiller's inlet is ``Tchws_HEXi``, otherwise it is
    ``Tchw_r``. Likewise the condenser water comes from the heat exchanger, ``Tcwr_HEXi``, where ``CHI0i_CW3`` is open,
    otherwise from the towers, ``Tcw_supply``.

    Parameters
    ----------
    on, chw3, cw3 : FloatArray, shape (6,)
        Inputs ``CHI0i``, ``CHI0i_CHW3`` and ``CHI0i_CW3`` of the coming sub-step [1].
    mchw, tchw_r : float
        Chilled water flow [kg/s] and return temperature [K], the disturbances of the coming sub-step.
    tchws_chi, tchws_hex : FloatArray, shape (6,)
        Chilled water temperatures leaving the chillers and the heat exchangers at the end of the previous sub-step [K].
    tcw_supply : float
        Condenser water supply temperature at the end of the previous sub-step [K].
    tcwr_hex : FloatArray, shape (6,)
        Condenser water temperatures leaving the heat exchangers at the end of the previous sub-step [K].

    Returns
    -------
    ChillerLoad
        One entry a running chiller; empty arrays when none runs.
    """
    running = np.flatnonzero(on > OPEN)
    if running.size == 0:
        empty = np.empty(0)
        return ChillerLoad(running + 1, empty, empty, empty)
    inlet = np.where(chw3[running] > OPEN, tchws_hex[running], tchw_r)
    leaving = tchws_chi[running]
    load = np.maximum(mchw / running.size * CP_WATER * (inlet - leaving), 0.0)
    entering = np.where(cw3[running] > OPEN, tcwr_hex[running], tcw_supply)
    return ChillerLoad(running + 1, load, leaving, entering)
