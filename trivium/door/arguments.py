"""Arguments of another type than a function takes: refused by name, before anything reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.entry_points import Registry
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


def known_engine(name: Any, *, auto: bool = False) -> str:
    """Return the name of an engine that there is.

    Parameters
    ----------
    name : str
    auto : bool
        Whether ``auto`` is one, too.

    Raises
    ------
    InvalidValueError
        When it is anything else.
    """
    names = [*(["auto"] if auto else []), *Registry[object]("trivium.engines").names()]
    if name not in names:
        *others, last = [f'"{each}"' for each in names]
        raise InvalidValueError(f"engine must be {', '.join(others)} or {last}, not {name!r}.", "engine")
    return str(name)
