"""The contract of a component: a model with named inputs and outputs, which are arrays with units."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError
from trivium.model.contract import FloatArray

#: What stands at a place of a dimension: a year, a name.
Coordinate = int | float | str
Values = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Variable:
    """An input or output of a component.

    Attributes
    ----------
    name : str
    unit : str
        As pint reads it; empty or "1" for a number without unit.
    dims : Mapping[str, tuple of Coordinate]
        Dimensions in the order of the array's axes, each with the coordinates along it; empty for a scalar.
    lower, upper : float
        Bounds of every element, in the unit; a value on a bound is allowed.
    """

    name: str
    unit: str = ""
    dims: Mapping[str, tuple[Coordinate, ...]] = field(default_factory=dict)
    lower: float = -math.inf
    upper: float = math.inf

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its values."""
        return tuple(len(coordinates) for coordinates in self.dims.values())

    @property
    def size(self) -> int:
        """Number of elements of its values."""
        return math.prod(self.shape)

    def place(self, index: Sequence[int]) -> str:
        """Return an element of the array in words: ``demand[year=2030, sector=industry]``."""
        found = (f"{name}={values[i]}" for i, (name, values) in zip(index, self.dims.items(), strict=True))
        return f"{self.name}[{', '.join(found)}]" if self.dims else self.name

    def check(self, given: Any) -> FloatArray:
        """Return a value as an array of this variable's own.

        Parameters
        ----------
        given : array_like

        Returns
        -------
        FloatArray
            Shape as `shape`; a scalar that is given for an array fills it.

        Raises
        ------
        ValueError
            Naming the element when it is no finite number or out of bounds; naming the shapes when they do not fit.
        """
        try:
            value = np.array(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.name} is no array of numbers") from error
        if value.shape == ():
            value = np.full(self.shape, value)
        if value.shape != self.shape:
            raise ValueError(f"{self.name} has shape {list(value.shape)}, where {list(self.shape)} is meant")
        for wrong, said in (
            (~np.isfinite(value), "which is no finite number"),
            (value < self.lower, f"which is below its lower bound {self.lower:g}"),
            (value > self.upper, f"which is above its upper bound {self.upper:g}"),
        ):
            if wrong.any():
                index = np.unravel_index(int(np.argmax(wrong)), value.shape)
                raise ValueError(f"{self.place([int(i) for i in index])} is {value[index]:g}, {said}")
        return value


class Component(ABC):
    """A model as a function of its inputs.

    A component must be a function: the same inputs give the same outputs, whatever was evaluated before (no warm
    starts that change results). What is not, says so by `deterministic`; its results are then not cached.

    Attributes
    ----------
    name : str
    inputs, outputs : tuple of Variable
    timeout : float
        Longest time of an evaluation [s].
    deterministic : bool
    """

    name: str
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    timeout: float = 3600.0
    deterministic: bool = True

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of all besides the inputs that determines the outputs: code, options, data, versions."""

    @abstractmethod
    def evaluate(self, values: Values, folder: Path) -> Values:
        """Return the outputs for some inputs.

        Parameters
        ----------
        values : Mapping[str, FloatArray]
            All inputs, checked.
        folder : Path
            This evaluation's own working directory, empty at first.

        Returns
        -------
        Mapping[str, FloatArray]
            All outputs; `checked_outputs` checks them.

        Raises
        ------
        ComponentError
            When it fails or takes too long.
        """

    def check(self) -> None:  # noqa: B027, an own body is optional
        """Refuse, before the first evaluation, what every evaluation would fail at; by default nothing is looked at."""

    def cancel(self) -> None:  # noqa: B027, an own body is optional
        """End an evaluation that runs in another thread, and refuse new ones; by default nothing can be ended."""


def checked_outputs(component: Component, given: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return a component's outputs, checked: names, shapes, finite, within bounds.

    Raises
    ------
    ComponentError
        Naming component, variable and element.
    """
    wanted = {variable.name: variable for variable in component.outputs}
    for name in given:
        if name not in wanted:
            raise ComponentError(f"{component.name} answered {name}, which is none of its outputs")
    found: dict[str, FloatArray] = {}
    for name, variable in wanted.items():
        if name not in given:
            raise ComponentError(f"{component.name} did not answer its output {name}")
        try:
            found[name] = variable.check(given[name])
        except ValueError as error:
            raise ComponentError(f"{component.name}: its output {error}") from error
    return found
