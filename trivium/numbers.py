"""Finite numbers: checked, and parsed where a request or a form may send them as text."""

from __future__ import annotations

import contextlib
import math
import numbers
from typing import Any

from trivium.errors import InvalidValueError


def finite(number: Any, field: str, noun: str = "parameter") -> float:
    """Return a finite number as a float.

    Parameters
    ----------
    number : float
        Also an integer, or a number of NumPy. Booleans and text are no numbers here.
    field : str
        Parameter that the number is for; named in the error.
    noun : str
        What the error calls it.

    Raises
    ------
    InvalidValueError
        When it is no number or not finite.
    """
    if type(number) is float:  # the common case
        checked = number
    elif isinstance(number, bool) or not isinstance(number, numbers.Real):
        raise InvalidValueError(
            f"Invalid value {shown(number)} for {noun} {field}. Value must be a number, but is {type(number)}.", field
        )
    else:
        try:
            checked = float(number)
        except OverflowError:
            checked = math.inf
    if not math.isfinite(checked):
        raise InvalidValueError(f"Invalid value {checked} for {noun} {field}. Value must be finite.", field)
    return checked


def window_end(number: Any, field: str) -> float:
    """Return an end of a window of time as a float: a finite number, or infinity of either sign for no end.

    Raises
    ------
    InvalidValueError
        When it is no number, or NaN.
    """
    return number if type(number) is float and math.isinf(number) else finite(number, field)


def whole(number: Any, field: str) -> int:
    """Return a whole number of at least 1 as an integer.

    Raises
    ------
    InvalidValueError
        Naming the field and the rule.
    """
    checked = finite(number, field)
    if checked < 1 or not checked.is_integer():
        raise InvalidValueError(
            f"Invalid value {checked} for parameter {field}. Value must be a whole number of at least 1.", field
        )
    return int(checked)


def parse_number(value: Any, field: str, noun: str = "parameter") -> float:
    """Return a finite number, which may be sent as text; parameters as in `finite`.

    Raises
    ------
    InvalidValueError
        When the value is no number or not finite.
    """
    if not isinstance(value, bool) and isinstance(value, numbers.Real | str):
        try:
            return finite(float(value), field, noun)
        except (ValueError, OverflowError):
            pass
    raise InvalidValueError(
        f"Invalid value {shown(value)} for {noun} {field}. Value must be a float, integer, or string able to be "
        f"converted to a float, but is {type(value)}.",
        field,
    )


def parse_window_end(value: Any, field: str) -> float:
    """Return an end of a window of time, which may be sent as text: ``"-inf"``, ``"Infinity"``; see `window_end`."""
    if isinstance(value, float | str):
        with contextlib.suppress(ValueError):
            number = float(value)
            if math.isinf(number):
                return number
    return parse_number(value, field)


def shown(value: Any) -> str:
    """Return the value for a message, cut where a client sent very much of it."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def parse_count(value: Any, field: str) -> int:
    """Return a whole number of at least 1, which may be sent as text.

    Raises
    ------
    InvalidValueError
        Naming the field and the rule.
    """
    return whole(parse_number(value, field), field)


def parse_flag(value: Any, field: str) -> bool:
    """Return a yes or no: a JSON boolean.

    Raises
    ------
    InvalidValueError
        When it is anything else.
    """
    if not isinstance(value, bool):
        raise InvalidValueError(
            f"Invalid value {shown(value)} for parameter {field}. Value must be true or false, but is {type(value)}.",
            field,
        )
    return value
