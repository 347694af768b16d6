"""Alarms of a test: which limits were exceeded, since when, and who acknowledged it.

Alarms are computed from the rows of the history when somebody looks, from those that came since the last look. A step
costs nothing for them. `trivium.evaluation.alarm_limits` has what a test case declares.

A limit is exceeded from the row on that is beyond it, and until a row that is within it by the dead band; an alarm is
raised when that has lasted for the delay, and is over when the limit has not been exceeded for as long. So a value that
hovers at its limit raises one alarm.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import InvalidValueError
from trivium.evaluation.alarm_limits import PRIORITIES, Limit, State
from trivium.model.contract import FloatArray
from trivium.numbers import shown
from trivium.protocol import Alarm

#: Most past occurrences of an alarm that are kept; the oldest go first.
_KEPT = 1000
#: Rows that are looked at together.
_BLOCK = 8192
#: Times are equal within this [s].
_SAME = 1e-6


class Acknowledgement(NamedTuple):
    """Who acknowledged an occurrence, and when [s since 1970]."""

    by: str
    at: float


@dataclass
class _Occurrence:
    """A limit that is exceeded for longer than its delay."""

    since: float
    raised: float
    worst: float
    excess: float
    until: float | None = None
    value: float = np.nan
    limit: float = np.nan


class _Watch:
    """One alarm over the rows of a test, which come in order."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.past: deque[_Occurrence] = deque(maxlen=_KEPT)
        self.now: _Occurrence | None = None
        self._beyond = False
        #: Since when the limit is exceeded, or is not, without a break [s].
        self._run = -np.inf
        #: Value and limit at its beginning; its worst value, and how far that is beyond [unit].
        self._first = self._worst = (np.nan, -np.inf)

    def add(self, table: FloatArray) -> None:
        """Look at rows, shape (k, n_columns)."""
        state, times = self.limit.state(table), table[:, 0]
        over = state.counts & ((state.value > state.high) | (state.value < state.low))
        if not self._beyond and self.now is None and not over.any():
            return  # as nearly always
        beyond = self._hysteresis(state, over)
        edges = np.flatnonzero(np.diff(beyond)) + 1
        for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(times)], strict=True):
            if bool(beyond[first]) is not self._beyond or self._run == -np.inf:
                self._beyond, self._run, self._worst = bool(beyond[first]), float(times[first]), (np.nan, -np.inf)
                self._first = float(state.value[first]), _nearest(state, first)
            self._stay(times[first:last], State(*(each[first:last] for each in state)))
        if self.now is not None:
            self.now.value, self.now.limit = float(state.value[-1]), _nearest(state, -1)

    def occurrences(self) -> Iterator[_Occurrence]:
        """Yield all occurrences that are kept."""
        yield from self.past
        if self.now is not None:
            yield self.now

    def _hysteresis(self, state: State, beyond: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return whether each row counts as beyond the limit; within the dead band it does as the row before."""
        band = self.limit.deadband
        within = (state.value <= state.high - band) & (state.value >= state.low + band)
        decided = beyond | within | ~state.counts
        last = np.maximum.accumulate(np.where(decided, np.arange(len(beyond)), -1))
        return np.where(last >= 0, beyond[last], self._beyond)

    def _stay(self, times: FloatArray, state: State) -> None:
        """Take note of rows that are all beyond the limit, or all not."""
        lasted = np.flatnonzero(times - self._run >= self.limit.delay - _SAME)
        if self._beyond:
            excess = np.where(state.counts, np.maximum(state.value - state.high, state.low - state.value), -np.inf)
            place = int(excess.argmax())
            if excess[place] > self._worst[1]:
                self._worst = float(state.value[place]), float(excess[place])
            if self.now is None and lasted.size:
                self.now = _Occurrence(self._run, float(times[lasted[0]]), *self._worst)
            if self.now is not None and self._worst[1] > self.now.excess:
                self.now.worst, self.now.excess = self._worst
        elif self.now is not None and lasted.size:
            self.now.until, (self.now.value, self.now.limit) = self._run, self._first
            self.past.append(self.now)
            self.now = None


def _nearest(state: State, row: int) -> float:
    """Return the limit that the value of a row is beyond, or nearest to."""
    value, low, high = (float(each[row]) for each in state[:3])
    if not np.isfinite(low) or not np.isfinite(high):
        return high if np.isfinite(high) else low
    return high if high - value <= value - low else low


class Alarms:
    """The alarms of a test.

    Parameters
    ----------
    limits : sequence of Limit
        The most urgent first.
    """

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        self._acknowledged: dict[tuple[str, float], Acknowledgement] = {}
        self.restart(0)

    def restart(self, first: int) -> None:
        """Begin anew at a row of the history; what was acknowledged holds for occurrences that come out the same."""
        self._seen = first
        self._watches = [_Watch(limit) for limit in self._limits]

    @property
    def acknowledged(self) -> list[list[Any]]:
        """What was acknowledged, as JSON can hold it: name, since when, by whom, when."""
        return [[*key, *value] for key, value in self._acknowledged.items()]

    @acknowledged.setter
    def acknowledged(self, values: Sequence[Sequence[Any]]) -> None:
        self._acknowledged = {(name, since): Acknowledgement(by, at) for name, since, by, at in values}

    def read(self, rows: Callable[[int], FloatArray], *, past: bool = False) -> list[Alarm]:
        """Return alarms that are active or not acknowledged, the most urgent first.

        Parameters
        ----------
        rows : Callable
            Takes a number and returns the rows of the history from there on.
        past : bool
            Return all of the test.
        """
        if self._watches:
            self._look(rows(self._seen))
        alarms = [self._alarm(watch.limit, occurrence) for watch in self._watches for occurrence in watch.occurrences()]
        wanted = [alarm for alarm in alarms if past or alarm.active or not alarm.acknowledged]
        return sorted(wanted, key=lambda alarm: (not alarm.active, PRIORITIES.index(alarm.priority), alarm.since))

    def acknowledge(
        self, rows: Callable[[int], FloatArray], names: Sequence[str] | None, by: str, at: float | None
    ) -> list[Alarm]:
        """Acknowledge alarms by name, None for all; return them.

        Raises
        ------
        InvalidValueError
            When the test case has no such alarm, or there is none to be acknowledged.
        """
        alarms = [alarm for alarm in self.read(rows) if not alarm.acknowledged]
        known = [limit.name for limit in self._limits]
        for name in names or ():
            if name not in known:
                raise InvalidValueError(f"There is no alarm {shown(name)}; there are {', '.join(known)}.", "names")
            if not any(alarm.name == name for alarm in alarms):
                raise InvalidValueError(f"The alarm {name} has nothing to acknowledge now.", "names")
        chosen = [alarm for alarm in alarms if names is None or alarm.name in names]
        now = Acknowledgement(by, time.time() if at is None else at)
        self._acknowledged |= {(alarm.name, alarm.since): now for alarm in chosen}
        return [alarm._replace(acknowledged_by=now.by, acknowledged_at=now.at) for alarm in chosen]

    def _look(self, table: FloatArray) -> None:
        for first in range(0, len(table), _BLOCK):
            block = table[first : first + _BLOCK]
            for watch in self._watches:
                watch.add(block)
        self._seen += len(table)

    def _alarm(self, limit: Limit, occurrence: _Occurrence) -> Alarm:
        each = occurrence
        by = self._acknowledged.get((limit.name, each.since))
        return Alarm(
            limit.name, limit.text, limit.priority, list(limit.points), limit.unit,
            each.since, each.raised, each.until, each.value, each.limit, each.worst,
            *(by or (None, None)),
        )  # fmt: skip
