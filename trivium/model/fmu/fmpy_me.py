"""Model Exchange through FMPy: the FMU has the equations, CVODE (SUNDIALS, as FMPy ships it) integrates them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ctypes import c_double
from typing import Any

import numpy as np
from fmpy.fmi1 import FMICallException, fmi1Discard
from fmpy.sundials import CVodeSetMaxStep, CVodeSolver

from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.events import MAX_STEPS
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.fmpy_equations import FmpyEquations
from trivium.model.fmu.fmu_model import Solving
from trivium.model.fmu.krylov import FEWEST_STATES, MOST_STATES, Krylov

#: Solver steps at least over the experiment that an FMU proposes, as in FMPy's own loop: errors grow beyond the
#: tolerance, and events are passed over, where nothing moves for a while. A step that is asked for may be as long.
#: Without states nothing else bounds the solver's steps: they are that many in a step at least.
PARTS = 50


class _Solver(CVodeSolver):  # type: ignore[misc]  # FMPy is untyped
    """FMPy's binding of CVODE, with the errors of the FMU passed on: ctypes would swallow them."""

    def __init__(
        self, fmu: Calls, time: float, relative: float, absolute: float, drive: Callable[[float], None]
    ) -> None:
        #: Sets inputs to what they are at a time; FMPy calls it before event indicators only.
        self.apply = drive
        self.error: Exception | None = None
        self._longest = fmu.description.experiment.duration / PARTS
        n_states, n_indicators = fmu.sizes()
        equations = fmu.equations()
        nominals = equations.pop("get_nominals")

        def scaled_nominals(pointer: Any, n: int) -> None:
            # FMPy multiplies what it gets by the relative tolerance
            nominals(pointer, n)
            values = np.ctypeslib.as_array(pointer, (n,))
            values[values <= 0.0] = 1.0  # FMI wants positive ones; CVODE takes no tolerance of zero
            values *= absolute / relative

        super().__init__(
            nx=n_states,
            nz=n_indicators,
            **equations,
            get_nominals=scaled_nominals,
            input=self,
            startTime=time,
            relativeTolerance=relative,
            maxNumSteps=MAX_STEPS,
        )
        #: Evaluations of the derivatives so far.
        self.evaluations = 0
        #: Solves the linear systems of models with many states; None where CVODE does.
        self.krylov: Krylov | None = None
        if FEWEST_STATES <= n_states <= MOST_STATES:
            nominal = (c_double * n_states)()
            nominals(nominal, n_states)
            self._varied, self._slopes = (c_double * n_states)(), (c_double * n_states)()
            self.krylov = Krylov(self.cvode_mem, self.x, self.sunctx, self._derivatives, np.array(nominal))

    def reset(self, time: float) -> None:
        """Start anew from the states of the FMU."""
        super().reset(time)
        if self.krylov is not None:
            self.krylov.restarted()

    def _derivatives(self, time: float, states: FloatArray) -> FloatArray:
        self.evaluations += 1
        np.ctypeslib.as_array(self._varied)[:] = states
        self.set_time(time)
        self.apply(time)
        self.set_x(self._varied, self.nx)
        self.get_dx(self._slopes, self.nx)
        return np.array(self._slopes)

    def f(self, t: float, y: Any, ydot: Any, user_data: Any) -> int:
        """Right-hand side, for CVODE."""
        self.evaluations += 1
        return self._guarded(self._rates, t, y, ydot, user_data)

    def _rates(self, t: float, y: Any, ydot: Any, user_data: Any) -> Any:
        self.apply(t)
        return super().f(t, y, ydot, user_data)

    def g(self, t: float, y: Any, gout: Any, user_data: Any) -> int:
        """Event indicators, for CVODE."""
        return self._guarded(super().g, t, y, gout, user_data)

    def _guarded(self, function: Any, *arguments: Any) -> int:
        """Return 0, 1 when a smaller step may help, -1 when nothing does."""
        try:
            function(*arguments)
        except FMICallException as error:
            self.error = error
            return 1 if error.status == fmi1Discard else -1
        except Exception as error:  # raised to the caller of the solver
            self.error = error
            return -1
        return 0

    def go(self, start: float, end: float) -> tuple[bool, float]:
        """Integrate; return whether an event was found and the time reached.

        Raises
        ------
        Exception
            The FMU's own error, or the solver's.
        """
        if self.discrete and not self.nz:
            return False, end
        if self._longest or self.discrete:
            CVodeSetMaxStep(self.cvode_mem, max(self._longest, (end - start) / (PARTS if self.discrete else 1)))
        self.error = None
        try:
            with contextlib.nullcontext() if self.krylov is None else self.krylov.alone():
                event, _, reached = self.step(start, end)
        except Exception as error:
            raise (self.error or error) from None
        return bool(event), float(reached)


class FmpyExchangeModel(FmpyEquations):
    """A Model Exchange FMU, integrated by FMPy's CVODE; see the base class."""

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        self._solver: _Solver | None = None
        self._kept: FloatArray | None = None  # Jacobian to begin with

    @property
    def _work(self) -> int:
        return 0 if self._solver is None else self._solver.evaluations

    def _solve(self, time: float, end: float) -> tuple[bool, float]:
        if self._solver is None:
            self._fmu.set_time(time)
            self._solver = _Solver(self._fmu, time, self.tolerance, self.absolute, self.drive)
            self._give(self._kept)
        elif self._fresh:
            self._solver.reset(time)
        self._fresh = False
        return self._solver.go(time, end)

    def _memory(self) -> bytes:
        krylov = None if self._solver is None else self._solver.krylov
        jacobian = self._kept if krylov is None else krylov.kept
        return b"" if jacobian is None else np.asarray(jacobian, dtype="<f8").tobytes("F")

    def _remember(self, memory: bytes) -> None:
        values = np.frombuffer(memory, dtype="<f8").astype(np.float64)
        n = round(values.size**0.5)
        self._kept = values.reshape(n, n, order="F") if n else None
        self._give(self._kept)

    def _give(self, jacobian: FloatArray | None) -> None:
        if self._solver is not None and self._solver.krylov is not None:
            self._solver.krylov.kept = jacobian
