"""Arguments of another type than a function takes: refused by name, before anything reads them."""

from __future__ import annotations

from typing import Any

from trivium.entry_points import Registry
from trivium.errors import InvalidValueError


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
        *rest, last = [f'"{each}"' for each in names]
        raise InvalidValueError(f"engine must be {', '.join(rest)} or {last}, not {name!r}.", "engine")
    return str(name)
