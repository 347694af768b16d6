"""FMI 3.0 through FMPy.

A co-simulation that has an event mode is run with it: inputs change at events, since discrete ones may change nowhere
else, and where a step ends early at an event of the FMU, the event is handled and the step goes on. Intermediate
updates are not asked for.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from fmpy import fmi3
from fmpy.fmi1 import FMICallException

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription, Interface
from trivium.model.fmu.events import MAX_EVENTS, Discrete, settle, slack
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.lenient import lenient
from trivium.model.fmu.messages import keep
from trivium.model.fmu.scalars import is_before, is_input, is_structural


def _on_message(_environment: Any, status: int, _category: Any, message: bytes | None) -> None:
    keep(status, message)


class Fmi3(Calls):
    """An FMU of FMI 3.0; see the base class."""

    vendors: ClassVar[dict[Interface, type[Any]]] = {"cs": lenient(fmi3.FMU3Slave), "me": lenient(fmi3.FMU3Model)}
    prefix: ClassVar[str] = "fmi3"
    counts_values: ClassVar[bool] = True
    derivatives: ClassVar[str] = "getContinuousStateDerivatives"
    ctypes: ClassVar[dict[str, Any]] = {
        "Float32": ctypes.c_float,
        "Float64": ctypes.c_double,
        "Boolean": ctypes.c_bool,
        **{f"Int{bits}": getattr(ctypes, f"c_int{bits}") for bits in (8, 16, 32, 64)},
        **{f"UInt{bits}": getattr(ctypes, f"c_uint{bits}") for bits in (8, 16, 32, 64)},
    }

    def __init__(self, description: FmuDescription) -> None:
        super().__init__(description)
        self._with_events = description.interface == "cs" and description.has_event_mode
        self._held: FloatArray | None = None  # inputs of the last step, where they change at events
        self._configurable = (*description.parameters, *description.dimensions)

    def _instantiate(self) -> None:
        if self._with_events:
            try:
                self.fmu.instantiate(
                    loggingOn=True, logMessage=_on_message, eventModeUsed=True, earlyReturnAllowed=True
                )
            except Exception:  # some promise an event mode and refuse it: they handle their events themselves
                self._with_events = False
            else:
                return
        self.fmu.instantiate(loggingOn=True, logMessage=_on_message)

    def _initialize(
        self,
        time: float,
        tolerance: float | None,
        start_values: StartValues,
        inputs: FloatArray | None,
        stop: float | None,
    ) -> None:
        configured = {**self.description.structural, **start_values}
        structural = [p for p in self._configurable if is_structural(p) and p.variable.name in configured]
        if structural:
            self.fmu.enterConfigurationMode()
            for reference in dict.fromkeys(p.reference for p in structural):  # one by one: sizes change with each
                names = [p.variable.name for p in structural if p.reference == reference]
                self.set_start_values({name: configured[name] for name in names}, is_structural)
            self.fmu.exitConfigurationMode()
        self.set_start_values(start_values, is_before)
        self.fmu.enterInitializationMode(tolerance=tolerance, startTime=time, stopTime=stop)
        self.set_start_values(start_values, is_input)
        if inputs is not None:
            self.inputs.set(inputs)
        self.fmu.exitInitializationMode()
        self._held = inputs
        if self._with_events:
            settle(self.update_discrete_states)
            self.fmu.enterStepMode()

    def _free(self) -> None:
        self.fmu.fmi3FreeInstance(self.fmu.component)

    def get_state(self) -> bytes:
        """Return the serialized state."""
        state = self.fmu.getFMUState()
        try:
            return bytes(self.fmu.serializeFMUState(state))
        finally:
            self.fmu.freeFMUState(state)

    def set_state(self, data: bytes) -> None:
        """Take a serialized state in a new instance."""
        self._held = None  # an unchanged input costs one event more, no difference
        state = self.fmu.deserializeFMUState(data)
        try:
            self.fmu.setFMUState(state)
        finally:
            self.fmu.freeFMUState(state)

    def do_step(
        self,
        time: float,
        duration: float,
        inputs: FloatArray,
        slopes: FloatArray | None = None,  # noqa: ARG002
    ) -> FloatArray:
        """Let the FMU step itself, over events where it stops at them; FMI 3.0 has no slopes of inputs."""
        if not self._with_events:
            self.inputs.set(inputs)
        elif self._held is None or not np.array_equal(inputs, self._held):
            self._event(inputs)
            self._held = inputs.copy()
        end = time + duration
        for _ in range(MAX_EVENTS):
            event, ended, early, reached = self._part(time, duration)
            if ended:
                raise EndedError(f"the FMU ended the simulation at {reached} s")
            if event:
                self._event()
            time, duration = reached, end - reached
            if not early or duration <= slack(end):
                return self.outputs.get()
        raise ModelError(f"more than {MAX_EVENTS} events in a step, the last at {time} s")

    def _part(self, time: float, duration: float) -> tuple[bool, bool, bool, float]:
        """Return whether an event is due, the simulation ended and the step is shorter, and the time reached."""
        flags, reached = [fmi3.fmi3Boolean() for _ in range(3)], fmi3.fmi3Float64(time)
        answers = [ctypes.byref(each) for each in (*flags, reached)]
        try:
            self.fmu.fmi3DoStep(self.fmu.component, time, duration, fmi3.fmi3Boolean(True), *answers)
        except FMICallException as error:
            if error.status != fmi3.fmi3Discard or not flags[1].value:  # FMPy's own doStep loses why
                raise
        event, ended, early = (bool(flag.value) for flag in flags)
        return event, ended, early, float(reached.value)

    def hold(self, inputs: FloatArray) -> None:
        """Set all inputs of a co-simulation, at an event where the FMU has an event mode."""
        if self._with_events:
            self._event(inputs)
        else:
            self.inputs.set(inputs)

    def directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], length: int) -> FloatArray:
        """Return a directional derivative; see the base class."""
        return np.array(self.fmu.getDirectionalDerivative(unknowns, [known], seed, length))

    def change(self, values: StartValues) -> None:
        """Set tunable parameters and inputs that are text, at an event where the FMU has an event mode."""
        if self._with_events:
            self._event(values=values)
        else:
            super().change(values)

    def _event(self, inputs: FloatArray | None = None, values: StartValues | None = None) -> None:
        self.fmu.enterEventMode()
        if inputs is not None:
            self.inputs.set(inputs)
        if values is not None:
            self.set_start_values(values)
        settle(self.update_discrete_states)
        self.fmu.enterStepMode()

    def sizes(self) -> tuple[int, int]:
        """Return the numbers of continuous states and event indicators, arrays counted by elements."""
        return self.fmu.getNumberOfContinuousStates(), self.fmu.getNumberOfEventIndicators()

    def enter_event_mode(self) -> None:
        """Begin an event."""
        self.fmu.enterEventMode()

    def update_discrete_states(self) -> Discrete:
        """Iterate once at an event."""
        again, ended, _nominals, _values, defined, moment = self.fmu.updateDiscreteStates()
        return Discrete(again, ended, float(moment) if defined else np.inf)

    def enter_continuous_time_mode(self) -> None:
        """End an event."""
        self.fmu.enterContinuousTimeMode()

    def completed_integrator_step(self) -> tuple[bool, bool]:
        """Return whether the FMU asks for an event, and whether it ends the simulation."""
        asked, ended = self.fmu.completedIntegratorStep()
        return asked, ended
