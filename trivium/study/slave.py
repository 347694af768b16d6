"""A co-simulation FMU of FMI 2.0 in this process, called through its C functions alone.

It is loaded once and reused: a run begins by one of three ways to a fresh start (`Strategy`), all followed by the
parameters and the initialization.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import c_char_p, c_double, c_int, c_size_t, c_void_p
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.model.contract import FloatArray
from trivium.model.fmu.library import load
from trivium.model.fmu.messages import messages
from trivium.study import loop
from trivium.study.fmu import Fmu, Scalar

#: How an instance becomes fresh again: FMI's reset, its state before the initialization set again, a new instance.
Strategy = Literal["reset", "restore", "fresh"]
STRATEGIES: tuple[Strategy, ...] = ("reset", "restore", "fresh")

_STATUS = ("OK", "Warning", "Discard", "Error", "Fatal", "Pending")
_CO_SIMULATION = 1
_WARNING = 1
_SIGNATURES: dict[str, list[Any]] = {
    "SetupExperiment": [c_size_t, c_int, c_double, c_double, c_int, c_double],
    "EnterInitializationMode": [c_size_t],
    "ExitInitializationMode": [c_size_t],
    "Reset": [c_size_t],
    "GetFMUstate": [c_size_t, c_void_p],
    "SetFMUstate": [c_size_t, c_void_p],
    "DoStep": [c_size_t, c_double, c_double, c_int],
    **{f"{verb}{kind}": [c_size_t] * 4 for verb in ("Set", "Get") for kind in ("Real", "Integer", "Boolean")},
}
_DTYPES: dict[str, type[np.generic]] = {"Real": np.float64, "Integer": np.int32, "Boolean": np.int32}


@dataclass(frozen=True)
class Experiment:
    """What is the same in all runs.

    Attributes
    ----------
    start, step : float
        In the FMU's unit of time.
    count : int
        Steps.
    tolerance : float or None
        Relative tolerance handed to the FMU.
    """

    start: float
    step: float
    count: int
    tolerance: float | None


class Slave:
    """An FMU that runs again and again.

    Parameters
    ----------
    fmu : Fmu
    outputs : sequence of Scalar
        What is recorded: reals first, then integers, then booleans.
    inputs : sequence of Scalar
        What follows a table, in the same order.
    strategy : Strategy

    Raises
    ------
    ModelError
        When the binary cannot be loaded or lacks a function.
    """

    def __init__(self, fmu: Fmu, outputs: Sequence[Scalar], inputs: Sequence[Scalar], strategy: Strategy) -> None:
        from trivium.model.fmu.fmpy_fmi2 import CALLBACKS

        loop.compile_loop()
        load(fmu.description)
        self._fmu, self._strategy = fmu, strategy
        self._callbacks = CALLBACKS
        library = ctypes.CDLL(str(fmu.description.library))
        try:
            self._call = {name: _function(library, name, types) for name, types in _SIGNATURES.items()}
            self._make = library.fmi2Instantiate
            self._free = library.fmi2FreeInstance
        except AttributeError as error:
            raise ModelError(f"the FMU {fmu.description.name} lacks a function: {error}") from error
        looped = ("DoStep", "GetReal", "GetInteger", "GetBoolean", "SetReal", "SetInteger", "SetBoolean")
        self._addresses = [ctypes.cast(self._call[name], c_void_p).value for name in looped]
        self._make.restype = c_size_t
        self._make.argtypes = [c_char_p, c_int, c_char_p, c_char_p, c_void_p, c_int, c_int]
        self._free.restype, self._free.argtypes = None, [c_size_t]
        self._outputs, self._inputs = (
            tuple(_references(scalars, kind) for kind in _DTYPES) for scalars in (outputs, inputs)
        )
        self._driven = [scalar.name for scalar in inputs]
        self._instance = 0
        self._state = c_void_p()

    def run(self, values: Mapping[str, float], experiment: Experiment, table: FloatArray, out: FloatArray) -> None:
        """Simulate a run.

        Parameters
        ----------
        values : Mapping[str, float]
            Parameters and start values.
        experiment : Experiment
        table : FloatArray, shape (count, n_inputs)
            Values of the inputs during each step.
        out : FloatArray, shape (count + 1, n_outputs)
            Is filled.

        Raises
        ------
        ModelError
            When the FMU fails or an output is no finite number; the next run gets a new instance.
        """
        messages().clear()
        try:
            self._begin()
            self._set(values)
            tolerance = experiment.tolerance
            self._do("SetupExperiment", int(tolerance is not None), tolerance or 0.0, experiment.start, 0, 0.0)
            first = dict(zip(self._driven, table[0].tolist(), strict=True)) if self._driven else {}
            self._set(first)
            self._do("EnterInitializationMode")
            self._set(first)
            self._do("ExitInitializationMode")
            point, status = loop.simulate(
                *self._addresses, self._instance, *self._outputs, *self._inputs, table,
                experiment.start, experiment.step, experiment.count, out,
            )  # fmt: skip
            if status:
                at = experiment.start + point * experiment.step
                what = (
                    "an output is no finite number" if status == loop.NOT_FINITE else f"the status is {_STATUS[status]}"
                )
                raise ModelError(f"at time {at:g} {what}{_said()}")
        except ModelError:
            self.close()
            raise

    def close(self) -> None:
        """Free the instance; a state of it goes with it."""
        if self._instance:
            self._free(self._instance)
        self._instance, self._state = 0, c_void_p()

    def _begin(self) -> None:
        if self._instance and self._strategy == "reset":
            self._do("Reset")
            return
        if self._instance and self._strategy == "restore":
            self._do("SetFMUstate", self._state)
            return
        self.close()
        about = self._fmu.description
        resources = (about.directory / "resources").as_uri().encode()
        self._instance = self._make(
            about.identifier.encode(), _CO_SIMULATION, about.guid.encode(), resources,
            ctypes.addressof(self._callbacks), 0, 1,
        )  # fmt: skip
        if not self._instance:
            raise ModelError(f"the FMU refuses to make an instance{_said()}")
        if self._strategy == "restore":
            self._do("GetFMUstate", ctypes.byref(self._state))

    def _set(self, values: Mapping[str, float]) -> None:
        for kind, dtype in _DTYPES.items():
            chosen = [(self._fmu.scalars[name], value) for name, value in values.items()]
            mine = [(scalar.reference, value) for scalar, value in chosen if scalar.kind == kind]
            if mine:
                references = np.array([reference for reference, _ in mine], dtype=np.uint32)
                numbers = np.array([value for _, value in mine]).astype(dtype)
                self._do(f"Set{kind}", references.ctypes.data, len(mine), numbers.ctypes.data)

    def _do(self, name: str, *arguments: Any) -> None:
        status = self._call[name](self._instance, *arguments)
        if status > _WARNING:
            raise ModelError(f"fmi2{name}: the status is {_STATUS[status]}{_said()}")


def _function(library: ctypes.CDLL, name: str, types: list[Any]) -> Any:
    function = getattr(library, f"fmi2{name}")
    function.restype, function.argtypes = c_int, types
    return function


def _references(scalars: Sequence[Scalar], kind: str) -> NDArray[np.uint32]:
    return np.array([scalar.reference for scalar in scalars if scalar.kind == kind], dtype=np.uint32)


def _said() -> str:
    said = messages()
    return f"; the FMU says: {' | '.join(said)}" if said else ""
