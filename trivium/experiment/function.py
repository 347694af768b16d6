"""A function object of Python as an experiment, called in this process; and as text, for other processes."""

from __future__ import annotations

import base64
import inspect
import pickle
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.contract import Experiment, Values
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable, as_numbers

#: Functions are called one at a time: they need not be made for threads.
_TURN = threading.Lock()


class FunctionExperiment(Experiment):
    """Calls ``function(name=value, ...)``, which returns the outputs by name.

    Numbers are passed as float, arrays as copies. Nothing is cached: the dependencies of a function are unknown.

    Parameters
    ----------
    name : str
    inputs, outputs : tuple of Variable
    function : callable
    """

    deterministic = False

    def __init__(
        self,
        name: str,
        inputs: tuple[Variable, ...],
        outputs: tuple[Variable, ...],
        function: Callable[..., Any],
    ) -> None:
        self.name, self.inputs, self.outputs = name, inputs, outputs
        self._function = function
        #: What the function raised last.
        self.error: Exception | None = None

    @property
    def fingerprint(self) -> str:
        """Return the component's name: records of functions are not gone on with."""
        return self.name

    def evaluate(self, values: Values, folder: Path) -> Values:  # noqa: ARG002, a function needs no folder
        """Call the function; see `Experiment.evaluate`.

        Raises
        ------
        ComponentError
            Naming what the function raised, or what it should have returned.
        """
        try:
            return call(self.name, self._function, values)
        except ComponentError as error:
            self.error = error
            raise


def call(name: str, function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Call a function and return its outputs as arrays.

    Raises
    ------
    ComponentError
        From what the function raised; or when it does not return numbers by name.
    """
    with _TURN:
        try:
            returned = function(**{key: _argument(value) for key, value in values.items()})
        except Exception as error:  # whatever a model raises
            raise ComponentError(f"{name}: {type(error).__name__}: {error}") from error
    if not isinstance(returned, Mapping):
        example = 'as {"price": 2.0}'
        raise ComponentError(f"{name} must return its outputs by name, {example}, not {type(returned).__name__}.")
    try:
        return {str(key): as_numbers(str(key), value) for key, value in returned.items()}
    except ValueError as error:
        raise ComponentError(f"{name} returned what is no number: {error}") from error


def arguments(name: str, function: Any) -> dict[str, Any]:
    """Return the inputs of a function with their default values; None where an argument has none.

    Raises
    ------
    InvalidValueError
        When it is no function, or its inputs are not named one by one.
    """
    if not callable(function):
        raise InvalidValueError(f"{name} must be a function, not {type(function).__name__}.", "functions")
    defaults: dict[str, Any] = {}
    for argument in inspect.signature(function).parameters.values():
        if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
            raise InvalidValueError(
                f"{name} has the argument {argument}, but the inputs of a function must be named one by one.",
                "functions",
            )
        defaults[argument.name] = None if argument.default is argument.empty else argument.default
    return defaults


def pickled(function: Callable[..., Any]) -> str:
    """Return a function as text, also one of a script or a notebook.

    Raises
    ------
    MissingExtraError
        When cloudpickle is not installed.
    """
    data: bytes = require("cloudpickle", "sweep").dumps(function)
    return base64.b64encode(data).decode()


def unpickled(inputs: Values, options: Mapping[str, Any]) -> Values:
    """Call a function of `pickled`: a callable as descriptions of experiments name them.

    Parameters
    ----------
    inputs : Mapping[str, FloatArray]
    options : Mapping
        ``name`` and ``function``, its text.

    Raises
    ------
    ComponentError
        See `call`.
    """
    return call(options["name"], _function(options["function"]), inputs)


@lru_cache(maxsize=8)
def _function(text: str) -> Callable[..., Any]:
    function: Callable[..., Any] = pickle.loads(base64.b64decode(text))  # noqa: S301 - the caller's own  # nosec B301
    return function


def _argument(value: Any) -> float | FloatArray:
    array = np.array(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array
