"""Functions of Python that feed each other, brought to the point where they agree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import ValidationError

from trivium.arguments import by_name
from trivium.coupling import spec
from trivium.coupling.ending import Ending
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import Result, converge
from trivium.coupling.problem import Problem, connect
from trivium.coupling.record import Record
from trivium.coupling.residual import split
from trivium.document import wrong_fields
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.function import FunctionExperiment, call
from trivium.experiment.function import arguments as arguments_of
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.scratch import Scratch
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Function = Callable[..., Mapping[str, Any]]
#: Most iterations where the caller does not say.
_ITERATIONS = 100
#: Values that the text of a result shows.
_SHOWN = 6


@dataclass(frozen=True, repr=False)
class Convergence:
    """How a coupling ended; true in a condition where it converged.

    Attributes
    ----------
    converged : bool
        Whether it ended at a fixed point.
    outcome : str
        ``converged``, ``drifting``, ``stalled``, ``oscillating``, ``diverged`` or ``out of iterations``.
    reason : str
        In a sentence.
    values : dict[str, float or array]
        All outputs of the last iteration, by name; as ``component.name`` where several components have the name.
    history : DataFrame
        A row an iteration: the values that were iterated, the residual, ``delta`` and ``error`` (its greatest and the
        greatest estimated error, times the tolerance over that of its value) and the contraction rate.
    """

    converged: bool
    outcome: str
    reason: str
    values: dict[str, float | FloatArray]
    history: pd.DataFrame

    def __bool__(self) -> bool:
        return self.converged

    def __repr__(self) -> str:
        shown = [f"{name}={_text(value)}" for name, value in list(self.values.items())[:_SHOWN]]
        ellipsis = ", ..." if len(self.values) > _SHOWN else ""
        count = len(self.history)
        number = f"{count} iteration{'s' if count != 1 else ''}"
        return f"Convergence({self.outcome} after {number}: {', '.join(shown)}{ellipsis})"


class Coupling:
    """Functions that feed each other.

    A function has its inputs as arguments, and returns its outputs in a dictionary, by name. An input takes the output
    of the same name, whichever function returns it, unless a connection says otherwise. An input that no function
    returns is a constant. Values are numbers or arrays. A function must return the same for the same arguments; it may
    simulate an FMU by `trivium.simulate`.

    Parameters
    ----------
    functions : Mapping[str, callable]
        By name. They are called once each when the coupling is made, to learn what they return.
    connections : iterable of (str, str), optional
        Pairs of an output and the input that takes it, as ``("energy.demand", "economy.load")``.
    initial : Mapping[str, float or array], optional
        Where the iteration begins, and constants: by input, or as ``function.input``. Default: the default values of
        the arguments. Of each cycle of functions one input needs a value.

    Raises
    ------
    InvalidValueError
        Naming what does not fit, or the input that needs a value.
    ComponentError
        When a function fails, or returns no dictionary of numbers.

    Examples
    --------
    >>> import trivium
    >>> def energy(price=1.0):
    ...     return {"demand": 10 - 2 * price}
    >>> def economy(demand):
    ...     return {"price": 1 + 0.3 * demand}
    >>> trivium.Coupling({"energy": energy, "economy": economy}).converge()
    Convergence(converged after 3 iterations: demand=5, price=2.5)
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        connections: Iterable[tuple[str, str]] = (),
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self._functions = by_name(functions, "functions", '{"energy": energy, "economy": economy}')
        if not self._functions:
            raise InvalidValueError("functions: there must be at least one.", "functions")
        arguments = {name: arguments_of(name, function) for name, function in self._functions.items()}
        self._inputs = {name: list(defaults) for name, defaults in arguments.items()}
        self._initial = self._starts(arguments, by_name(initial, "initial", '{"price": 1.0}'))
        self._sources = self._explicit(_pairs(connections))
        self._outputs = self._discovered()
        self._sources |= self._by_name()

    def converge(
        self,
        tolerance: float = spec.TOLERANCE,
        method: Literal["constant", "aitken", "anderson", "iqn-ils", "newton-krylov"] | None = None,
        *,
        alpha: float | None = None,
        scheme: Literal["gauss-seidel", "jacobi"] = "gauss-seidel",
        max_iterations: int = _ITERATIONS,
        depth: int | None = None,
        patience: int | None = None,
    ) -> Convergence:
        """Iterate until the functions agree, or until going on makes no sense.

        Parameters
        ----------
        tolerance : float
            How far an iterated value may be from the fixed point, as estimated, relative to its magnitude [1].
        method : {"constant", "aitken", "anderson", "iqn-ils", "newton-krylov"}, optional
            How the next iterate is made; default: Anderson's.
        alpha : float, optional
            Damping, in (0, 1]; with it alone the method is constant damping.
        scheme : {"gauss-seidel", "jacobi"}
            Whether functions take values of the same iteration where they are there, or all of the one before.
        max_iterations : int
        depth, patience : int, optional
            Most earlier iterates that are used; iterations without progress after which another method is tried.
            Default: by the number of unknowns.

        Raises
        ------
        InvalidValueError
            Naming the argument that is wrong.
        ComponentError
            When a function fails; what it raised is the cause.
        """
        settings = {
            "tolerance": tolerance,
            "method": method,
            "alpha": alpha,
            "max_iterations": max_iterations,
            "depth": depth,
            "patience": patience,
        }
        problem = self._problem(scheme, settings)
        with Scratch() as folder, contextlib.ExitStack() as stack:
            record = stack.enter_context(contextlib.closing(Record(folder, problem.identity)))
            result = converge(problem, record, Evaluator(problem, record, None, folder / "work"))
        if result.ending is Ending.FAILED:
            raise _failure(problem, result)
        return Convergence(
            result.converged, str(result.ending), result.reason, self._values(result), _history(problem, result)
        )

    def __repr__(self) -> str:
        ends = [f"{source} -> {target}" for target, source in self._sources.items()]
        return f"Coupling({', '.join(self._functions)}; {', '.join(ends) or 'no connections'})"

    def _starts(self, arguments: Mapping[str, Mapping[str, Any]], initial: dict[str, Any]) -> dict[str, FloatArray]:
        """Return the values that inputs begin with, by ``function.input``."""
        starts: dict[str, Any] = {}
        ends = {
            f"{name}.{key}": (key, default) for name, defaults in arguments.items() for key, default in defaults.items()
        }
        for end, (key, default) in ends.items():
            value = initial.get(end, initial.get(key, default))
            if value is not None:
                starts[end] = _array(value, end)
        targets = {*ends, *(key for key, _ in ends.values())}
        for name in initial:
            if name not in targets:
                raise InvalidValueError(
                    f"initial: no function has an input {name}.{did_you_mean(name, targets)}", "initial"
                )
        return starts

    def _explicit(self, connections: Sequence[Any]) -> dict[str, str]:
        """Return the outputs that connections name, by the input that takes them."""
        sources: dict[str, str] = {}
        for pair in connections:
            if (
                not isinstance(pair, tuple | list)
                or len(pair) != 2
                or not all(isinstance(end, str) and "." in end for end in pair)
            ):
                raise InvalidValueError(
                    f'connections: a connection is a pair as ("energy.demand", "economy.load"), not {pair!r}.',
                    "connections",
                )
            source, target = pair
            targets = [f"{name}.{key}" for name, keys in self._inputs.items() for key in keys]
            if target not in targets:
                raise InvalidValueError(
                    f"connections: there is no input {target}.{did_you_mean(target, targets)}", "connections"
                )
            if source.partition(".")[0] not in self._functions:
                raise InvalidValueError(f"connections: there is no function {source.partition('.')[0]}.", "connections")
            if target in sources:
                raise InvalidValueError(f"connections: {target} is connected twice.", "connections")
            sources[target] = source
        return sources

    def _discovered(self) -> dict[str, dict[str, FloatArray]]:
        """Call every function once, in an order in which each has its inputs; return their outputs."""
        outputs: dict[str, dict[str, FloatArray]] = {}
        waiting = list(self._functions)
        while waiting:
            ready = next((name for name in waiting if not self._missing(name, outputs)), None)
            if ready is None:
                self._check_connections(outputs)
                end = self._missing(waiting[0], outputs)[0]
                key = end.partition(".")[2]
                raise InvalidValueError(
                    f"{end} needs a value to begin with: give its argument a default, or initial={{{key!r}: ...}}.",
                    "initial",
                )
            waiting.remove(ready)
            values = {key: self._first(f"{ready}.{key}", outputs) for key in self._inputs[ready]}
            outputs[ready] = call(ready, self._functions[ready], values)
        self._check_connections(outputs)
        return outputs

    def _check_connections(self, outputs: Mapping[str, Mapping[str, FloatArray]]) -> None:
        for target, source in self._sources.items():
            name, _, key = source.partition(".")
            if name in outputs and key not in outputs[name]:
                available = ", ".join(outputs[name]) or "nothing"
                raise InvalidValueError(
                    f"connections: {target} takes {source}, but {name} returns {available}."
                    f"{did_you_mean(key, outputs[name])}",
                    "connections",
                )

    def _missing(self, name: str, outputs: Mapping[str, Mapping[str, FloatArray]]) -> list[str]:
        return [f"{name}.{key}" for key in self._inputs[name] if self._first(f"{name}.{key}", outputs) is None]

    def _first(self, end: str, outputs: Mapping[str, Mapping[str, FloatArray]]) -> FloatArray | None:
        """Return the first value of an input: what a function returned, or what it begins with."""
        key = end.partition(".")[2]
        if end in self._sources:
            source, _, output = self._sources[end].partition(".")
            returned = outputs.get(source, {}).get(output)
        else:
            returned = next((declared[key] for declared in outputs.values() if key in declared), None)
        return self._initial.get(end) if returned is None else returned

    def _by_name(self) -> dict[str, str]:
        """Return the outputs that inputs take because they have the same name, by ``function.input``."""
        sources: dict[str, str] = {}
        for name, keys in self._inputs.items():
            for key in keys:
                end = f"{name}.{key}"
                producers = [producer for producer, returned in self._outputs.items() if key in returned]
                candidates = [producer for producer in producers if producer != name] or producers
                if end in self._sources or not candidates:
                    continue
                if len(candidates) > 1:
                    raise InvalidValueError(
                        f"{' and '.join(candidates)} both return {key}; say which {name} takes: "
                        f'connections=[("{candidates[0]}.{key}", "{end}")].',
                        "connections",
                    )
                sources[end] = f"{candidates[0]}.{key}"
        return sources

    def _problem(self, scheme: str, settings: Mapping[str, Any]) -> Problem:
        components = {name: self._component(name) for name in self._functions}
        content = {
            "components": {
                name: {
                    "kind": "python",
                    "callable": f"function:{name}",
                    "inputs": {key: {"initial": self._start(f"{name}.{key}", scheme)} for key in self._inputs[name]},
                    "outputs": {key: {} for key in self._outputs[name]},
                }
                for name in self._functions
            },
            "connections": [{"from": source, "to": target} for target, source in self._sources.items()],
            "scheme": scheme,
            **{key: value for key, value in settings.items() if value is not None},
        }
        if settings["alpha"] is not None and settings["method"] is None:
            content["method"] = "constant"
        try:
            case = spec.Case.model_validate(content)
        except ValidationError as error:
            field, reason = next(wrong_fields(error, spec.Case))
            raise InvalidValueError(f"{field}: {reason}", field) from error
        return connect(case, components, Path())

    def _start(self, end: str, scheme: str) -> Any:
        """Return where an input begins; with Jacobi's scheme every input begins somewhere."""
        value = self._initial.get(end)
        if value is None and scheme == "jacobi":
            value = self._first(end, self._outputs)
        return None if value is None else value.tolist()

    def _component(self, name: str) -> FunctionExperiment:
        inputs = tuple(self._variable(key, self._shape(f"{name}.{key}")) for key in self._inputs[name])
        outputs = tuple(self._variable(key, value.shape) for key, value in self._outputs[name].items())
        return FunctionExperiment(name, inputs, outputs, self._functions[name])

    def _shape(self, end: str) -> tuple[int, ...]:
        if end not in self._sources:
            return self._initial[end].shape
        name, _, key = self._sources[end].partition(".")
        return self._outputs[name][key].shape

    @staticmethod
    def _variable(name: str, shape: tuple[int, ...]) -> Variable:
        return Variable(name, "1", dims={f"axis{axis}": tuple(range(size)) for axis, size in enumerate(shape)})

    def _values(self, result: Result) -> dict[str, float | FloatArray]:
        pairs = [(name, key, value) for name, done in result.evaluations.items() for key, value in done.outputs.items()]
        keys = [key for _, key, _ in pairs]
        return {
            key if keys.count(key) == 1 else f"{name}.{key}": value.item() if value.ndim == 0 else value
            for name, key, value in pairs
        }


