"""Values of testcase.toml: each is checked where it is read, and an error names it."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, TypeVar

from trivium.errors import InvalidValueError, ResourcesError
from trivium.numbers import finite
from trivium.simulation.times import check_step, check_time

_T = TypeVar("_T", str, bool)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a file holds; nothing where there is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ResourcesError(f"{path.name} cannot be read: {error}") from error


def table_of(toml: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table; an empty one where it is not set."""
    table = toml.get(key, {})
    if not isinstance(table, dict):
        raise ResourcesError(f"testcase.toml: {key} must be a table")
    return table


def one_of(table: Mapping[str, Any], name: str, choices: Sequence[_T]) -> _T | None:
    """Return one of the values that a key may have; None where it is not set."""
    value = table.get(name.partition(".")[2])
    if value is None:
        return None
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return choice
    raise ResourcesError(f"testcase.toml: {name} must be one of {', '.join(map(str, choices))}, not {value}")


def pattern(toml: Mapping[str, Any], key: str) -> str | None:
    """Return the regular expression over variables of a table; None where there is none."""
    pattern = table_of(toml, key).get("variables")
    if pattern is None:
        return None
    if not isinstance(pattern, str):
        raise ResourcesError(f"testcase.toml: {key}.variables must be a regular expression, not {pattern}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ResourcesError(f"testcase.toml: {key}.variables is no regular expression: {error}") from error
    return pattern


def structural(fmu: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Return the structural parameters of the table ``fmu``, by name."""
    values = fmu.get("structural", {})
    if not isinstance(values, dict):
        raise ResourcesError("testcase.toml: fmu.structural must be a table")
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ResourcesError(f"testcase.toml: fmu.structural.{name} must be a whole number, not {value}")
    return tuple(sorted(values.items()))


def positive(table: Mapping[str, Any], name: str) -> float | None:
    """Return a positive number; None where it is not set."""
    key = name.partition(".")[2]
    if key not in table:
        return None
    value = finite(table[key], name)
    if value <= 0.0:
        raise InvalidValueError(f"{name} must be positive, not {value:g}", key)
    return value


def interval(table: Mapping[str, Any]) -> float | None:
    """Return the interval of the table ``results`` [s], which may be infinite; None where it is not set."""
    value = table.get("interval")
    if value is None or value == math.inf:
        return value
    try:
        return check_step(value)
    except InvalidValueError as error:
        raise ResourcesError(
            f"testcase.toml: results.interval must be a positive number of seconds, or inf, not {value}"
        ) from error


def end_time(toml: Mapping[str, Any], default: float | None) -> float | None:
    """Return the latest end of a simulation [s]."""
    if "end_time" not in toml:
        return default
    end = check_time(toml["end_time"], "end_time")
    if end == 0:
        raise InvalidValueError("Invalid value 0 for parameter end_time. Value must be greater than 0.", "end_time")
    return end


def check_names(table: Mapping[str, Any], allowed: Set[str], prefix: str) -> None:
    """Refuse keys of a table that there are not."""
    unknown = sorted(set(table) - allowed)
    if unknown:
        raise ResourcesError(f"testcase.toml: unknown key {prefix}{unknown[0]}")
