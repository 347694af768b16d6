"""A function of Python as a component, called in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError
from trivium.experiment.contract import Experiment, Values
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

#: Functions are called one at a time: they need not be made for threads.
_TURN = threading.Lock()


class FunctionExperiment(Experiment):
    """Calls ``function(name=value, ...)``, which returns the outputs by name.

    Numbers are passed as float, arrays as copies. Nothing is cached, since nobody can tell what a function depends on.

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
        return {str(key): np.array(value, dtype=np.float64) for key, value in returned.items()}
    except (TypeError, ValueError) as error:
        raise ComponentError(f"{name} returned what is no number: {error}") from error


def _argument(value: Any) -> float | FloatArray:
    array = np.array(value, dtype=np.float64)
    return float(array) if array.ndim == 0 else array
