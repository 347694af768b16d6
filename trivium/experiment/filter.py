"""Names that a filter of variables matches; its alternatives are names as they are, or regular expressions."""

from __future__ import annotations

import time
from collections.abc import Collection

import regex

from trivium.errors import InvalidValueError

#: Longest filter, in characters, and how long it may look at all names [s]: some expressions need for ever.
LONGEST, _PATIENCE = 20_000, 2.0


def matching(expression: str, names: Collection[str]) -> list[str]:
    """Return the names that a filter matches, in their own order.

    Parameters
    ----------
    expression : str
        Alternatives with ``|`` between them. One that is a name means this name alone, whatever its brackets and dots
        mean in a regular expression: ``sds.I[1]``. All others are regular expressions over whole names.
    names : collection of str

    Raises
    ------
    InvalidValueError
        When an alternative is neither, or an expression takes too long.
    """
    parts = alternatives(expression)
    try:
        patterns = [compiled(part) for part in parts if part not in names]
    except ValueError as error:
        raise InvalidValueError(f"variableFilter {error}", "variableFilter") from None
    end = time.monotonic() + _PATIENCE

    def matches(name: str) -> bool:
        return any(pattern.fullmatch(name, timeout=max(end - time.monotonic(), 0.001)) for pattern in patterns)

    try:
        return [name for name in names if name in parts or matches(name)]
    except TimeoutError:
        raise InvalidValueError(
            f"variableFilter takes more than {_PATIENCE:g} s for {len(names)} names; write it without repetitions of "
            "repetitions",
            "variableFilter",
        ) from None


def compiled(expression: str) -> regex.Pattern[str]:
    """Return a regular expression of a filter.

    Raises
    ------
    ValueError
        When it is none, is too long, or nested too deep.
    """
    if len(expression) > LONGEST:
        raise ValueError(f"has {len(expression)} characters; the most is {LONGEST}")
    try:
        return regex.compile(expression)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    except RecursionError:
        raise ValueError("nests its brackets too deep") from None


def alternatives(expression: str) -> list[str]:
    """Return the parts of a filter between bars that are in no brackets; the whole where its brackets do not match."""
    parts, depth, start, place = [], 0, 0, 0
    while place < len(expression):
        character = expression[place]
        depth += (character in "([") - (character in ")]")
        if character == "|" and not depth:
            parts.append(expression[start:place])
            start = place + 1
        place += 2 if character == "\\" else 1  # what a backslash precedes is a character like others
    return [*parts, expression[start:]] if not depth else [expression]
