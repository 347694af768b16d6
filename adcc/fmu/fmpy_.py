"""FMI 2.0 co-simulation through FMPy.

FMPy loads the binary and declares its functions; values are passed in arrays that are allocated once, one per type, so
a step costs no Python loop over variables. The log messages of the FMU are kept and go into the errors.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from ctypes import CDLL, byref, c_double, c_int, c_size_t, c_uint, create_string_buffer
from typing import Any, ClassVar

import fmpy.fmi2 as fmi2
import numpy as np
from fmpy.fmi1 import FMICallException
from numpy.typing import NDArray

from adcc.core.model import FloatArray, Model
from adcc.core.variables import with_plant_bounds
from adcc.errors import ModelError
from adcc.fmu.description import FmuDescription, FmuVariable

#: Relative tolerance where neither the test case nor the FMU says one.
TOLERANCE = 1e-4
#: How many log messages an error carries at most.
MESSAGES = 20

# Each thread has its own messages: an FMU logs on the thread that called it.
_log = threading.local()


def _messages() -> deque[str]:
    messages: deque[str] | None = getattr(_log, "messages", None)
    if messages is None:
        messages = _log.messages = deque(maxlen=MESSAGES)
    return messages


def _on_message(_environment: Any, _instance: Any, status: int, _category: Any, message: bytes | None) -> None:
    if status != fmi2.fmi2OK and message is not None:
        _messages().append(message.decode("utf-8", "replace").strip())


def _callbacks() -> Any:
    callbacks = fmi2.fmi2CallbackFunctions()
    callbacks.logger = fmi2.fmi2CallbackLoggerTYPE(_on_message)
    callbacks.allocateMemory = fmi2.defaultCallbacks.allocateMemory
    callbacks.freeMemory = fmi2.defaultCallbacks.freeMemory
    with contextlib.suppress(AttributeError):
        # FMPy's helper in C fills in the arguments of a message; without it (other platforms) the raw format stays
        fmi2.addLoggerProxy(byref(callbacks))
    return callbacks


_CALLBACKS = _callbacks()


class _Group:
    """Variables of one type, with the buffers that they are passed in.

    Parameters
    ----------
    variables : sequence of FmuVariable
        All inputs or all outputs.
    kinds : set of str
        The types of this group.
    dtype : type
        ``np.float64`` for reals, ``np.int32`` for integers and booleans.
    """

    def __init__(self, variables: Sequence[FmuVariable], kinds: set[str], dtype: type) -> None:
        where = [i for i, v in enumerate(variables) if v.variable.kind in kinds]
        self.where = np.array(where, dtype=np.intp)
        self.count = len(where)
        self.references = (c_uint * self.count)(*(variables[i].reference for i in where))
        self.buffer: Any = ((c_double if dtype is np.float64 else c_int) * self.count)()
        self.values: NDArray[Any] = np.frombuffer(memoryview(self.buffer), dtype=dtype)  # the same memory


def _groups(variables: Sequence[FmuVariable]) -> dict[str, _Group]:
    groups = {
        "Real": _Group(variables, {"real"}, np.float64),
        "Integer": _Group(variables, {"integer"}, np.int32),
        "Boolean": _Group(variables, {"boolean"}, np.int32),
    }
    return {kind: group for kind, group in groups.items() if group.count}


def load(description: FmuDescription) -> None:
    """Load the binary of an FMU, before a vendor does: FMPy leaves the working directory changed when it fails.

    Raises
    ------
    ModelError
        Naming the library that is missing, where that is the reason.
    """
    try:
        CDLL(str(description.library))
    except OSError as error:
        raise ModelError(f"the FMU {description.name} cannot be loaded: {error}") from error


class FmpyModel(Model):
    """An FMI 2.0 co-simulation FMU, called through FMPy.

    Parameters
    ----------
    description : FmuDescription
    tolerance : float or None
        Relative tolerance; None for what the FMU recommends.

    Raises
    ------
    ModelError
        When the binary cannot be loaded.
    """

    _binding: ClassVar[type[Any]] = fmi2.FMU2Slave

    def __init__(self, description: FmuDescription, tolerance: float | None = None) -> None:
        super().__init__(
            with_plant_bounds(v.variable for v in description.inputs),
            tuple(v.variable for v in description.outputs),
            can_snapshot=description.can_snapshot,
            parameters=[v.variable for v in description.parameters],
            experiment=description.experiment,
        )
        self._description = description
        self._tolerance = tolerance or description.experiment.tolerance or TOLERANCE
        self._set_groups = _groups(description.inputs)
        self._get_groups = _groups(description.outputs)
        self._parameters = {v.variable.name: v for v in description.parameters}
        self._n_outputs = len(self.outputs)
        self._memory = fmi2.fmi2FMUstate()  # the FMU's own copy of its state, reused by every snapshot
        self._size = c_size_t()
        self._buffer = create_string_buffer(0)
        self._alive = False
        load(description)
        try:
            self._fmu = self._binding(
                guid=description.guid,
                modelIdentifier=description.identifier,
                unzipDirectory=str(description.directory),
                instanceName=description.identifier,
                libraryPath=str(description.library),
            )
        except Exception as error:  # FMPy raises bare exceptions when a library cannot be loaded
            raise ModelError(f"the FMU {description.name} cannot be loaded: {error}") from error

    def twin(self) -> FmpyModel:
        """Return a second, fresh model of the same FMU; see the base class."""
        if self._description.one_instance:
            raise ModelError(f"the FMU {self._description.name} allows one instance a process")
        return type(self)(self._description, self._tolerance)

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        with translated("initialize"):
            self._start(time, inputs)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        with translated("step"):
            self._set(inputs)
            self._fmu.fmi2DoStep(self._fmu.component, time, duration, fmi2.fmi2True)
            return self._get()

    def _serialize(self) -> bytes:
        with translated("serialize"):
            return self._get_state()

    def _deserialize(self, time: float, data: bytes) -> None:
        with translated("restore"):
            self._set_state(time, data)

    def _discard(self) -> None:
        if self._alive:
            self._alive = False
            self._memory = fmi2.fmi2FMUstate()  # went with the instance
            # To free is the one call that is allowed after an error.
            self._fmu.fmi2FreeInstance(self._fmu.component)

    def _start(self, time: float, inputs: FloatArray | None = None) -> None:
        """Make an instance and bring it through its initialization."""
        self._instantiate()
        for name, value in self.start_values.items():
            self._set_start(self._parameters[name], value)
        self._fmu.setupExperiment(tolerance=self._tolerance, startTime=time)
        if inputs is not None:
            self._set(inputs)
        self._fmu.enterInitializationMode()
        if inputs is not None:
            self._set(inputs)
        self._fmu.exitInitializationMode()

    def _get_state(self) -> bytes:
        fmu, component = self._fmu, self._fmu.component
        fmu.fmi2GetFMUstate(component, byref(self._memory))
        fmu.fmi2SerializedFMUstateSize(component, self._memory, byref(self._size))
        if len(self._buffer) != self._size.value:
            self._buffer = create_string_buffer(self._size.value)
        fmu.fmi2SerializeFMUstate(component, self._memory, self._buffer, self._size)
        return self._buffer.raw

    def _set_state(self, time: float, data: bytes) -> None:
        """Make an instance that stands where the serialized one stood."""
        self._start(time)
        state = self._fmu.deSerializeFMUstate(data)
        try:
            self._fmu.setFMUstate(state)
        finally:
            self._fmu.freeFMUstate(state)

    def _instantiate(self) -> None:
        self._fmu.instantiate(callbacks=_CALLBACKS, loggingOn=True)
        self._alive = True

    def _set_start(self, variable: FmuVariable, value: float | str) -> None:
        setters = {
            "real": self._fmu.setReal,
            "integer": self._fmu.setInteger,
            "boolean": self._fmu.setBoolean,
            "text": self._fmu.setString,
        }
        kind = variable.variable.kind
        exact = value if isinstance(value, str) or kind == "real" else int(value)
        setters[kind]([variable.reference], [exact])

    def _texts(self) -> dict[str, str]:
        with translated("tell its texts"):
            references = [text.reference for text in self._description.texts]
            values = self._fmu.getString(references) if references else []
            names = (text.variable.name for text in self._description.texts)
            return {name: (value or b"").decode() for name, value in zip(names, values, strict=True)}

    def _set(self, inputs: FloatArray) -> None:
        for kind, group in self._set_groups.items():
            group.values[:] = inputs[group.where]
            setter = getattr(self._fmu, f"fmi2Set{kind}")
            setter(self._fmu.component, group.references, group.count, group.buffer)

    def _get(self) -> FloatArray:
        outputs = np.empty(self._n_outputs)
        for kind, group in self._get_groups.items():
            getter = getattr(self._fmu, f"fmi2Get{kind}")
            getter(self._fmu.component, group.references, group.count, group.buffer)
            outputs[group.where] = group.values
        return outputs


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn FMPy's errors into ours, with what the FMU said."""
    messages = _messages()
    messages.clear()
    try:
        yield
    except Exception as error:  # FMICallException, or a bare exception where an instance cannot be made
        reason = str(error) if isinstance(error, FMICallException) else f"{type(error).__name__}: {error}"
        said = f" The FMU says: {' | '.join(messages)}" if messages else ""
        raise ModelError(f"the FMU failed to {what}: {reason}{said}") from error
