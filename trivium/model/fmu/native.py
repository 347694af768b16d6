"""The native loop: a co-simulation FMU of FMI 2.0 that is run again and again, through its C functions alone.

It is loaded once and reused: a run begins by one of three ways to a fresh start (`Strategy`), all followed by the
parameters and the initialization. The loop over output points is compiled (`trivium.model.fmu.compiled`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from ctypes import c_char_p, c_double, c_int, c_size_t, c_void_p
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.library import load
from trivium.model.fmu.messages import LOG
from trivium.model.fmu.scalars import FmuVariable, is_input

#: How an instance becomes fresh again: FMI's reset, its state before the initialization set again, a new instance.
Strategy = Literal["reset", "restore", "fresh"]
STRATEGIES: tuple[Strategy, ...] = ("reset", "restore", "fresh")

_STATUS = ("OK", "Warning", "Discard", "Error", "Fatal", "Pending")
_CO_SIMULATION = 1
_WARNING, _DISCARD, _TERMINATED = 1, 2, 3
_SIGNATURES: dict[str, list[Any]] = {
    "SetupExperiment": [c_size_t, c_int, c_double, c_double, c_int, c_double],
    "EnterInitializationMode": [c_size_t],
    "ExitInitializationMode": [c_size_t],
    "Reset": [c_size_t],
    "GetFMUstate": [c_size_t, c_void_p],
    "SetFMUstate": [c_size_t, c_void_p],
    "DoStep": [c_size_t, c_double, c_double, c_int],
    "GetBooleanStatus": [c_size_t, c_int, c_size_t],
    **{f"{verb}{kind}": [c_size_t] * 4 for verb in ("Set", "Get") for kind in ("Real", "Integer", "Boolean")},
}
_ORDER = ("real", "integer", "boolean")
_DTYPES: dict[str, type[np.generic]] = {"Real": np.float64, "Integer": np.int32, "Boolean": np.int32}


def runs(description: FmuDescription) -> bool:
    """Return whether the native loop can run an FMU."""
    return description.version == "2.0" and description.interface == "cs"


def in_order(variables: Iterable[FmuVariable]) -> list[FmuVariable]:
    """Return variables in the order that the loop reads and writes them in: reals, integers, booleans."""
    return sorted(variables, key=lambda variable: _ORDER.index(variable.variable.kind))


class NativeLoop:
    """An FMU that runs again and again.

    Parameters
    ----------
    description : FmuDescription
        Of co-simulation in FMI 2.0; see `runs`.
    outputs : sequence of FmuVariable
        What is recorded, in the order of `in_order`.
    inputs : sequence of FmuVariable
        What follows a table, in the same order.
    strategy : Strategy

    Raises
    ------
    ModelError
        When the binary cannot be loaded or lacks a function.
    """

    def __init__(
        self,
        description: FmuDescription,
        outputs: Sequence[FmuVariable],
        inputs: Sequence[FmuVariable],
        strategy: Strategy,
    ) -> None:
        from trivium.model.fmu import compiled  # brings numba, which an extra may lack
        from trivium.model.fmu.fmpy_fmi2 import CALLBACKS

        compiled.compile_loop()
        self._compiled = compiled
        load(description)
        self._description, self._strategy = description, strategy
        self._settable = {v.variable.name: v for v in (*description.parameters, *description.inputs)}
        self._callbacks = CALLBACKS
        library = ctypes.CDLL(str(description.library))
        # those of FMI's that an FMU need not have are missed where the way of reuse calls them
        optional = {"Reset", "GetFMUstate", "SetFMUstate", "GetBooleanStatus"}
        try:
            self._call = {
                name: _function(library, name, types)
                for name, types in _SIGNATURES.items()
                if name not in optional or hasattr(library, f"fmi2{name}")
            }
            self._make = library.fmi2Instantiate
            self._free = library.fmi2FreeInstance
        except AttributeError as error:
            raise ModelError(f"the FMU {description.name} lacks a function: {error}") from error
        looped = ("DoStep", "GetReal", "GetInteger", "GetBoolean", "SetReal", "SetInteger", "SetBoolean")
        self._addresses = [ctypes.cast(self._call[name], c_void_p).value for name in looped]
        self._make.restype = c_size_t
        self._make.argtypes = [c_char_p, c_int, c_char_p, c_char_p, c_void_p, c_int, c_int]
        self._free.restype, self._free.argtypes = None, [c_size_t]
        self._outputs, self._inputs = (
            tuple(_references(variables, kind) for kind in _DTYPES) for variables in (outputs, inputs)
        )
        self._driven = [driven.variable.name for driven in inputs]
        self._instance = 0
        self._state = c_void_p()

    def run(
        self,
        values: Mapping[str, float],
        times: FloatArray,
        lengths: FloatArray,
        recorded: NDArray[np.bool_],
        tolerance: float | None,
        table: FloatArray,
        out: FloatArray,
    ) -> None:
        """Simulate a run.

        Parameters
        ----------
        values : Mapping[str, float]
            Parameters and start values.
        times : FloatArray, shape (count + 1,)
            Where steps begin and end, in the FMU's unit of time.
        lengths : FloatArray, shape (count,)
            Of the steps between them.
        recorded : array of bool, shape (count + 1,)
            Whether outputs are recorded there.
        tolerance : float or None
            Relative tolerance [1]; None for what the FMU recommends.
        table : FloatArray, shape (count, n_inputs)
            Values of the inputs during each step.
        out : FloatArray, shape (n_recorded, n_outputs)
            Is filled.

        Raises
        ------
        ModelError
            When the FMU fails or an output is no finite number; the next run gets a new instance.
        """
        LOG.messages.clear()
        try:
            self._begin()
            tolerance = tolerance or self._description.experiment.tolerance
            self._do("SetupExperiment", int(tolerance is not None), tolerance or 0.0, times[0], 0, 0.0)
            # the experiment sets some FMUs back to their own values
            self._set({name: value for name, value in values.items() if not is_input(self._settable[name])})
            self._do("EnterInitializationMode")  # inputs may not be set before, which some FMUs refuse
            first = dict(zip(self._driven, table[0].tolist(), strict=True)) if self._driven else {}
            self._set({**{name: value for name, value in values.items() if is_input(self._settable[name])}, **first})
            self._do("ExitInitializationMode")
            point, status = self._compiled.simulate(
                *self._addresses,
                self._instance,
                *self._outputs,
                *self._inputs,
                table,
                times,
                lengths,
                recorded,
                out,
            )
            if status:
                time, reason = times[point], "an output is no finite number"
                if status == _DISCARD and self._ended():
                    raise EndedError(f"the FMU ended the simulation at {time:g} s{_log()}")
                if status != self._compiled.NOT_FINITE:
                    reason = f"the status is {_STATUS[status]}"
                raise ModelError(f"at time {time:g} {reason}{_log()}")
        except ModelError:
            self.close()
            raise

    def close(self) -> None:
        """Free the instance; a state of it goes with it."""
        if self._instance:
            self._free(self._instance)
        self._instance, self._state = 0, c_void_p()

    def _ended(self) -> bool:
        """Return whether the FMU discarded a step because it ended the simulation."""
        if "GetBooleanStatus" not in self._call:
            return False
        value = c_int()
        status = self._call["GetBooleanStatus"](self._instance, _TERMINATED, ctypes.addressof(value))
        return status <= _WARNING and bool(value.value)

    def _begin(self) -> None:
        if self._instance and self._strategy == "reset":
            self._do("Reset")
            return
        if self._instance and self._strategy == "restore":
            self._do("SetFMUstate", self._state)
            return
        self.close()
        description = self._description
        resources = (description.directory / "resources").as_uri().encode()
        self._instance = self._make(
            description.identifier.encode(), _CO_SIMULATION, description.guid.encode(), resources,
            ctypes.addressof(self._callbacks), 0, 1,
        )  # fmt: skip
        if not self._instance:
            raise ModelError(f"the FMU refuses to make an instance{_log()}")
        if self._strategy == "restore":
            self._do("GetFMUstate", ctypes.byref(self._state))

    def _set(self, values: Mapping[str, float]) -> None:
        for kind, dtype in _DTYPES.items():
            pairs = [(self._settable[name], value) for name, value in values.items()]
            pairs = [(variable, value) for variable, value in pairs if variable.type == kind]
            if pairs:
                references = _references([variable for variable, _ in pairs], kind)
                numbers = np.array([value for _, value in pairs]).astype(dtype)
                self._do(f"Set{kind}", references.ctypes.data, len(pairs), numbers.ctypes.data)

    def _do(self, name: str, *arguments: Any) -> None:
        if name not in self._call:
            raise ModelError(f"the FMU {self._description.name} has no function fmi2{name}")
        status = self._call[name](self._instance, *arguments)
        if status > _WARNING:
            raise ModelError(f"fmi2{name}: the status is {_STATUS[status]}{_log()}")


def _function(library: ctypes.CDLL, name: str, types: list[Any]) -> Any:
    function = getattr(library, f"fmi2{name}")
    function.restype, function.argtypes = c_int, types
    return function


def _references(variables: Sequence[FmuVariable], kind: str) -> NDArray[np.uint32]:
    return np.array([variable.reference for variable in variables if variable.type == kind], dtype=np.uint32)


def _log() -> str:
    lines = LOG.messages
    return f"; the FMU says: {' | '.join(lines)}" if lines else ""
