"""FMI 2.0 through FMPy."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Sequence
from ctypes import byref
from typing import Any, ClassVar

import numpy as np
from fmpy import fmi2

from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription, Interface
from trivium.model.fmu.events import Discrete
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.lenient import lenient
from trivium.model.fmu.messages import keep
from trivium.model.fmu.scalars import is_before, is_input


def _on_message(_environment: Any, _instance: Any, status: int, _category: Any, message: bytes | None) -> None:
    keep(status, message)


def _callbacks() -> Any:
    callbacks = fmi2.fmi2CallbackFunctions()
    callbacks.logger = fmi2.fmi2CallbackLoggerTYPE(_on_message)
    callbacks.allocateMemory = fmi2.defaultCallbacks.allocateMemory
    callbacks.freeMemory = fmi2.defaultCallbacks.freeMemory
    with contextlib.suppress(AttributeError):
        # FMPy's helper in C fills in the arguments of a message; without it (other platforms) the raw format stays
        fmi2.addLoggerProxy(byref(callbacks))
    return callbacks


#: What instances are made with: memory and a logger that keeps messages.
CALLBACKS = _callbacks()


class Fmi2(Calls):
    """An FMU of FMI 2.0; see the base class."""

    vendors: ClassVar[dict[Interface, type[Any]]] = {"cs": lenient(fmi2.FMU2Slave), "me": lenient(fmi2.FMU2Model)}
    prefix: ClassVar[str] = "fmi2"
    ctypes: ClassVar[dict[str, Any]] = {"Real": ctypes.c_double, "Integer": ctypes.c_int, "Boolean": ctypes.c_int}

    def __init__(self, description: FmuDescription) -> None:
        super().__init__(description)
        self._memory = fmi2.fmi2FMUstate()  # the FMU's own copy of its state, reused by every snapshot
        self._size = ctypes.c_size_t()
        self._buffer = ctypes.create_string_buffer(0)

    def _instantiate(self) -> None:
        self.fmu.instantiate(callbacks=CALLBACKS, loggingOn=True)

    def _initialize(
        self,
        time: float,
        tolerance: float | None,
        start_values: StartValues,
        inputs: FloatArray | None,
        stop: float | None,
    ) -> None:
        self.fmu.setupExperiment(tolerance=tolerance, startTime=time, stopTime=stop)
        self.set_start_values(start_values, is_before)  # the experiment sets some FMUs back to their own values
        self.fmu.enterInitializationMode()  # inputs may not be set before, which some FMUs refuse
        self.set_start_values(start_values, is_input)
        if inputs is not None:
            self.inputs.set(inputs)
        self.fmu.exitInitializationMode()

    def _free(self) -> None:
        self._memory = fmi2.fmi2FMUstate()  # goes with the instance
        self.fmu.fmi2FreeInstance(self.fmu.component)

    def get_state(self) -> bytes:
        """Return the serialized state."""
        fmu, component = self.fmu, self.fmu.component
        fmu.fmi2GetFMUstate(component, byref(self._memory))
        fmu.fmi2SerializedFMUstateSize(component, self._memory, byref(self._size))
        if len(self._buffer) != self._size.value:
            self._buffer = ctypes.create_string_buffer(self._size.value)
        fmu.fmi2SerializeFMUstate(component, self._memory, self._buffer, self._size)
        return self._buffer.raw

    def set_state(self, data: bytes) -> None:
        """Take a serialized state in a new instance."""
        state = self.fmu.deSerializeFMUstate(data)
        try:
            self.fmu.setFMUstate(state)
        finally:
            self.fmu.freeFMUstate(state)

    def _do_step(self, time: float, duration: float) -> None:
        self.fmu.fmi2DoStep(self.fmu.component, time, duration, fmi2.fmi2True)

    def directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], _length: int) -> FloatArray:
        """Return a directional derivative; see the base class."""
        return np.array(self.fmu.getDirectionalDerivative(unknowns, [known], seed))

    def _set_derivatives(self, *arguments: Any) -> None:
        self.fmu.fmi2SetRealInputDerivatives(self.fmu.component, *arguments)

    def enter_event_mode(self) -> None:
        """Begin an event."""
        self.fmu.enterEventMode()

    def update_discrete_states(self) -> Discrete:
        """Iterate once at an event."""
        again, ended, _nominals, _values, defined, moment = self.fmu.newDiscreteStates()
        return Discrete(again, ended, float(moment) if defined else np.inf)

    def enter_continuous_time_mode(self) -> None:
        """End an event."""
        self.fmu.enterContinuousTimeMode()

    def completed_integrator_step(self) -> tuple[bool, bool]:
        """Return whether the FMU asks for an event, and whether it ends the simulation."""
        asked, ended = self.fmu.completedIntegratorStep()
        return asked, ended
