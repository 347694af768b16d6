"""FMI 1.0 through FMPy.

It has no initialization mode, no event mode (an event update stands in) and no state that could be saved.
"""

from __future__ import annotations

import contextlib
import ctypes
from ctypes import byref
from typing import Any, ClassVar

import numpy as np
from fmpy import fmi1

from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription, Interface
from trivium.model.fmu.events import Discrete
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.lenient import lenient
from trivium.model.fmu.messages import keep


def _on_message(_component: Any, _instance: Any, status: int, _category: Any, message: bytes | None) -> None:
    keep(status, message)


def _callbacks() -> Any:
    callbacks = fmi1.fmi1CallbackFunctions()
    callbacks.logger = fmi1.fmi1CallbackLoggerTYPE(_on_message)
    callbacks.allocateMemory = fmi1.defaultCallbacks.allocateMemory
    callbacks.freeMemory = fmi1.defaultCallbacks.freeMemory
    callbacks.stepFinished = None
    with contextlib.suppress(AttributeError):
        fmi1.addLoggerProxy(byref(callbacks))
    return callbacks


_CALLBACKS = _callbacks()


class Fmi1(Calls):
    """An FMU of FMI 1.0; see the base class."""

    vendors: ClassVar[dict[Interface, type[Any]]] = {"cs": lenient(fmi1.FMU1Slave), "me": lenient(fmi1.FMU1Model)}
    prefix: ClassVar[str] = "fmi1"
    nominals: ClassVar[str] = "getNominalContinuousStates"
    ctypes: ClassVar[dict[str, Any]] = {"Real": ctypes.c_double, "Integer": ctypes.c_int, "Boolean": ctypes.c_char}

    def __init__(self, description: FmuDescription) -> None:
        super().__init__(description)
        self._exchange = description.interface == "me"
        self._pending: Discrete | None = None  # what the initialization said of events
        # FMPy declares that these return text; a status would be read as an address
        for name in ("fmi1InitializeSlave", "fmi1DoStep"):
            if not self._exchange:
                self.fmu._functions[name].restype = ctypes.c_int

    def _instantiate(self) -> None:
        self.fmu.instantiate(functions=_CALLBACKS, loggingOn=True)

    def _initialize(
        self,
        time: float,
        tolerance: float | None,
        start_values: StartValues,
        inputs: FloatArray | None,
        stop: float | None,
    ) -> None:
        if self._exchange:
            self.fmu.setTime(time)
        self.set_start_values(start_values)
        if inputs is not None:
            self.inputs.set(inputs)
        if self._exchange:
            self._pending = self._discrete(
                self.fmu.initialize(fmi1.fmi1False if tolerance is None else fmi1.fmi1True, tolerance or 0.0)
            )
        else:
            self.fmu.initialize(tStart=time, stopTime=stop)

    def _free(self) -> None:
        free = self.fmu.fmi1FreeModelInstance if self._exchange else self.fmu.fmi1FreeSlaveInstance
        free(self.fmu.component)

    def _do_step(self, time: float, duration: float) -> None:
        self.fmu.doStep(time, duration)

    def _set_derivatives(self, *arguments: Any) -> None:
        function = self.fmu._functions["fmi1SetRealInputDerivatives"]  # FMPy's own method calls another one
        function.restype = ctypes.c_int
        status = function(self.fmu.component, *arguments)
        if status > fmi1.fmi1Warning:
            raise fmi1.FMICallException("fmi1SetRealInputDerivatives", status)

    def enter_event_mode(self) -> None:
        """Begin an event: nothing is to be done."""

    def update_discrete_states(self) -> Discrete:
        """Iterate once at an event; the initialization was the first one."""
        if self._pending is not None:
            first, self._pending = self._pending, None
            return first
        return self._discrete(self.fmu.eventUpdate())

    def enter_continuous_time_mode(self) -> None:
        """End an event: nothing is to be done."""

    def completed_integrator_step(self) -> tuple[bool, bool]:
        """Return whether the FMU asks for an event; it cannot end the simulation here."""
        return self.fmu.completedIntegratorStep(), False

    @staticmethod
    def _discrete(info: tuple[bool, bool, bool, bool, bool, float]) -> Discrete:
        converged, _references, _values, ended, upcoming, moment = info
        return Discrete(not converged, ended, float(moment) if upcoming else np.inf)