def _pairs(connections: Any) -> list[Any]:
    if isinstance(connections, str) or not isinstance(connections, Iterable):
        raise InvalidValueError(
            f'connections must be a list of pairs, as [("energy.demand", "economy.load")], not {connections!r:.100}.',
            "connections",
        )
    return list(connections)


def _array(value: Any, end: str) -> FloatArray:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"initial: {end} is no number and no array: {value!r}.", "initial") from error
    if not np.isfinite(array).all():
        raise InvalidValueError(f"initial: {end} must be finite, not {value!r}.", "initial")
    return array


def _failure(problem: Problem, result: Result) -> ComponentError:
    for component in problem.components.values():
        if isinstance(component, FunctionExperiment) and component.error is not None:
            failure = ComponentError(str(component.error))
            failure.__cause__ = component.error.__cause__
            return failure
    return ComponentError(result.reason)


def _history(problem: Problem, result: Result) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for iteration in result.iterations:
        row: dict[str, Any] = {}
        for part, values in zip(problem.parts, split(problem.parts, iteration.x), strict=True):
            scalar = values.size == 1
            row |= {part.name if scalar else f"{part.name}[{i}]": value for i, value in enumerate(values.tolist())}
        rows.append({**row, **{key: iteration.figures.get(key) for key in ("residual", "delta", "error", "rate")}})
    index = pd.Index([iteration.number for iteration in result.iterations], name="iteration")
    return pd.DataFrame(rows, index=index)


def _text(value: float | FloatArray) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"array{value.shape}"
