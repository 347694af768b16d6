"""Arguments that a function cannot take: refused by name, before anything reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from trivium.errors import InvalidValueError, UnknownNameError
from trivium.numbers import shown
from trivium.suggestions import did_you_mean


def by_name(value: Any, field: str, example: str) -> dict[str, Any]:
    """Return an argument that is a dictionary by name; an empty one where it is None.

    Parameters
    ----------
    value : Mapping or None
    field : str
        Name of the argument.
    example : str
        An acceptable value, as it is written.

    Raises
    ------
    InvalidValueError
        When it is anything else.
    """
    if value is None:
        return {}
    if not (isinstance(value, Mapping) or hasattr(value, "to_dict")):  # series and frames have names as well
        raise InvalidValueError(f"{field} must be a dictionary by name, as {example}, not {value!r:.100}.", field)
    return {str(name): item for name, item in value.items()}


def listed(names: Any, field: str) -> Sequence[str]:
    """Return an argument that is a list of names.

    Raises
    ------
    InvalidValueError
        When it is anything else.
    """
    if isinstance(names, str):
        raise InvalidValueError(f"{field} must be a list: [{names!r}].", field)
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InvalidValueError(f"Invalid value for parameter {field}. Value must be a list of names.", field)
    return names


#: Before the name of an indicator by which a listing is ordered.
INDICATOR = "kpi:"


def order_of(sort: str, orders: Collection[str]) -> tuple[str, bool]:
    """Return by what a listing is ordered, and whether descending: ``-`` before the name says so.

    Besides the orders there is one for each indicator, `INDICATOR` and its name.

    Raises
    ------
    InvalidValueError
        When there is no such order.
    """
    name = sort.removeprefix("-")
    if name not in orders and not (name.startswith(INDICATOR) and name.removeprefix(INDICATOR).isidentifier()):
        raise InvalidValueError(
            f"Invalid value {shown(sort)} for parameter sort. Value must be one of {', '.join(orders)}, "
            f"or {INDICATOR} and the name of an indicator, with - before it for the other way round.",
            "sort",
        )
    return name, sort != name


def unknown_name(
    owner: str, noun: str, name: str, existing: Iterable[str], field: str, listing: str = ""
) -> UnknownNameError:
    """Return the refusal of a name that does not exist.

    Parameters
    ----------
    owner, noun : str
        The model, and the kind of the name: input, start value, result, key performance indicator.
    name : str
    existing : iterable of str
        The names that exist.
    field : str
        The parameter that is wrong.
    listing : str, optional
        The attribute that lists the names.
    """
    near = did_you_mean(name, existing := list(existing))
    text = f"{owner} has no {noun} {shown(name)}.{near}{f' {listing} lists them.' if listing else ''}"
    return UnknownNameError(text, field, noun, name, near, [] if listing else existing)
