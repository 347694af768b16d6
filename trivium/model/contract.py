"""The contract of a model: what every adapter of an FMU must offer, and the rules that hold for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.model.horizon import DefaultExperiment
from trivium.model.variable import Variable

FloatArray = NDArray[np.float64]
#: Values that are set before initialization, by name; text for variables of the kind ``text``.
StartValues = Mapping[str, float | str]


class State(Enum):
    """Where a model is in its life."""

    FRESH = "fresh"  #: nothing simulated yet; `initialize` comes next
    READY = "ready"  #: initialized; may be stepped
    FAILED = "failed"  #: a call failed; only `restore`, `initialize` and `close` are allowed
    CLOSED = "closed"  #: gone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a model needs to go on from a moment.

    Attributes
    ----------
    time : float
        The moment [s].
    data : bytes or None
        The model's own serialized state; None for a model that was fresh.
    start_values : Mapping[str, float or str]
        What was set before initialization: not every FMU keeps its parameters in its state.
    """

    time: float
    data: bytes | None
    start_values: StartValues = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Jacobian:
    """Values and first derivatives of a model's equations at a moment.

    Attributes
    ----------
    states, rates : FloatArray, shape (n,)
        Continuous states and their derivatives by time [unit, unit a second].
    outputs : FloatArray, shape (p,)
        The outputs that were asked for.
    matrix : FloatArray, shape (n + p, n + m)
        Derivatives of rates and outputs by states and by the inputs that were asked for.
    directional : bool
        Whether the model gave the derivatives itself; otherwise they are central differences of its equations.
    """

    states: FloatArray
    rates: FloatArray
    outputs: FloatArray
    matrix: FloatArray
    directional: bool


