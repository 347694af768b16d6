"""Where the runs of a study are stored.

A place is a row of a part, and the parameters of a place never change. The run in it has the number of the place until
the study grows: then runs get other numbers, and what is stored stays where it is (`trivium.study.growth`).
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError

Numbers = NDArray[np.int64]


class Places:
    """The places of all runs.

    Parameters
    ----------
    size : int
        Places of a part.
    count : int
        All places that there are, those of runs that the study no longer has included.
    of : array of int64, shape (n_runs,), optional
        The place of each run; equal runs may share one. Default: a run has the place of its number.

    Attributes
    ----------
    grown : bool
        Whether places differ from numbers of runs.
    """

    def __init__(self, size: int, count: int, of: Numbers | None = None) -> None:
        self.size, self.count, self.grown = size, count, of is not None
        self._of = of
        self._runs: Numbers | None = None
        self._weights: Numbers | None = None
        if of is not None:
            self._weights = np.bincount(of, minlength=count)
            self._runs = np.full(count, -1, dtype=np.int64)
            self._runs[of[::-1]] = np.arange(of.size - 1, -1, -1)  # the first run of each place

    def of(self, runs: NDArray[np.integer]) -> Numbers:
        """Return the places of runs."""
        return runs.astype(np.int64, copy=False) if self._of is None else self._of[runs]

    def in_part(self, part: int) -> Numbers:
        """Return the places of a part; the last one may have fewer."""
        return np.arange(part * self.size, min((part + 1) * self.size, self.count), dtype=np.int64)

    def first_run(self, places: Numbers) -> Numbers:
        """Return the first run in each place; -1 where the study has none there any more."""
        return places if self._runs is None else self._runs[places]

    def in_use(self, places: Numbers) -> Numbers:
        """Return those of some places in which there are runs of the study."""
        return places if self._runs is None else places[self._runs[places] >= 0]

    def count_runs(self, places: Numbers) -> int:
        """Return how many runs there are in some places."""
        return places.size if self._weights is None else int(self._weights[places].sum())

    def runs(self, places: Numbers) -> Numbers:
        """Return all runs in some places, growing."""
        return places if self._of is None else np.flatnonzero(np.isin(self._of, places))

    def column(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return what belongs to the places, shape (count, ...), in the order of the runs."""
        return values if self._of is None else values[self._of]

    def packed(self) -> bytes | None:
        """Return the places of all runs as bytes; None where they are the numbers of the runs."""
        return None if self._of is None else zlib.compress(np.diff(self._of, prepend=0).tobytes(), 1)


def unpacked(size: int, count: int, data: bytes) -> Places:
    """Return the places that were packed.

    Raises
    ------
    ResourcesError
        When they are damaged.
    """
    try:
        of = np.cumsum(np.frombuffer(zlib.decompress(data), np.int64))
    except (zlib.error, ValueError) as error:
        raise ResourcesError(f"study.sqlite is damaged: the places of runs cannot be read: {error}") from error
    return Places(size, count, of)
