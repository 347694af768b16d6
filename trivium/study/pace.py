"""How fast the runs of a sweep end, once they do."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Shortest time that a rate is measured over [s].
_LEAST = 4.0


class Pace:
    """Measures a rate from the end of the first chunk on.

    What comes before that end (processes start, an FMU is loaded and tested, code is compiled) happens once, and says
    nothing about the time that is left.

    Parameters
    ----------
    clock : callable
        Returns the time [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._last = 0.0
        self._chunks = self._runs = 0

    def add(self, runs: int) -> None:
        """Count a chunk of runs that ended just now."""
        time = self._clock()
        if self._began is None:
            self._began = self._last = time
            return
        self._chunks += 1
        self._runs += runs
        self._last = time

    def rate(self, workers: int) -> float | None:
        """Return the runs a second; None as long as there is no estimate worth having.

        Parameters
        ----------
        workers : int
            How many chunks run at a time. Each must have come back, so that runs of any length count in full.
        """
        if self._began is None or self._chunks < workers or self._last - self._began < _LEAST:
            return None
        return self._runs / (self._last - self._began)
