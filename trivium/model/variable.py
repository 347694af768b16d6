"""Scalar variables of a model."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.numbers import parse_number, shown

Kind = Literal["real", "integer", "boolean", "text"]
#: Units of temperatures, whose size says nothing of how large a change is.
_TEMPERATURES = ("K", "degC", "degF")
#: A place along a dimension: a year, a name.
Coordinate = int | float | str


@dataclass(frozen=True, slots=True)
class Variable:
    """An input, output or parameter of a model or an experiment.

    Attributes
    ----------
    name : str
    unit : str
        Unit of the value, ``"1"`` where it has none.
    description : str
    minimum, maximum : float or None
        Bounds [unit]; None where nothing is declared.
    start : float or None
        Value before anything is set [unit]; None for text.
    kind : {"real", "integer", "boolean", "text"}
        Type in the model; values are floats everywhere outside the model's own border. Only parameters may be text.
    text : str or None
        Start value of a text, base64 where the model holds bytes.
    dims : Mapping[str, tuple of Coordinate]
        Dimensions in the order of the array's axes, each with the coordinates along it; empty for a scalar.
    items : Mapping[str, float]
        Of an enumeration: its values by the names of its items; empty for all else.
    tunable : bool
        Whether a parameter, or an input that is text, may also be changed between steps.
    binary : bool
        Whether a text stands for bytes, in base64.
    causality : str
        As FMI names it: ``input``, ``output``, ``local`` and others; empty for what is no variable of an FMU.
    nominal : float or None
        Typical magnitude [unit]; None where none is declared.
    """

    name: str
    unit: str = "1"
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    start: float | None = None
    kind: Kind = "real"
    text: str | None = None
    dims: Mapping[str, tuple[Coordinate, ...]] = field(default_factory=dict, hash=False)
    items: Mapping[str, float] = field(default_factory=dict, hash=False)
    tunable: bool = False
    binary: bool = False
    causality: str = ""
    nominal: float | None = field(default=None, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of its values."""
        return tuple(len(coordinates) for coordinates in self.dims.values())

    @property
    def size(self) -> int:
        """Number of elements of its values."""
        return math.prod(self.shape)

    @property
    def lower(self) -> float:
        """Lower bound of every element [unit]; -inf where nothing is declared."""
        return -math.inf if self.minimum is None else self.minimum

    @property
    def upper(self) -> float:
        """Upper bound of every element [unit]; inf where nothing is declared."""
        return math.inf if self.maximum is None else self.maximum

    def scale(self, value: float) -> float:
        """Return how large a change is large for a variable that has a value [unit], positive.

        It is the nominal value, else the width of the bounds, else 10 K for temperatures, else the size of the value or
        of the start value, else 1.
        """
        width = self.upper - self.lower
        if self.nominal is not None and self.nominal > 0.0:
            return self.nominal
        if math.isfinite(width) and width > 0.0:
            return width
        if self.unit in _TEMPERATURES:
            return 10.0
        return max(abs(value), abs(self.start or 0.0)) or 1.0

    def around(self, value: float, share: float) -> tuple[float, float]:
        """Return two values about one, a share [1] of its `scale` below and above, but within the bounds."""
        half = share * self.scale(value)
        low, high = value - half, value + half
        return max(low, min(value, self.lower)), min(high, max(value, self.upper))

    def element(self, index: Sequence[int]) -> str:
        """Return the name of an element of the array: ``demand[year=2030, sector=industry]``."""
        places = (f"{name}={values[i]}" for i, (name, values) in zip(index, self.dims.items(), strict=True))
        return f"{self.name}[{', '.join(places)}]" if self.dims else self.name

    def check(self, value: Any) -> NDArray[np.float64]:
        """Return a value as an array of this variable's own.

        Parameters
        ----------
        value : array_like

        Returns
        -------
        FloatArray
            Shape as `shape`; a scalar in place of an array fills it.

        Raises
        ------
        ValueError
            Naming the element when it is no finite number or out of bounds; naming the shapes when they do not fit.
        """
        array = as_numbers(self.name, value)
        if array.shape == ():
            array = np.full(self.shape, array)
        if array.shape != self.shape:
            raise ValueError(f"{self.name} has shape {list(array.shape)}, where {list(self.shape)} is meant")
        for wrong, reason in (
            (~np.isfinite(array), "which is no finite number"),
            (array < self.lower, f"which is below its lower bound {self.lower:g}"),
            (array > self.upper, f"which is above its upper bound {self.upper:g}"),
        ):
            if wrong.any():
                index = np.unravel_index(int(np.argmax(wrong)), array.shape)
                raise ValueError(f"{self.element([int(i) for i in index])} is {array[index]:g}, {reason}")
        return array

    def bounded(self, minimum: float | None, maximum: float | None) -> Self:
        """Return the variable with bounds [unit] where it declares none."""
        return replace(
            self,
            minimum=minimum if self.minimum is None else self.minimum,
            maximum=maximum if self.maximum is None else self.maximum,
        )


