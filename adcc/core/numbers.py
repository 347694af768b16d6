"""Numbers and times as clients send them: strings allowed, nothing that is not a finite number."""

from __future__ import annotations

import math
from typing import Any

from adcc.core.variables import Variable
from adcc.errors import InvalidValueError

#: Sub-step of the plant: disturbances are known at this interval [s].
INTERVAL = 300


def parse_number(value: Any, field: str, what: str = "parameter") -> float:
    """Return a finite float.

    Parameters
    ----------
    value : Any
        A float, an integer, or a string of one. Booleans are no numbers here.
    field : str
        Parameter that the value is for; named in the error.
    what : str
        What the error calls it.

    Raises
    ------
    InvalidValueError
        When the value is no number or not finite.
    """
    if type(value) is float:  # the common case first
        number = value
    elif isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise _not_a_number(value, field, what) from None
    else:
        raise _not_a_number(value, field, what)
    if not math.isfinite(number):
        raise InvalidValueError(f"Invalid value {number} for {what} {field}. Value must be finite.", field)
    return number


def _not_a_number(value: Any, field: str, what: str) -> InvalidValueError:
    return InvalidValueError(
        f"Invalid value {shown(value)} for {what} {field}. Value must be a float, integer, or string able to be "
        f"converted to a float, but is {type(value)}.",
        field,
    )


def shown(value: Any) -> str:
    """Return the value for a message, cut where a client sent very much of it."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def parse_time(value: Any, field: str) -> float:
    """Return a time [s]: finite, not negative, a multiple of the interval.

    Raises
    ------
    InvalidValueError
        Naming the field and the rule.
    """
    number = parse_number(value, field)
    if number < 0:
        raise InvalidValueError(f"Invalid value {number} for parameter {field}. Value must not be negative.", field)
    if number % INTERVAL != 0:
        raise InvalidValueError(
            f"Invalid value {number} for parameter {field}. Value must be  0 or a multiple of {INTERVAL} . "
            f"For example, valid values include 0, 300, 600, 900, etc.",
            field,
        )
    return number


def parse_step(value: Any) -> float:
    """Return a control step [s]: finite, positive, a multiple of the interval.

    Raises
    ------
    InvalidValueError
        Naming the rule.
    """
    number = parse_number(value, "step")
    if number < 0:
        raise InvalidValueError(f"Invalid value {number} for parameter step. Value must not be negative.", "step")
    if number == 0:
        raise InvalidValueError(f"Invalid value {number} for parameter step. Value must be greater than 0.", "step")
    if number % INTERVAL != 0:
        raise InvalidValueError(
            f"Invalid value {number} for parameter step. Value must be a multiple of {INTERVAL}. "
            f"For example, valid values include 300, 600, 900, etc.",
            "step",
        )
    return number


def parse_count(value: Any, field: str) -> int:
    """Return a positive whole number.

    Raises
    ------
    InvalidValueError
        Naming the field and the rule.
    """
    number = parse_number(value, field)
    if number < 1 or not number.is_integer():
        raise InvalidValueError(
            f"Invalid value {number} for parameter {field}. Value must be a whole number of at least 1.", field
        )
    return int(number)


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


def parse_input(value: Any, variable: Variable) -> float:
    """Return the value of an input: a finite number within the bounds of the variable.

    Raises
    ------
    InvalidValueError
        Naming the input and the bound that is broken.
    """
    number = parse_number(value, variable.name)
    if variable.minimum is not None and number < variable.minimum:
        raise _out_of_bounds(number, variable, f"below the minimum {variable.minimum}")
    if variable.maximum is not None and number > variable.maximum:
        raise _out_of_bounds(number, variable, f"above the maximum {variable.maximum}")
    if variable.kind != "real" and not number.is_integer():
        raise _out_of_bounds(number, variable, "between two integers, but the input is a switch or a count")
    return number


def _out_of_bounds(number: float, variable: Variable, what: str) -> InvalidValueError:
    unit = "" if variable.unit == "1" else f" {variable.unit}"
    return InvalidValueError(
        f"Invalid value {number} for parameter {variable.name}. Value must be within "
        f"[{variable.minimum}, {variable.maximum}]{unit}, but is {what}.",
        variable.name,
    )
