"""The grid of the results: where control steps are divided, so that rows and indicators do not depend on their length.

A simulation has a row at each whole multiple of an interval, counted from time 0, and at the end of each control step.
Steps of 30 s and of 2 h therefore share the times of the grid, and the model takes the same sub-steps in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from trivium.model.contract import FloatArray
from trivium.simulation.times import decimal

#: Most parts of a control step where nobody chose an interval.
MOST = 100
#: Times closer than this part of the interval are the same.
_SAME = 1e-6
_ROUND = (1, 2, 5, 10)
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Grid:
    """Times inside control steps.

    Attributes
    ----------
    interval : float
        Between two of them [s], positive; infinite where there are none.
    coarsened : bool
        Whether nobody chose the interval: then a control step that is not longer stays whole, and the interval is
        2, 5, 10, 20, ... times as long where a step would have more than `MOST` parts.
    unit : float or None
        What the length of every part must be a multiple of [s], as the interval is; None where any will do. Otherwise
        multiples of the interval are counted from the first time after 0 that is whole units away.
    """

    interval: float = math.inf
    coarsened: bool = False
    unit: float | None = None

    def with_step(self, step: float) -> Grid:
        """Return the grid of a simulation whose own step is another [s]: the same where the interval was chosen."""
        return replace(self, interval=step) if self.coarsened else self

    def split(self, times: Sequence[float], ends: Sequence[float]) -> Sequence[float]:
        """Split a stretch of time at the grid.

        Parameters
        ----------
        times : sequence of float, length n_steps + 1
            Where control steps begin and end [s].
        ends : sequence of float, length k
            Where its parts end by now, growing to the last of the times.

        Returns
        -------
        sequence of float
            Where the parts end then.
        """
        first, last, length = times[0], times[-1], times[1] - times[0]
        if math.isinf(self.interval) or (self.coarsened and length <= self.interval * (1 + _SAME)):
            return ends
        multiple = self._multiple(length)
        interval, origin = self.interval * multiple, self._origin(first)
        low = math.floor((first - float(origin)) / interval + _SAME) + 1
        high = math.ceil((last - float(origin)) / interval - _SAME)
        if low >= high:
            return ends
        numbers = np.arange(low, high)
        marks, edges = float(origin) + interval * numbers, np.concatenate(((first,), ends))
        after = np.searchsorted(edges, marks)
        slack = _SAME * interval
        inside = (edges[after] - marks > slack) & (marks - edges[after - 1] > slack)
        if not inside.any():
            return ends
        apart = decimal(self.interval) * multiple
        exact: FloatArray = np.array([float(origin + apart * number) for number in numbers[inside].tolist()])
        divided: list[float] = np.sort(np.concatenate((ends, exact))).tolist()
        return divided

    def _origin(self, time: float) -> Decimal:
        """Return where multiples are counted from for parts that begin at a time [s]."""
        return _ZERO if self.unit is None else decimal(time) % decimal(self.unit)

    def _multiple(self, length: float) -> int:
        """Return how many intervals are one in a control step of a length [s]."""
        parts = length / self.interval
        if not self.coarsened or parts <= MOST * (1 + _SAME):
            return 1
        power: int = 10 ** math.floor(math.log10(parts / MOST))
        wide = [each * power for each in _ROUND if each * power * MOST * (1 + _SAME) >= parts]
        return wide[0]
