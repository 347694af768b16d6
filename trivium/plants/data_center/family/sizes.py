"""Sizes of the data centre: what the plant is built for."""

from __future__ import annotations

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

#: IT load that a plant is built for by the name of its size [W]; three of its four chillers are enough (N+1).
SIZES = {"2MW": 2e6, "5MW": 5e6, "20MW": 20e6}


def nominal_load(size: str) -> float:
    """Return the IT load that a size is built for [W].

    Raises
    ------
    InvalidValueError
        When there is no such size.
    """
    try:
        return SIZES[size]
    except KeyError:
        raise InvalidValueError(f"there is no size {size!r}.{near_or_all(size, SIZES)}", "size") from None
