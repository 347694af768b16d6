"""FMI 2.0 through PyFMI and Assimulo: co-simulation, and Model Exchange with Assimulo's CVode (SUNDIALS).

Model Exchange keeps one CVode; see `trivium.model.fmu.exchange`. With ``restart`` PyFMI's own ``simulate()`` is called
at every step, as AlphaDataCenterCooling does: slower, the same numerics.

PyFMI writes log and result files into the working directory by default; here the log is kept in memory and there are no
results.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import struct
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray, StartValues, State
from trivium.model.fmu.abi import BROKEN, explain_import_error
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.events import MAX_STEPS
from trivium.model.fmu.exchange import ExchangeModel
from trivium.model.fmu.fmu_model import Adapter, Solving
from trivium.model.fmu.messages import MESSAGES
from trivium.model.fmu.scalars import FmuVariable, is_before, is_input

try:
    from assimulo.problem import Explicit_Problem
    from assimulo.solvers import CVode
    from pyfmi.fmi import FMUModelCS2, FMUModelME2
except Exception as _error:  # a wrong build fails with ValueError, then KeyError
    raise ModelError(f"{BROKEN}: {explain_import_error(_error)}") from _error

#: What Assimulo's solvers return at an event (its constants.pxi).
ID_EVENT = 2
#: PyFMI's rule for absolute tolerances: this times relative tolerance and nominal value.
ATOL_FACTOR = 0.01
#: FMI's status of a step that was not taken, and what is asked for then.
_DISCARD, _TERMINATED = 2, 3
_LENGTH = struct.Struct("<I")


class _Log:
    """Where PyFMI writes messages: the last ones are kept."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=MESSAGES)
        self.closed = False

    def write(self, text: str) -> int:
        """Take a message."""
        if text.strip():
            self.lines.append(text.strip())
        return len(text)


class _Group:
    """Variables of one type: where they stand in the arrays, and their value references."""

    def __init__(self, variables: Sequence[FmuVariable], kind: str) -> None:
        places = [i for i, v in enumerate(variables) if v.variable.kind == kind]
        self.where: NDArray[np.intp] = np.array(places, dtype=np.intp)
        self.references = np.array([variables[i].reference for i in places], dtype=np.uint32)


