"""Arguments of another type than a function takes: refused by name, before anything reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.errors import InvalidValueError


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