def parse_input(value: Any, variable: Variable) -> float:
    """Return the value of an input or a parameter: a finite number within the bounds of the variable.

    Names of items are values of their enumeration; for booleans see `read_number`.

    Raises
    ------
    InvalidValueError
        Naming the variable and the bound that is broken, or the items of the enumeration.
    """
    low, high, kind = variable.minimum, variable.maximum, variable.kind
    if kind == "boolean":
        low, high = 0.0, 1.0
    if variable.items:
        return _item(value, variable)
    number = read_number(value, variable)
    if low is not None and number < low:
        wrong = f"below the minimum {low}"
    elif high is not None and number > high:
        wrong = f"above the maximum {high}"
    elif kind != "real" and not number.is_integer():
        wrong = "between two integers, but the input is a switch or a count"
    else:
        return number
    unit = "" if variable.unit == "1" else f" {variable.unit}"
    bounds = f"[{-math.inf if low is None else low}, {math.inf if high is None else high}]"
    raise InvalidValueError(
        f"Invalid value {number} for parameter {variable.name}. Value must be within {bounds}{unit}, but is {wrong}.",
        variable.name,
    )


def _item(value: Any, variable: Variable) -> float:
    """Return the value of an item of an enumeration, which its name stands for too."""
    items = variable.items
    if isinstance(value, str) and value in items:
        return items[value]
    with contextlib.suppress(InvalidValueError):
        number = parse_number(value, variable.name)
        if number in items.values():
            return number
    listed = ", ".join(f"{position:g} ({name})" for name, position in items.items())
    raise InvalidValueError(
        f"Invalid value {shown(value)} for parameter {variable.name}. Value must be an item of its enumeration: "
        f"{listed}.",
        variable.name,
    )


def read_number(value: Any, variable: Variable, noun: str = "parameter") -> float:
    """Return a value of an input or a parameter as a finite number, within the bounds of the variable or not.

    Booleans are values of boolean variables, and of those whose bounds are 0 and 1; words for them of the former only.
    Names of items are values of their enumeration.

    Raises
    ------
    InvalidValueError
        Naming the variable, which the error calls by the noun.
    """
    if variable.kind == "boolean":
        value = _WORDS.get(str(value).strip().lower(), value)
    elif isinstance(value, str) and value in variable.items:
        return variable.items[value]
    elif isinstance(value, bool) and (variable.minimum, variable.maximum) == (0.0, 1.0):
        value = float(value)
    return parse_number(value, variable.name, noun)


#: What else than a number is a value of a boolean.
_WORDS = {"true": 1.0, "false": 0.0}


def as_numbers(name: str, value: Any) -> NDArray[np.float64]:
    """Return a value as an array of its own; complex numbers and text are none, even where they could be converted.

    Raises
    ------
    ValueError
        Naming the value, and what it is.
    """
    try:
        raw = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is no array of numbers: its rows differ in length") from error
    if raw.dtype.kind == "c":
        raise ValueError(f"{name} is no array of numbers: it is complex")
    texts = raw.dtype.kind in "SU" or (
        raw.dtype.kind == "O" and any(isinstance(each, str | bytes) for each in raw.flat)
    )
    if texts:
        raise ValueError(f"{name} is no array of numbers: it is text")
    try:
        return np.array(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no array of numbers") from error
