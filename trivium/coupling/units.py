"""Units of what models exchange, by pint.

Currencies are dimensions of their own, so that no exchange rate is ever assumed: ``USD``, ``EUR``, with prefixes
(``MUSD``). ``1``, ``-`` and the empty text all are the dimensionless unit.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError
from trivium.extras import require
from trivium.model.contract import FloatArray

CURRENCIES = ("USD", "EUR")


@cache
def _registry() -> Any:
    registry = require("pint", "coupling").UnitRegistry()
    for currency in CURRENCIES:
        registry.define(f"{currency} = [{currency.lower()}]")
    return registry


@cache
def _unit(text: str) -> Any:
    try:
        return _registry().Unit("" if text.strip() in ("1", "-") else text)
    except Exception as error:  # pint's parser raises what Python's own raises
        raise InvalidValueError(f"{text!r} is no unit: {error}", "unit") from error


def check(unit: str) -> None:
    """Refuse what is no unit.

    Raises
    ------
    InvalidValueError
        Naming it.
    MissingExtraError
        When pint is not installed.
    """
    _unit(unit)


def convert(values: FloatArray, unit: str, to: str) -> FloatArray:
    """Return values in another unit; temperatures with their offsets.

    Raises
    ------
    InvalidValueError
        When a unit is unknown, or the two are of different dimensions.
    """
    source, target = _unit(unit), _unit(to)
    if source == target:
        return values
    if not source.is_compatible_with(target):
        raise InvalidValueError(f"{unit!r} cannot be converted to {to!r}", "unit")
    converted = _registry().Quantity(np.asarray(values, dtype=np.float64), source).to(target)
    return np.asarray(converted.magnitude, dtype=np.float64)


def product(unit: str, by: str) -> str:
    """Return the unit of a product."""
    return _named(_unit(unit) * _unit(by))


def quotient(unit: str, by: str) -> str:
    """Return the unit of a quotient."""
    return _named(_unit(unit) / _unit(by))


def _named(unit: Any) -> str:
    return f"{unit:~C}" or "1"