def _groups(variables: Sequence[FmuVariable]) -> dict[str, _Group]:
    groups = {kind: _Group(variables, kind) for kind in ("real", "integer", "boolean")}
    return {kind: group for kind, group in groups.items() if len(group.where)}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class PyfmiModel(Adapter):
    """An FMI 2.0 co-simulation FMU, called through PyFMI; see the base class."""

    engine: ClassVar[str] = "pyfmi"
    _vendor: ClassVar[type[Any]] = FMUModelCS2

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        self._set_groups = _groups(description.inputs)
        self._get_groups = _groups(description.outputs)
        self._parameters = {v.variable.name: v for v in description.parameters}
        self._log = _Log()
        self._fmu: Any = None
        self._changing = False  # whether inputs change within a step

    def _discard(self) -> None:
        if self._fmu is not None and self.state is State.FAILED:
            # PyFMI would terminate it before it frees it, which FMI forbids after an error and some FMUs do not
            # survive. So it is freed here and PyFMI's object never goes: some memory for every failure.
            self._fmu.free_instance()
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._fmu))
        self._fmu = None  # PyFMI frees the instance when the last reference goes

    def _get_state(self) -> bytes:
        state = self._fmu.get_fmu_state()
        try:
            data, header = self._fmu.serialize_fmu_state(state)
        finally:
            self._fmu.free_fmu_state(state)
        text = json.dumps(header, default=float).encode()
        return _LENGTH.pack(len(text)) + text + bytes(data)

    def _set_state(self, data: bytes) -> None:
        size = _LENGTH.unpack_from(data)[0]
        header = json.loads(data[_LENGTH.size : _LENGTH.size + size])
        content = np.frombuffer(data[_LENGTH.size + size :], dtype=np.byte).copy()
        state = self._fmu.deserialize_fmu_state([content, header])
        try:
            self._fmu.set_fmu_state(state)
        finally:
            self._fmu.free_fmu_state(state)

    def _start(self, time: float, inputs: FloatArray | None) -> None:
        fmu = self._fmu = self._vendor(
            str(self.description.directory), log_file_name=self._log, log_level=2, allow_unzipped_fmu=True
        )
        parameters = [self._parameters[name] for name in self.start_values]
        fmu.setup_experiment(tolerance=self.tolerance, start_time=time)
        # the experiment sets some FMUs back to their own values
        self._set_tunables({p.variable.name: self.start_values[p.variable.name] for p in parameters if is_before(p)})
        fmu.enter_initialization_mode()  # inputs may not be set before, which some FMUs refuse
        self._set_tunables({p.variable.name: self.start_values[p.variable.name] for p in parameters if is_input(p)})
        if inputs is not None:
            self._set(inputs)
        fmu.exit_initialization_mode()

    def _set_tunables(self, values: StartValues) -> None:
        for name, value in values.items():
            self._set_start(self._parameters[name], value)

    def _values(self, variables: Sequence[FmuVariable]) -> FloatArray:
        return self._numbers(_groups(variables), len(variables))

    def _set_start(self, variable: FmuVariable, value: float | str) -> None:
        setters = {
            "real": self._fmu.set_real,
            "integer": self._fmu.set_integer,
            "boolean": self._fmu.set_boolean,
            "text": self._fmu.set_string,
        }
        kind = variable.variable.kind
        exact = value if isinstance(value, str) or kind == "real" else int(value)
        setters[kind]([variable.reference], [exact])

    def _get_texts(self) -> dict[str, str]:
        references = [text.reference for text in self.description.texts]
        values = self._fmu.get_string(references) if references else []
        names = (text.variable.name for text in self.description.texts)
        return {name: _text(value) for name, value in zip(names, values, strict=True)}

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        return self._do_step(time, duration, inputs, None)

    def _ramp(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray) -> FloatArray:
        return self._do_step(time, duration, inputs, slopes)

    def _do_step(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray | None) -> FloatArray:
        with self._translated("step"):
            self._set(inputs)
            if slopes is not None or self._changing:
                rates = np.zeros(len(inputs)) if slopes is None else slopes
                places = [i for i, v in enumerate(self.description.inputs) if v.continuous]
                names = [self.inputs[i].name for i in places]
                self._fmu.set_input_derivatives(names, rates[places], np.ones(len(places), dtype=np.int32))
                self._changing = slopes is not None
            status = self._fmu.do_step(time, duration, True)
            if status == _DISCARD and self._terminated():
                raise EndedError("the FMU ended the simulation")
            if status != 0:
                raise ModelError(f"fmi2DoStep failed with status {status}")
            return self._get()

    def _hold(self, inputs: FloatArray) -> None:
        self._set(inputs)

    def _directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], _length: int) -> FloatArray:
        return np.array(self._fmu.get_directional_derivative([known], unknowns, seed))

    def _terminated(self) -> bool:
        with contextlib.suppress(Exception):  # where it does not say
            return bool(self._fmu.get_boolean_status(_TERMINATED))
        return False

    def _set(self, inputs: FloatArray) -> None:
        for kind, group in self._set_groups.items():
            values = inputs[group.where]
            getattr(self._fmu, f"set_{kind}")(group.references, values if kind == "real" else values.astype(int))

    def _get(self) -> FloatArray:
        return self._numbers(self._get_groups, len(self.outputs))

    def _numbers(self, groups: Mapping[str, _Group], count: int) -> FloatArray:
        values = np.empty(count)
        for kind, group in groups.items():
            values[group.where] = getattr(self._fmu, f"get_{kind}")(group.references)
        return values

    @contextlib.contextmanager
    def _translated(self, call: str) -> Iterator[None]:
        """Turn PyFMI's and Assimulo's errors into ours, with what the FMU said."""
        self._log.lines.clear()
        try:
            yield
        except Exception as error:  # PyFMI, Assimulo, numpy and json each have their own
            reason = str(error) if isinstance(error, ModelError) else f"{type(error).__name__}: {error}"
            messages = f" The FMU says: {' | '.join(self._log.lines)}" if self._log.lines else ""
            if isinstance(error, EndedError):
                raise EndedError(f"{reason}{messages}") from error
            raise ModelError(f"the FMU failed to {call}: {reason}{messages}") from error


class _Equations(Explicit_Problem):  # type: ignore[misc]  # Assimulo is untyped
    """The equations of an FMU, as Assimulo wants them."""

    def __init__(self, model: PyfmiExchangeModel, time: float, states: FloatArray) -> None:
        self.model = model
        super().__init__(self._rhs, states, time)

    def _rhs(self, t: float, y: FloatArray, _switches: Any = None) -> Any:
        return self.model.derivatives(t, y)


