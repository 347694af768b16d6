"""Model Exchange through FMPy's bindings and the solvers of Assimulo: CVode, Radau5ODE and LSODAR.

Assimulo's ``simulate()`` starts a solver anew at every call. Here its ``integrate()`` is called, so that CVode goes on
from step to step; Radau5ODE and LSODAR start anew in any case, which costs a one-step method like Radau5 little.
Assimulo finds state events, and calls `step_events` after each of its own steps; time events bound what it integrates.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_double
from typing import Any, ClassVar

import numpy as np
from assimulo import solvers
from assimulo.exception import AssimuloRecoverableError
from assimulo.problem import Explicit_Problem
from fmpy.fmi1 import FMICallException, fmi1Discard

from trivium.errors import ModelError
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.events import MAX_STEPS
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.fmpy_equations import FmpyEquations
from trivium.model.fmu.fmu_model import SOLVERS, Solving

#: What Assimulo's solvers return at an event (its constants.pxi), and the least verbosity.
_EVENT, _QUIET = 2, 50
#: First step after a discontinuity, as a share of what is to be integrated, for Radau5ODE, which estimates none.
_FIRST = 1e-3


class _Equations(Explicit_Problem):  # type: ignore[misc]  # Assimulo is untyped
    """The equations of an FMU, as Assimulo wants them.

    Parameters
    ----------
    fmu : Calls
        In continuous-time mode.
    time : float
        [s]
    drive : Callable
        Sets inputs that change within a step to what they are at a time [s].
    """

    def __init__(self, fmu: Calls, time: float, drive: Callable[[float], None]) -> None:
        self._fmu, self._calls, self._drive = fmu, fmu.equations(), drive
        self.n_states, n_indicators = fmu.sizes()
        self._states, self._slopes = (c_double * self.n_states)(), (c_double * self.n_states)()
        self._indicators = (c_double * n_indicators)()
        #: The error of the FMU after which it is not called any more.
        self.error: Exception | None = None
        #: Evaluations of the derivatives so far.
        self.evaluations = 0
        #: What the FMU answered at the last step of the solver: whether it asks for an event, ends the simulation.
        self.answer = (False, False)
        #: Lengths of the solver's steps since `begin` [s].
        self.steps: list[float] = []
        self._last = time
        super().__init__(self._derivatives, self.states(), time)

    def begin(self, time: float) -> None:
        """Forget the steps of the solver before a time [s]."""
        self.error, self.answer, self.steps, self._last = None, (False, False), [], time

    def states(self) -> FloatArray:
        """Return the states of the FMU."""
        self._calls["get_x"](self._states, self.n_states)
        return np.array(self._states)

    def nominals(self) -> FloatArray:
        """Return the nominal values of the states; 1 where the FMU gives none that is positive."""
        values = (c_double * self.n_states)()
        self._calls["get_nominals"](values, self.n_states)
        nominals = np.array(values)
        return np.where(nominals > 0.0, nominals, 1.0)

    def set(self, time: float, states: FloatArray) -> None:
        """Set time and states of the FMU."""
        self._calls["set_time"](time)
        self._drive(time)
        np.ctypeslib.as_array(self._states)[:] = states
        self._calls["set_x"](self._states, self.n_states)

    def _derivatives(self, time: float, states: FloatArray, _switches: Any = None) -> FloatArray:
        self.evaluations += 1
        return self._evaluated("get_dx", self._slopes, time, states)

    def _evaluated(self, function: str, values: Any, time: float, states: FloatArray) -> FloatArray:
        def evaluate() -> FloatArray:
            self.set(time, states)
            self._calls[function](values, len(values))
            return np.array(values)

        return self._guarded(evaluate)

    def _guarded(self, evaluate: Callable[[], FloatArray]) -> FloatArray:
        """Keep an error, for the caller of the solver; a failed FMU is not called again, however often it is tried."""
        if self.error is None:
            try:
                return evaluate()
            except Exception as error:
                if not isinstance(error, FMICallException) or error.status != fmi1Discard:
                    self.error = error
        raise AssimuloRecoverableError

    def step_events(self, solver: Any) -> bool:
        """Complete a step of the solver; return whether it is to stop."""
        self.steps.append(solver.t - self._last)
        self._last = solver.t
        self.set(solver.t, solver.y)
        self.answer = self._fmu.completed_integrator_step()
        return any(self.answer)

    def handle_result(self, _solver: Any, _time: float, _states: FloatArray) -> None:
        """Store nothing."""


class _EquationsWithEvents(_Equations):
    """Equations with event indicators."""

    def state_events(self, time: float, states: FloatArray, _switches: Any = None) -> FloatArray:
        """Return the event indicators."""
        return self._evaluated("get_z", self._indicators, time, states)


class AssimuloExchangeModel(FmpyEquations):
    """A Model Exchange FMU, integrated by a solver of Assimulo; see the base class.

    Raises
    ------
    ModelError
        When there is no such solver, or the FMU has no continuous states.
    """

    engine: ClassVar[str] = "assimulo"

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        if not description.n_states:
            raise ModelError(f"{description.name} has no continuous states; the engine fmpy runs it")
        self._kind = self.solving.solver or SOLVERS[0]
        if self._kind not in SOLVERS:
            raise ModelError(f"Assimulo has no solver {self._kind}; fmu.solver must be one of {', '.join(SOLVERS)}")
        self._equations: _Equations | None = None
        self._solver: Any = None

    @property
    def _work(self) -> int:
        return 0 if self._equations is None else self._equations.evaluations

    def _solve(self, time: float, end: float) -> tuple[bool, float]:
        equations = self._made(time)
        solver, states = self._solver, equations.states()
        if self._fresh:
            solver.atol = self.absolute * equations.nominals()
            solver.t, solver.y = time, states
            self._inith = _FIRST * (end - time)
        if self._kind == "Radau5ODE":
            solver.inith = self._inith
        options = {
            "initialize": self._fresh or self._kind != "CVode",
            "report_continuously": 1,
            "output_list": None,
            "output_index": 0,
        }
        equations.begin(time)
        try:
            flag, *_ = solver.integrate(time, states, end, options)
        except Exception as error:
            self._equations = self._solver = None  # Radau5ODE has freed its memory, and would do so again
            raise (equations.error or error) from None
        self._fresh = False
        # the last step is cut to end in time
        self._inith = max(equations.steps, default=self._inith) * (2.0 if len(equations.steps) == 1 else 1.0)
        equations.set(solver.t, solver.y)
        return flag == _EVENT, float(solver.t)

    def _made(self, time: float) -> _Equations:
        """Return the equations, with the solver that is made at the first call."""
        if self._equations is None:
            self._fmu.set_time(time)
            kind = _EquationsWithEvents if self._fmu.sizes()[1] else _Equations
            self._equations = kind(self._fmu, time, self.drive)
            self._solver = getattr(solvers, self._kind)(self._equations)
            self._solver.verbosity = _QUIET
            self._solver.rtol = self.tolerance
            self._solver.maxsteps = MAX_STEPS
            self._solver.initialize()
        return self._equations

    def _completed(self, time: float) -> tuple[bool, bool]:
        if self._equations is not None and self._equations.steps:
            self._equations.steps = []
            return self._equations.answer
        return super()._completed(time)