class Model(ABC):
    """A simulation that is initialized once and then stepped.

    The public methods own the rules, so that adapters only translate calls. Rules for implementers:

    * Implement `twin`, `_initialize`, `_step`, `_read`, `_serialize`, `_deserialize` and `_discard`, `_texts` where
      outputs may be text, `_change` where parameters are tunable, `_look` where there are steady variables, `_ramp`
      where `can_ramp` is set and `_differentiate` where `can_differentiate` is; nothing else is called.
    * Translate every error of the vendor to `ModelError` there, with the log messages of the FMU in its text.
    * `_discard` throws the instance away, also a failed one, and never raises. The next `_initialize` or `_deserialize`
      makes a new instance. No method is ever called on a failed instance but this one: to reset it or to set its state
      may crash the process.
    * `_serialize` returns bytes that `_deserialize` of another object of the class, possibly in another process, takes.
      Where the FMU cannot do that, `can_snapshot` is False and neither is called.
    * `_initialize` and `_deserialize` both set `start_values` in the new instance, before its initialization.
    * All calls come from one thread, the same for the whole life of the object: FMUs keep memory per thread.

    Parameters
    ----------
    inputs, outputs : sequence of Variable
        In the order of the arrays that `step` takes and returns.
    can_snapshot : bool
        Whether the state can be serialized.
    parameters : sequence of Variable
        All that may be set before initialization and is no input: parameters and start values.
    experiment : DefaultExperiment
        What the FMU proposes.
    n_strict : int, optional
        So many of the outputs, the first ones, must be finite numbers; default: all.
    n_measured : int, optional
        So many of the outputs, the first ones, are measurements; the others are recorded only. Default: all.
    steady : sequence of Variable
        Further variables, which change only where a parameter is changed: `look` reads them.
    unrecorded : sequence of Variable
        Variables that the FMU has and that are read nowhere here.
    dimensions : sequence of str
        Steady variables that sizes of arrays follow from.
    continuous : collection of str, optional
        Names of inputs that may change at any time, not at events only; default: all that are real.
    can_ramp : bool
        Whether continuous inputs can change within a step; otherwise all hold.
    states : sequence of Variable
        Continuous states, where the model gives them and the derivatives of its equations.
    can_differentiate : bool
        Whether `differentiate` can be called.
    """

    #: Whether each of its lives is a process of its own.
    isolated: ClassVar[bool] = False

    def __init__(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        *,
        can_snapshot: bool,
        parameters: Sequence[Variable] = (),
        experiment: DefaultExperiment | None = None,
        n_strict: int | None = None,
        n_measured: int | None = None,
        steady: Sequence[Variable] = (),
        unrecorded: Sequence[Variable] = (),
        dimensions: Sequence[str] = (),
        continuous: Collection[str] | None = None,
        can_ramp: bool = False,
        states: Sequence[Variable] = (),
        can_differentiate: bool = False,
    ) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.can_snapshot = can_snapshot
        self.parameters = tuple(parameters)
        self.experiment = experiment or DefaultExperiment()
        self.n_strict = len(self.outputs) if n_strict is None else n_strict
        self.n_measured = len(self.outputs) if n_measured is None else n_measured
        self.steady, self.unrecorded = tuple(steady), tuple(unrecorded)
        self.dimensions = tuple(dimensions)
        reals = (variable.name for variable in self.inputs if variable.kind == "real")
        self.continuous = frozenset(reals if continuous is None else continuous)
        self.can_ramp = can_ramp
        self.states, self.can_differentiate = tuple(states), can_differentiate
        self._kinds = {variable.name: variable.kind for variable in self.parameters}
        self._tunable = {variable.name for variable in self.parameters if variable.tunable}
        self._start_values: StartValues = {}
        #: What the length of every step must be a multiple of [s]; None where any will do.
        self.unit_step: float | None = None
        #: Whether a step gives the same numbers, but for its tolerance, when it is divided.
        self.seamless = False
        #: Where the model is in its life.
        self.state = State.FRESH
        #: Time of the model [s].
        self.time = 0.0

    @property
    def measurements(self) -> tuple[Variable, ...]:
        """The outputs that are measurements."""
        return self.outputs[: self.n_measured]

    @property
    def start_values(self) -> StartValues:
        """What was set before the present initialization, or changed since."""
        return self._start_values

    @property
    def kind(self) -> str:
        """What kind of model it is: only models of one kind read each other's snapshots."""
        return type(self).__qualname__

    @property
    def exact_here(self) -> bool:
        """Whether a model that is restored in the process that saved it goes on bit by bit as if it had not been."""
        return True

    @property
    def exact_elsewhere(self) -> bool:
        """Whether a model that is restored in another process does so."""
        return True

    def initialize(self, time: float, inputs: FloatArray, start_values: StartValues | None = None) -> None:
        """Start anew at a time, in a new instance.

        Parameters
        ----------
        time : float
            Start time [s].
        inputs : FloatArray, shape (n_inputs,)
            Values that the inputs have during initialization.
        start_values : Mapping[str, float or str], optional
            Values of `parameters` by name; the others keep what the FMU gives them.

        Raises
        ------
        ModelError
            When a name or the type of a value is wrong (nothing is changed then), or when the model refuses; it is
            then failed.
        """
        self._require(State.FRESH, State.READY, State.FAILED)
        values = self._typed(start_values or {})
        self.reset()
        self._start_values = values
        with _Failing(self):
            self._initialize(time, inputs)
        self.time = time
        self.state = State.READY

    def step(
        self, duration: float, inputs: FloatArray, end: float | None = None, slopes: FloatArray | None = None
    ) -> FloatArray:
        """Simulate on with inputs that are constant, or change along straight lines.

        Parameters
        ----------
        duration : float
            How far [s].
        inputs : FloatArray, shape (n_inputs,)
            Values at the beginning of the step.
        end : float, optional
            Time at the end [s], which a clock may know better than a sum of durations.
        slopes : FloatArray, shape (n_inputs,), optional
            How fast the inputs change over the step [their unit a second], other than 0 for `continuous` ones only;
            not looked at where the model cannot `can_ramp`. Without them they hold.

        Returns
        -------
        FloatArray, shape (n_outputs,)
            Outputs at the end of the step; a new array at every call.

        Raises
        ------
        ModelError
            When the model fails or answers with a number that is not finite; it is then failed.
        """
        if self.state is not State.READY:
            raise self._unready()
        try:
            if slopes is None or not self.can_ramp:
                outputs = self._step(self.time, duration, inputs)
            else:
                outputs = self._ramp(self.time, duration, inputs, slopes)
            if not np.isfinite(outputs[: self.n_strict]).all():
                raise self._not_finite(outputs)
        except BaseException:
            self.state = State.FAILED
            raise
        self.time = self.time + duration if end is None else end
        return outputs

    def change(self, values: StartValues) -> None:
        """Change tunable parameters and inputs that are text, between two steps.

        Parameters
        ----------
        values : Mapping[str, float or str]
            By name; what is left out keeps its value.

        Raises
        ------
        ModelError
            When a name or the type of a value is wrong (nothing is changed then), or when the model refuses; it is
            then failed.
        """
        self._require(State.READY)
        typed = self._typed(values)
        for name in typed:
            if name not in self._tunable:
                raise ModelError(f"the parameter {name} can be set before an initialization only")
        with _Failing(self):
            self._change(typed)
        self._start_values = {**self._start_values, **typed}

    def look(self, names: Sequence[str]) -> FloatArray:
        """Return the present values of some of the `steady` variables, shape (n_names,).

        Raises
        ------
        ModelError
            When the model refuses; it is then failed.
        """
        self._require(State.READY)
        with _Failing(self):
            return self._look(names)

    def differentiate(self, inputs: FloatArray, outputs: Sequence[int], columns: Sequence[int]) -> Jacobian:
        """Return the first derivatives of the model's equations at its present states.

        The inputs stay set: to go on as if nothing had happened, restore a snapshot that was made before.

        Parameters
        ----------
        inputs : FloatArray, shape (n_inputs,)
            Values at which the equations are differentiated.
        outputs, columns : sequence of int
            Positions of the outputs that are differentiated, and of the inputs by which: all real ones.

        Raises
        ------
        ModelError
            When the model refuses, or a derivative is no finite number; it is then failed.
        """
        self._require(State.READY)
        if not self.can_differentiate:
            raise ModelError("this model gives neither directional derivatives nor its states")
        with _Failing(self):
            jacobian = self._differentiate(inputs, outputs, columns)
            if not np.isfinite(jacobian.matrix).all():
                raise ModelError("derivatives that are not finite numbers")
        return jacobian

    def read(self) -> FloatArray:
        """Return the present values of the outputs, without a step.

        Returns
        -------
        FloatArray, shape (n_outputs,)

        Raises
        ------
        ModelError
            When the model fails or answers with a number that is not finite; it is then failed.
        """
        self._require(State.READY)
        with _Failing(self):
            outputs = self._read()
            if not np.isfinite(outputs[: self.n_strict]).all():
                raise self._not_finite(outputs)
        return outputs

    def snapshot(self) -> Snapshot:
        """Return all that `restore` needs to come back to now.

        Raises
        ------
        ModelError
            When the model cannot do it, or failed before.
        """
        if self.state is State.FRESH:
            return Snapshot(self.time, None)
        if self.state is not State.READY:
            raise self._unready()
        if not self.can_snapshot:
            raise ModelError("this FMU cannot serialize its state")
        try:
            return Snapshot(self.time, self._serialize(), self._start_values)
        except BaseException:
            self.state = State.FAILED
            raise

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, always in a new instance.

        Raises
        ------
        ModelError
            When the model refuses; it is then failed.
        """
        self._require(State.FRESH, State.READY, State.FAILED)
        self.reset()
        if snapshot.data is not None:
            self._start_values = dict(snapshot.start_values)
            with _Failing(self):
                self._deserialize(snapshot.time, snapshot.data)
            self.state = State.READY
        self.time = snapshot.time

    def reset(self) -> None:
        """Throw the instance away; the model is fresh again."""
        self._require(State.FRESH, State.READY, State.FAILED)
        self._discard()
        self.time = 0.0
        self._start_values = {}
        self.state = State.FRESH

    def texts(self) -> dict[str, str]:
        """Return the present values of the outputs that are text (binary ones in base64), by name.

        Raises
        ------
        ModelError
            When the model refuses; it is then failed.
        """
        self._require(State.READY)
        with _Failing(self):
            return self._texts()

    def close(self) -> None:
        """Free everything; safe to call again."""
        if self.state is not State.CLOSED:
            self._discard()
            self.state = State.CLOSED

    @abstractmethod
    def twin(self, *, apart: bool = False) -> Model:
        """Return a second, fresh model that gives the same numbers.

        Parameters
        ----------
        apart : bool
            Whether it must not work in this process; where the kind of model knows no other, it does.
        """

    def _typed(self, values: StartValues) -> dict[str, float | str]:
        """Return values of parameters, whose names and types are right."""
        for name, value in values.items():
            if name not in self._kinds:
                raise ModelError(f"the model has no parameter {name}")
            if (self._kinds[name] == "text") is not isinstance(value, str):
                raise ModelError(f"the parameter {name} is of the kind {self._kinds[name]}, not {value!r}")
        return dict(values)

    def _not_finite(self, outputs: FloatArray) -> ModelError:
        strict = self.outputs[: self.n_strict]
        names = [v.name for v, y in zip(strict, outputs[: self.n_strict], strict=True) if not np.isfinite(y)]
        return ModelError(f"outputs that are not finite numbers: {', '.join(names)}")

    def _unready(self) -> ModelError:
        return ModelError(f"the model is {self.state.value}")

    def _require(self, *states: State) -> None:
        if self.state not in states:
            raise self._unready()

    def _texts(self) -> dict[str, str]:
        return {}

    def _change(self, values: StartValues) -> None:
        raise ModelError(f"this model cannot change {', '.join(values)} between steps")

    def _look(self, names: Sequence[str]) -> FloatArray:
        raise ModelError(f"this model does not return {', '.join(names)}")

    def _differentiate(self, inputs: FloatArray, outputs: Sequence[int], columns: Sequence[int]) -> Jacobian:
        raise NotImplementedError

    @abstractmethod
    def _initialize(self, time: float, inputs: FloatArray) -> None: ...

    @abstractmethod
    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray: ...

    def _ramp(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray) -> FloatArray:
        raise NotImplementedError

    @abstractmethod
    def _read(self) -> FloatArray: ...

    @abstractmethod
    def _serialize(self) -> bytes: ...

    @abstractmethod
    def _deserialize(self, time: float, data: bytes) -> None: ...

    @abstractmethod
    def _discard(self) -> None: ...


class _Failing:
    """Mark the model as failed when the body raises; what every step enters does so itself, which is faster."""

    __slots__ = ("_model",)

    def __init__(self, model: Model) -> None:
        self._model = model

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._model.state = State.FAILED
