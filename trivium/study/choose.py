"""Which runs somebody wants, written as text: on the command line and in addresses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from trivium.errors import InvalidValueError

#: What `trivium.study.read.SweepResults.select` takes.
Wanted = float | str | tuple[float, float] | list[float] | list[str]


def parse_choices(choices: Iterable[str], texts: Collection[str] = ()) -> dict[str, Wanted]:
    """Read choices of runs, ``name=value`` each; a name may hold equality signs itself.

    Parameters
    ----------
    choices : iterable of str
    texts : collection of str
        Parameters that are texts: their values are one text, or several with commas between them.

    Raises
    ------
    InvalidValueError
        Naming what is wrong.
    """
    return {
        name: [value, *value.split(",")] if name in texts else parse_wanted(name, value)
        for name, value in split_choices(choices).items()
    }


def split_choices(choices: Iterable[str]) -> dict[str, str]:
    """Split choices of runs into names and values.

    Raises
    ------
    InvalidValueError
        When one is not ``name=value``, or a name appears twice.
    """
    selection: dict[str, str] = {}
    for text in choices:
        name, equals, value = text.rpartition("=")
        if not equals or name in selection:
            raise InvalidValueError(
                f"Invalid value {text[:100]} for parameter select. Write name=value, each name once.", "select"
            )
        selection[name] = value
    return selection


def parse_wanted(name: str, text: str) -> Wanted:
    """Read what a parameter or metric is to be.

    Parameters
    ----------
    name : str
        Of the parameter or metric.
    text : str
        ``1.1``: this value. ``1,2,5``: one of these. ``a:b``: from a to b, both included; an end that is left out is
        open.

    Raises
    ------
    InvalidValueError
        Naming it.
    """
    if ":" in text:
        low, _, high = text.partition(":")
        return (_number(name, low, -math.inf), _number(name, high, math.inf))
    values = [_number(name, part) for part in text.split(",")]
    return values[0] if len(values) == 1 else values


def _number(name: str, text: str, missing: float | None = None) -> float:
    if not text.strip() and missing is not None:
        return missing
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise InvalidValueError(
            f"Invalid value {text[:100]!r} for parameter {name}. It must be a number, numbers with commas between "
            "them, or two ends with a colon between them.",
            name,
        )
    return value
