"""What the adapters of FMPy need of an FMU, whatever version of FMI it is; a module a version implements it.

FMPy loads the binary and declares its functions. Values are passed in arrays that are allocated once, one for each
type, so a step costs no Python loop over variables.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import ctypes
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from fmpy.fmi1 import FMICallException
from numpy.typing import NDArray

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription, Interface
from trivium.model.fmu.events import Discrete
from trivium.model.fmu.messages import LOG
from trivium.model.fmu.scalars import FmuVariable, limits

#: FMI's status of a step that was not taken, and what is asked for then.
_DISCARD, _TERMINATED = 2, 3


def _any(_variable: FmuVariable) -> bool:
    return True


class Group:
    """Numbers of one type, with the buffer that they are passed in.

    Parameters
    ----------
    variables : sequence of FmuVariable
        All of one type; what is set must have all elements of an array, one after the other.
    where : sequence of int
        Their positions in the arrays of `Model`.
    calls : type of Calls
        The version of FMI.
    """

    def __init__(self, variables: Sequence[FmuVariable], where: Sequence[int], calls: type[Calls]) -> None:
        self.type = variables[0].type
        self.where = np.array(where, dtype=np.intp)
        sizes = {v.reference: v.size for v in variables}
        firsts = dict(zip(sizes, itertools.accumulate(sizes.values(), initial=0), strict=False))
        places = [firsts[v.reference] + v.element for v in variables]
        #: Where the values are in the buffer.
        self.picked: slice | NDArray[np.intp] = np.array(places, dtype=np.intp)
        if places == list(range(len(places))):
            self.picked = slice(None, len(places))  # a view, and no copy
        references = list(sizes)
        ctype = calls.ctypes[self.type]
        buffer: Any = (ctype * sum(sizes.values()))()
        dtype = np.dtype(np.int8) if self.type == "Boolean" and ctypes.sizeof(ctype) == 1 else np.dtype(ctype)
        self.values: NDArray[Any] = np.frombuffer(memoryview(buffer).cast("B"), dtype=dtype)  # the same memory
        #: Names of the functions that pass the values, and their arguments after the instance.
        self.setter, self.getter = f"{calls.prefix}Set{self.type}", f"{calls.prefix}Get{self.type}"
        n_values = (len(buffer),) if calls.counts_values else ()
        self.arguments = ((ctypes.c_uint * len(references))(*references), len(references), buffer, *n_values)
        self._limits = None if self.values.dtype == np.float64 else limits(self.type)
        self._names = [v.variable.name for v in variables]

    def fill(self, values: FloatArray) -> None:
        """Take the group's values out of an array of all.

        Raises
        ------
        ModelError
            When one is no number of its type.
        """
        mine = values[self.where]
        if len(mine) != len(self.values):
            raise ModelError(f"of an array all elements must be set, not only {', '.join(self._names)}")
        if self._limits is not None:
            fits = (mine >= self._limits[0]) & (mine <= self._limits[1])
            if not fits.all():
                bad = int(np.argmin(fits))
                raise ModelError(f"{self._names[bad]} cannot be {mine[bad]:g}: it is of the type {self.type}")
        self.values[:] = mine


class Numbers:
    """Numbers that are passed together, as an array: a group for each type.

    Parameters
    ----------
    variables : sequence of FmuVariable
        In the order of the array.
    calls : Calls
        Whose FMU is loaded.
    some : sequence of FmuVariable, optional
        Those of them that are passed; default: all.
    """

    def __init__(
        self, variables: Sequence[FmuVariable], calls: Calls, some: Sequence[FmuVariable] | None = None
    ) -> None:
        self._fmu = calls.fmu
        position = {id(v): i for i, v in enumerate(variables)}
        groups = _by_type(variables if some is None else some).values()
        self._groups = [Group(group, [position[id(v)] for v in group], type(calls)) for group in groups]
        self._count = len(variables)

    def set(self, values: FloatArray) -> None:
        """Set them in the present instance."""
        fmu = self._fmu
        for group in self._groups:
            group.fill(values)
            getattr(fmu, group.setter)(fmu.component, *group.arguments)

    def get(self) -> FloatArray:
        """Return them from the present instance; a new array at every call."""
        fmu, values = self._fmu, np.empty(self._count)
        for group in self._groups:
            getattr(fmu, group.getter)(fmu.component, *group.arguments)
            values[group.where] = group.values[group.picked]
        return values


class Slopes:
    """First derivatives of continuous inputs, with the buffer that they are passed in.

    Parameters
    ----------
    inputs : sequence of FmuVariable
        All inputs of the FMU.
    """

    def __init__(self, inputs: Sequence[FmuVariable]) -> None:
        self._where = np.array([i for i, v in enumerate(inputs) if v.continuous], dtype=np.intp)
        count = len(self._where)
        references = (ctypes.c_uint * count)(*(inputs[i].reference for i in self._where))
        buffer = (ctypes.c_double * count)()
        self._values = np.frombuffer(memoryview(buffer).cast("B"), dtype=np.float64) if count else np.empty(0)
        #: What is passed after the instance.
        self.arguments = (references, count, (ctypes.c_int * count)(*[1] * count), buffer)
        self._changing = False

    def fill(self, slopes: FloatArray | None) -> bool:
        """Take the slopes of all inputs, None for 0; return whether the FMU must be given them."""
        if not len(self._values) or (slopes is None and not self._changing):
            return False
        self._values[:] = 0.0 if slopes is None else slopes[self._where]
        self._changing = slopes is not None
        return True


class Calls(ABC):
    """An FMU and its calls, in a version of FMI.

    Parameters
    ----------
    description : FmuDescription

    Raises
    ------
    ModelError
        When the binary cannot be loaded.
    """

    #: FMPy's class for each interface.
    vendors: ClassVar[dict[Interface, type[Any]]]
    #: What the names of the functions begin with.
    prefix: ClassVar[str]
    #: What FMPy calls the functions of Model Exchange whose names differ.
    derivatives: ClassVar[str] = "getDerivatives"
    nominals: ClassVar[str] = "getNominalsOfContinuousStates"
    #: How numbers are passed, by type.
    ctypes: ClassVar[dict[str, Any]]
    #: Whether functions that pass numbers also take how many there are, as where variables are arrays.
    counts_values: ClassVar[bool] = False

    def __init__(self, description: FmuDescription) -> None:
        self.description = description
        self._slopes = Slopes(description.inputs) if description.interpolates else None
        self._alive = False
        try:
            self.fmu: Any = self.vendors[description.interface](
                guid=description.guid,
                modelIdentifier=description.identifier,
                unzipDirectory=str(description.directory),
                instanceName=description.identifier,
                libraryPath=str(description.library),
            )
        except Exception as error:  # FMPy raises bare exceptions when a function is missing
            raise ModelError(f"the FMU {description.name} cannot be loaded: {error}") from error
        inputs = description.inputs
        self.inputs, self.outputs = Numbers(inputs, self), Numbers(description.outputs, self)
        #: The inputs that may change between events.
        self.continuous = Numbers(inputs, self, [v for v in inputs if v.continuous])

    # Life

    def start(
        self,
        time: float,
        tolerance: float | None,
        start_values: StartValues,
        inputs: FloatArray | None,
        stop: float | None = None,
    ) -> None:
        """Make an instance and initialize it, with tolerance and stop time where they are set."""
        self._instantiate()
        self._alive = True
        if not self.fmu.component:
            self._alive = False
            raise ModelError("it refuses to make an instance")
        self._initialize(time, tolerance, start_values, inputs, stop)

    def free(self) -> None:
        """Free the instance, also a failed one: the one call that is allowed after an error."""
        if self._alive:
            self._alive = False
            self._free()

    @abstractmethod
    def _instantiate(self) -> None: ...

    @abstractmethod
    def _initialize(
        self,
        time: float,
        tolerance: float | None,
        start_values: StartValues,
        inputs: FloatArray | None,
        stop: float | None,
    ) -> None: ...

    @abstractmethod
    def _free(self) -> None: ...

    # Values

    def hold(self, inputs: FloatArray) -> None:
        """Set all inputs of a co-simulation without a step."""
        self.inputs.set(inputs)

    def directional(self, unknowns: Sequence[int], known: int, seed: Sequence[float], length: int) -> FloatArray:
        """Return a directional derivative; see `trivium.model.fmu.fmu_model.Adapter`."""
        raise NotImplementedError

    def values(self, variables: Sequence[FmuVariable]) -> FloatArray:
        """Return numbers, which may be others than the outputs."""
        return Numbers(variables, self).get()

    def set_start_values(self, start_values: StartValues, which: Callable[[FmuVariable], bool] = _any) -> None:
        """Set what is chosen of the parameters; of an array all elements, the others to their own start values.

        Parameters
        ----------
        start_values : Mapping[str, float or str]
            By name.
        which : callable
            Whether a parameter is set now; default: each.
        """
        parameters = [*self.description.parameters, *self.description.dimensions]
        arrays = {(p.type, p.reference) for p in parameters if p.variable.name in start_values}
        affected = [p for p in parameters if (p.type, p.reference) in arrays and which(p)]
        numbers = [p for p in affected if p.variable.kind != "text"]
        values = np.array([float(start_values.get(p.variable.name, p.variable.start or 0.0)) for p in numbers])
        Numbers(numbers, self).set(values)
        for type_, texts in _by_type([p for p in affected if p.variable.kind == "text"]).items():
            strings = [str(start_values.get(p.variable.name, p.variable.text)) for p in texts]
            self._set_texts(type_, [p.reference for p in texts if p.element == 0], strings)

    def texts(self) -> dict[str, str]:
        """Return the outputs that are text."""
        values_by_name: dict[str, str] = {}
        for type_, group in _by_type(self.description.texts).items():
            values = self._get_texts(type_, [v.reference for v in group if v.element == 0], len(group))
            values_by_name.update(zip((v.variable.name for v in group), values, strict=True))
        return {v.variable.name: values_by_name[v.variable.name] for v in self.description.texts}

    def _set_texts(self, type_: str, references: list[int], values: list[str]) -> None:
        contents = [_bytes(value) for value in values] if type_ == "Binary" else values
        getattr(self.fmu, f"set{type_}")(references, contents)

    def _get_texts(self, type_: str, references: list[int], count: int) -> list[str]:
        read = getattr(self.fmu, f"get{type_}")
        values = read(references, count) if count > len(references) else read(references)  # only FMI 3.0 has arrays
        return [_text(type_, value) for value in values]

    # State

    def get_state(self) -> bytes:
        """Return the serialized state."""
        raise NotImplementedError

    def set_state(self, data: bytes) -> None:
        """Take a serialized state in a new instance."""
        raise NotImplementedError

    # Co-simulation

    def change(self, values: StartValues) -> None:
        """Set tunable parameters and inputs that are text, between two steps."""
        self.set_start_values(values)

    def do_step(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray | None = None) -> FloatArray:
        """Let the FMU step itself, with inputs that change as fast as the slopes where it takes them.

        A step that a co-simulation discards because it ends the simulation is distinguished from one that it cannot
        take: FMI 1.0 has no status for that; those of its FMUs that end give the one of FMI 2.0.

        Returns
        -------
        FloatArray, shape (n_outputs,)
            Outputs at the end.
        """
        self.inputs.set(inputs)
        if self._slopes is not None and self._slopes.fill(slopes):
            self._set_derivatives(*self._slopes.arguments)
        try:
            self._do_step(time, duration)
        except FMICallException as error:
            if error.status == _DISCARD and _terminated(self.fmu):
                raise EndedError("the FMU ended the simulation") from error
            raise
        return self.outputs.get()

    def _do_step(self, time: float, duration: float) -> None:
        """Call FMI's ``DoStep``."""
        raise NotImplementedError

    def _set_derivatives(self, *arguments: Any) -> None:
        """Call FMI's ``SetRealInputDerivatives``."""
        raise NotImplementedError

    # Model Exchange

    def sizes(self) -> tuple[int, int]:
        """Return the numbers of continuous states and event indicators of an initialized instance."""
        return self.description.n_states, self.description.n_indicators

    def set_time(self, time: float) -> None:
        """Set the time of the equations [s]."""
        self.fmu.setTime(time)

    def equations(self) -> dict[str, Any]:
        """Return the functions that FMPy's CVODE calls, under the names that it has for them."""
        return {
            "get_x": self.fmu.getContinuousStates,
            "set_x": self.fmu.setContinuousStates,
            "get_dx": getattr(self.fmu, self.derivatives),
            "get_z": self.fmu.getEventIndicators,
            "get_nominals": getattr(self.fmu, self.nominals),
            "set_time": self.fmu.setTime,
        }

    @abstractmethod
    def enter_event_mode(self) -> None:
        """Begin an event; a new instance stands in one after its initialization."""

    @abstractmethod
    def update_discrete_states(self) -> Discrete:
        """Iterate once at an event."""

    @abstractmethod
    def enter_continuous_time_mode(self) -> None:
        """End an event."""

    @abstractmethod
    def completed_integrator_step(self) -> tuple[bool, bool]:
        """Return whether the FMU asks for an event, and whether it ends the simulation."""


