"""Model Exchange through FMPy's bindings, whatever integrates the equations."""

from __future__ import annotations

from ctypes import c_double

from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.events import settle
from trivium.model.fmu.exchange import ExchangeModel
from trivium.model.fmu.fmpy_ import FmpyModel


class FmpyEquations(ExchangeModel, FmpyModel):
    """A Model Exchange FMU, called through FMPy; what integrates it is left to a subclass.

    Where no absolute tolerance is chosen it is the relative one, times the nominal values.
    """

    @property
    def absolute(self) -> float:
        """Absolute tolerance, as a share of the nominal values [1]."""
        return self.solving.absolute or self.tolerance

    def _start(self, time: float, inputs: FloatArray | None) -> None:
        super()._start(time, inputs)
        self._settle()

    def _completed(self, time: float) -> tuple[bool, bool]:
        self._fmu.set_time(time)
        return self._fmu.completed_integrator_step()

    def _set_continuous(self, inputs: FloatArray) -> None:
        self._fmu.continuous.set(inputs)

    def _set_states(self, states: FloatArray) -> None:
        values = (c_double * len(states))(*states)
        self._fmu.equations()["set_x"](values, len(states))

    def _event(self, inputs: FloatArray | None = None, values: StartValues | None = None) -> None:
        self._fmu.enter_event_mode()
        if inputs is not None:
            self._fmu.inputs.set(inputs)
        if values is not None:
            self._fmu.set_start_values(values)
        self._settle()

    def _settle(self) -> None:
        self._next_event = settle(self._fmu.update_discrete_states)
        self._fmu.enter_continuous_time_mode()
        self._fresh = True
