"""Conditions on metrics, as studies write them: ``doubling_time <= 17520``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray

_FORM = re.compile(r"^\s*(?P<metric>\S.*?)\s*(?P<sign><=|>=|==?|<|>)\s*(?P<bound>[^<>=\s]+)\s*$")


@dataclass(frozen=True)
class Condition:
    """A bound of a metric.

    A metric without a value, which the end of the run censors, counts as greater than every bound.

    Attributes
    ----------
    metric : str
    sign : {"<=", ">=", "="}
        Of numbers, at the border alone, ``<`` and ``>`` mean the same as ``<=`` and ``>=``.
    bound : float
    """

    metric: str
    sign: Literal["<=", ">=", "="]
    bound: float

    def excess(self, values: FloatArray) -> FloatArray:
        """Return how far values are beyond the bound: at most 0 where they meet it; of ``=``, how far above it."""
        beyond = np.where(np.isnan(values), np.inf, values) - self.bound
        return -beyond if self.sign == ">=" else beyond

    def meets(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values meet the condition; of ``=``, which are at most the bound."""
        met: NDArray[np.bool_] = self.excess(values) <= 0.0
        return met

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.bound!r}"


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises
    ------
    ValueError
        Saying how one is written.
    """
    match = _FORM.match(text)
    try:
        bound = float(match["bound"]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise ValueError(f'{text!r} is no condition; write a metric, a sign and a number, as "doubling_time <= 17520"')
    signs: dict[str, Literal["<=", ">=", "="]] = {"<": "<=", "<=": "<=", ">": ">=", ">=": ">="}
    return Condition(match["metric"], signs.get(match["sign"], "="), bound)