@contextlib.contextmanager
def translated(call: str) -> Iterator[None]:
    """Turn FMPy's errors into ours, with what the FMU said."""
    messages = LOG.messages
    messages.clear()
    try:
        yield
    except Exception as error:  # FMICallException, or a bare exception where an instance cannot be made
        clear = isinstance(error, FMICallException | ModelError)
        reason = str(error) if clear else f"{type(error).__name__}: {error}"
        log = f" The FMU says: {' | '.join(messages)}" if messages else ""
        if isinstance(error, EndedError):
            raise EndedError(f"{reason}{log}") from error
        raise ModelError(f"the FMU failed to {call}: {reason}{log}") from error


def _terminated(fmu: Any) -> bool:
    with contextlib.suppress(Exception):  # where it does not say
        value = fmu.getBooleanStatus(_TERMINATED)
        return bool(ord(value.value)) if isinstance(value, ctypes.c_char) else bool(value)
    return False


def _bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ModelError(f"bytes must be given in base64: {error}") from error


def _text(type_: str, value: bytes | str | None) -> str:
    if type_ == "Binary" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


def _by_type(variables: Sequence[FmuVariable]) -> dict[str, list[FmuVariable]]:
    groups: dict[str, list[FmuVariable]] = {}
    for variable in variables:
        groups.setdefault(variable.type, []).append(variable)
    return groups
