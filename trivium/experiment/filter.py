"""Names that a filter of variables matches; its alternatives are names as they are, or regular expressions."""

from __future__ import annotations

import re
from collections.abc import Collection


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
    re.error
        When an alternative is neither.
    """
    parts = alternatives(expression)
    patterns = [re.compile(part) for part in parts if part not in names]
    return [name for name in names if name in parts or any(pattern.fullmatch(name) for pattern in patterns)]


def alternatives(expression: str) -> list[str]:
    """Return the parts of a filter between bars that are in no brackets; the whole where its brackets do not match."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(expression):
        if _is_escaped(expression, place):
            continue
        depth += (character in "([") - (character in ")]")
        if character == "|" and not depth:
            parts.append(expression[start:place])
            start = place + 1
    return [*parts, expression[start:]] if not depth else [expression]


def _is_escaped(text: str, place: int) -> bool:
    before = text[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
