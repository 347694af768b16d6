"""A part of a plot sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trivium.model.contract import FloatArray


@dataclass(frozen=True)
class Panel:
    """Lines over one axis.

    Attributes
    ----------
    title, unit : str
    lines : Mapping[str, FloatArray]
        By label, shape (n_bins,).
    stacked : bool
        Whether they add up.
    counted : bool
        Whether they are counts of units.
    """

    title: str
    unit: str
    lines: Mapping[str, FloatArray]
    stacked: bool = False
    counted: bool = False
