"""Building blocks of rule-based control: stages with hysteresis, and speeds that do not hunt."""

from __future__ import annotations

import math


class Stage:
    """A number of equal units in service, for a demand that they share.

    A unit is added when the share of each would exceed `up`, at once; one is taken away when the share of those left
    stays within `down`, and only after `dwell` steps without a change.

    Parameters
    ----------
    up, down : float
        Demand a unit above which one more starts, and up to which one fewer will do; `down` below `up`.
    most : int
        Number of units there are [-].
    dwell : int
        Steps between a change and the next step down [-].
    """

    def __init__(self, up: float, down: float, maximum: int = 6, dwell: int = 12) -> None:
        self.limit(up, down)
        self._most, self._dwell = maximum, dwell
        self._since = dwell
        self.count = 1

    def limit(self, up: float, down: float) -> None:
        """Go by other demands a unit from now on."""
        if not 0 < down < up:
            raise ValueError(f"stage down at {down} must lie between 0 and stage up at {up}")
        self._up, self._down = up, down

    def start(self, demand: float) -> int:
        """Set the number [-] that fits the demand, without a past."""
        self.count = min(max(math.ceil(demand / self._up), 1), self._most)
        self._since = self._dwell
        return self.count

    def hold(self) -> None:
        """Take no unit away for the dwell time, because units change in another way."""
        self._since = 0

    def update(self, demand: float) -> int:
        """Go one step on; return the number of units in service [-]."""
        self._since += 1
        needed = min(max(math.ceil(demand / self._up), 1), self._most)
        if needed > self.count:
            self.count, self._since = needed, 0
        elif self.count > 1 and self._since >= self._dwell and demand <= self._down * (self.count - 1):
            self.count, self._since = self.count - 1, 0
        return self.count


def settle(previous: float, target: float, step: float, band: float) -> float:
    """Follow a wanted value in whole steps, and only when it has left the band around the previous value."""
    if abs(target - previous) <= band:
        return previous
    return round(target / step) * step