class _EquationsWithEvents(_Equations):
    """Equations with event indicators."""

    def state_events(self, t: float, y: FloatArray, _switches: Any) -> Any:
        """Return the event indicators."""
        return self.model.indicators(t, y)


class PyfmiExchangeModel(ExchangeModel, PyfmiModel):
    """An FMI 2.0 Model Exchange FMU, integrated by Assimulo's CVode; see the base class.

    Where no absolute tolerance is chosen it is a hundredth of the relative one, times the nominal values: PyFMI's
    own rule.
    """

    _vendor: ClassVar[type[Any]] = FMUModelME2

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        if not description.n_states:
            raise ModelError(f"{description.name} has no continuous states; the engine fmpy runs it")
        self.can_ramp = not self.solving.restart
        self._absolute = self.solving.absolute or ATOL_FACTOR * self.tolerance
        self._solver: Any = None
        self._evaluations = 0

    @property
    def _work(self) -> int:
        return self._evaluations

    def _is_far(self) -> bool:
        # a new simulation every step remembers nothing
        return self.solving.restart or super()._is_far()

    def derivatives(self, time: float, states: FloatArray) -> Any:
        """Return the derivatives of the states, for the solver."""
        self._evaluations += 1
        self._fmu.time = time
        self.drive(time)
        self._fmu.continuous_states = states
        return self._fmu.get_derivatives()

    def indicators(self, time: float, states: FloatArray) -> Any:
        """Return the event indicators, for the solver."""
        self._fmu.time = time
        self.drive(time)
        self._fmu.continuous_states = states
        return self._fmu.get_event_indicators()

    def _start(self, time: float, inputs: FloatArray | None) -> None:
        super()._start(time, inputs)
        self._settle()

    def _integrate(self, time: float, end: float) -> None:
        if self.solving.restart:
            self._simulate(time, end)
        else:
            super()._integrate(time, end)

    def _simulate(self, time: float, end: float) -> None:
        options = self._fmu.simulate_options()
        options["initialize"] = False
        options["result_handling"] = None
        options["result_max_size"] = 0  # otherwise it warns that there is no result to limit
        options["CVode_options"]["rtol"] = self.tolerance
        options["CVode_options"]["atol"] = self._absolute * self._fmu.nominal_continuous_states
        options["CVode_options"]["verbosity"] = 50
        self._fmu.simulate(start_time=time, final_time=end, options=options)

    def _solve(self, time: float, end: float) -> tuple[bool, float]:
        states = self._fmu.continuous_states
        if self._solver is None:
            kind = _EquationsWithEvents if self.description.n_indicators else _Equations
            self._solver = CVode(kind(self, time, states))
            self._solver.verbosity = 50
            self._solver.rtol = self.tolerance
            self._solver.maxsteps = MAX_STEPS
        solver = self._solver
        if self._fresh:
            solver.atol = self._absolute * self._fmu.nominal_continuous_states
            solver.t, solver.y = time, states
        options = {
            "initialize": self._fresh,
            "report_continuously": False,
            "output_list": np.array([end]),
            "output_index": 0,
        }
        flag, times, solutions = solver.integrate(time, states, end, options)
        self._fresh = False
        self._fmu.time = times[-1]
        self._fmu.continuous_states = solutions[-1]
        return flag == ID_EVENT, float(times[-1])

    def _set_states(self, states: FloatArray) -> None:
        self._fmu.continuous_states = states

    def _set_continuous(self, inputs: FloatArray) -> None:
        group = self._set_groups.get("real")
        if group is not None:
            chosen = [i for i in group.where if self.description.inputs[i].continuous]
            self._fmu.set_real([self.description.inputs[i].reference for i in chosen], inputs[chosen])

    def _completed(self, time: float) -> tuple[bool, bool]:
        self._fmu.time = time
        asked, ended = self._fmu.completed_integrator_step()
        return asked, ended or self._fmu.get_event_info().terminateSimulation

    def _event(self, inputs: FloatArray | None = None, values: StartValues | None = None) -> None:
        if self.solving.restart and inputs is not None:
            self._set(inputs)
            return
        self._fmu.enter_event_mode()
        if inputs is not None:
            self._set(inputs)
        if values is not None:
            self._set_tunables(values)
        self._settle()

    def _settle(self) -> None:
        self._fmu.event_update()
        self._fmu.enter_continuous_time_mode()
        info = self._fmu.get_event_info()
        self._next_event = info.nextEventTime if info.nextEventTimeDefined else np.inf
        self._fresh = True
