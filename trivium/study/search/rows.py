"""The plan of a search: runs that are added as it goes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study.plan import Plan
from trivium.study.values import Values


class Rows(Plan):
    """Runs in the order in which they were added; equal ones are one run.

    Parameters
    ----------
    parameters : Mapping[str, Values]
        What they may be.
    """

    grows = True

    def __init__(self, parameters: Mapping[str, Values]) -> None:
        super().__init__(parameters, 0)
        self._table: FloatArray = np.empty((0, len(self.names)))
        self._places: dict[bytes, int] = {}

    def add(self, rows: FloatArray) -> NDArray[np.int64]:
        """Add those of some rows that are new; return the runs of all, shape (k,)."""
        runs = np.empty(len(rows), dtype=np.int64)
        new: list[FloatArray] = []
        for place, row in enumerate(np.ascontiguousarray(rows + 0.0)):  # -0.0 and 0.0 are one value
            key = row.tobytes()
            if key not in self._places:
                self._places[key] = self.count + len(new)
                new.append(row)
            runs[place] = self._places[key]
        if new:
            self._table = np.concatenate([self._table, new])
            self.count = len(self._table)
        return runs

    def first_equal(self) -> None:
        """Return None: no two runs are equal."""

    def _rows(self, first: int, last: int) -> FloatArray:
        return self._table[first:last]
