"""What a session tells: points, parameters, steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from trivium.client.columns import Columns


class ClampedWarning(UserWarning):
    """An input beyond its bounds, which the server brought back to them."""


class Point(NamedTuple):
    """What is known of an input, a measurement or a disturbance.

    Attributes
    ----------
    unit, description : str
    minimum, maximum : float or None
        Bounds [unit]; None where there are none.
    """

    unit: str
    description: str
    minimum: float | None
    maximum: float | None

    @classmethod
    def all_of(cls, payload: Mapping[str, Mapping[str, Any]]) -> dict[str, Point]:
        """Return the points that a reply tells, by name."""
        return {
            name: cls(record["Unit"], record["Description"], record["Minimum"], record["Maximum"])
            for name, record in payload.items()
        }


class Parameter(NamedTuple):
    """What may be set before the plant is initialized.

    Attributes
    ----------
    unit, description : str
    minimum, maximum : float or None
        Bounds [unit].
    start : float or str or None
        Its value where nothing is set.
    type : str
        ``real``, ``integer``, ``boolean`` or ``text``.
    """

    unit: str
    description: str
    minimum: float | None
    maximum: float | None
    start: float | str | None
    type: str


class Steps(NamedTuple):
    """What many control steps led to.

    Attributes
    ----------
    steps : int
        How many were done.
    error : dict or None
        Why the next one failed: ``step`` (from 1 on), ``status``, ``message``.
    columns : Columns
        ``time`` and each point, a value a step.
    """

    steps: int
    error: dict[str, Any] | None
    columns: Columns
