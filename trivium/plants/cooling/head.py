"""The head that the condenser water pumps must give, the one input of the plant that the server computes.

``Mcw = (Mchw + P / (4200 (Tchw_r - Tchws_set_CHI))) / 1000`` [m3/s] is the condenser water flow that the reference's
law asks for, P being the chillers' power [W]; a surrogate model gives the head for it (AlphaDataCenterCooling, Applied
Energy 380 (2025) 125100). P comes from the surrogate of the chillers' power where the test case has one; otherwise it
is the power measured in the previous sub-step, 0 before the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError, ModelError, ResourcesError

FloatArray = NDArray[np.float64]

#: Number of chiller trains of the plant.
TRAINS = 6
#: Specific heat capacity of water [J/(kg K)].
CP_WATER = 4186.0
#: A switch or valve counts as on or open above this value [1].
OPEN = 0.5
#: Specific heat capacity of water as it stands in the reference's law [J/(kg K)].
CP_LAW = 4200.0


class HeadModel(Protocol):
    """Surrogate of the required head; see `trivium.plants.cooling.surrogate`."""

    def predict(self, chillers_on: float, hex_on: float, tower_cells: float, mcw: float) -> float:
        """Return the head [m]."""


class ChillerPowerModel(Protocol):
    """Surrogate of the chillers' power; see `trivium.plants.cooling.surrogate`."""

    def predict(
        self, unit: NDArray[np.int64], load: FloatArray, t_chw_leaving: FloatArray, t_cw_entering: FloatArray
    ) -> FloatArray:
        """Return the power of each chiller [W]."""


class RequiredHead:
    """Head_required from the inputs of a sub-step and the outputs of the previous one; a `Law` of the simulation.

    Parameters
    ----------
    inputs, outputs : sequence of str
        Names of the model's inputs and outputs, in the order of its arrays.
    head : HeadModel
    chiller_power : ChillerPowerModel or None

    Raises
    ------
    ResourcesError
        When the model lacks a variable that the laws need.
    """

    noun = "the required head"
    inputs = ("Head_required",)

    def __init__(
        self,
        inputs: Sequence[str],
        outputs: Sequence[str],
        head: HeadModel,
        chiller_power: ChillerPowerModel | None,
    ) -> None:
        self._head = head
        self._chiller_power = chiller_power
        at_input = {name: i for i, name in enumerate(inputs)}
        at_output = {name: i for i, name in enumerate(outputs)}
        trains = range(1, TRAINS + 1)

        def find(positions: Mapping[str, int], pattern: str) -> NDArray[np.intp]:
            return np.array([positions[pattern.format(i)] for i in trains], dtype=np.intp)

        try:
            self._on = find(at_input, "CHI0{}")
            self._chw3 = find(at_input, "CHI0{}_CHW3")
            self._cw3 = find(at_input, "CHI0{}_CW3")
            self._towers = find(at_input, "U_CT{}")
            self._mchw, self._tchw_r, self._set_point = (at_input[n] for n in ("Mchw", "Tchw_r", "Tchws_set_CHI"))
            self._power = find(at_output, "Pchi{}")
            self._tchws_chi = find(at_output, "Tchws_CHI{}")
            self._tchws_hex = find(at_output, "Tchws_HEX{}")
            self._tcwr_hex = find(at_output, "Tcwr_HEX{}")
            self._tcw_supply = at_output["Tcw_supply"]
        except KeyError as error:
            raise ResourcesError(f"the FMU has no variable {error.args[0]}, which the required head needs") from error

    @property
    def needs_a_step(self) -> bool:
        """Whether the chillers' power is the one measured in the previous sub-step, as in the reference."""
        return self._chiller_power is None

    def check(self, inputs: FloatArray) -> None:
        """Refuse inputs for which the law has no answer.

        Raises
        ------
        InvalidValueError
            When the chillers' set point equals the return temperature, a division by zero.
        """
        if inputs[self._tchw_r] == inputs[self._set_point]:
            value = float(inputs[self._set_point])
            raise InvalidValueError(
                f"Invalid value {value} for parameter Tchws_set_CHI. Value must not equal the return temperature "
                f"Tchw_r, which is {value} K in this step: the condenser water flow would be infinite.",
                "Tchws_set_CHI",
            )

    def __call__(self, inputs: FloatArray, outputs: FloatArray, *, stepped: bool) -> float:
        """Return the required head of the coming sub-step [m].

        Parameters
        ----------
        inputs : FloatArray, shape (n_inputs,)
            Inputs of the coming sub-step.
        outputs : FloatArray, shape (n_outputs,)
            Outputs at the end of the previous sub-step; before the first the initial observation.
        stepped : bool
            Whether there was a step since the initialization. A measured power counts as 0 before the first.

        Raises
        ------
        ModelError
            When the surrogates answer with something that is no finite number.
        """
        if self._chiller_power is None:
            power = float(outputs[self._power].sum()) if stepped else 0.0
        else:
            load = chiller_load(
                on=inputs[self._on],
                chw3=inputs[self._chw3],
                cw3=inputs[self._cw3],
                mchw=float(inputs[self._mchw]),
                tchw_r=float(inputs[self._tchw_r]),
                tchws_chi=outputs[self._tchws_chi],
                tchws_hex=outputs[self._tchws_hex],
                tcw_supply=float(outputs[self._tcw_supply]),
                tcwr_hex=outputs[self._tcwr_hex],
            )
            power = float(self._chiller_power.predict(*load).sum()) if load.unit.size else 0.0
        spread = float(inputs[self._tchw_r] - inputs[self._set_point])
        mcw = (float(inputs[self._mchw]) + power / (CP_LAW * spread)) / 1000.0
        head = self._head.predict(
            float(inputs[self._on].sum()), float(inputs[self._cw3].sum()), 2.0 * float(inputs[self._towers].sum()), mcw
        )
        if not math.isfinite(head):
            raise ModelError(f"the surrogate of the required head answered {head} for Mcw = {mcw}")
        return head


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

    The chilled water flow and inlet temperature of a chiller are no outputs of the plant: the total flow is shared
    evenly by the chillers that run, and the inlet is read where the water comes from. These are the inputs of the
    surrogate of the chillers' power, so its training uses this very function.

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
