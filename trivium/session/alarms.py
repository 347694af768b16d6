"""Alarms of sessions, as the web tier reads them: without waiting for a session that is busy, and seldom.

The process of a session computes its alarms (`trivium.evaluation.alarms`). A session that did nothing since the last
look is not asked again. That its clock or its process stands although it is driven only the one who waits for it can
see: this is the alarm ``stale``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from trivium.errors import TriviumError
from trivium.evaluation.alarm_limits import PRIORITIES, STALE, Stale, read_stale
from trivium.protocol import Alarm
from trivium.session.manager import SessionManager

#: A request that takes longer is not waited for [s].
_SHORT = 0.05
#: Most sessions whose alarms are kept.
_KEPT = 1000


class Look(NamedTuple):
    """Alarms of a session.

    Attributes
    ----------
    alarms : list of Alarm
        The most urgent first.
    time : float or None
        Clock of the session when they were computed [s]; None where they never were, because the session is busy.
    current : bool
        Whether that is now.
    """

    alarms: list[Alarm]
    time: float | None
    current: bool


class SessionAlarms:
    """Reads alarms of sessions.

    Parameters
    ----------
    sessions : SessionManager
    """

    def __init__(self, sessions: SessionManager) -> None:
        self._sessions = sessions
        self._looks: dict[tuple[str | None, bool], tuple[object, Look]] = {}
        self._stale: dict[str | None, Stale] = {}
        self._locks: dict[str | None, threading.Lock] = {}

    def read(self, testid: str | None, *, past: bool = False) -> Look:
        """Return alarms that are active or not acknowledged; with ``past`` all of the test.

        A session that is busy is asked by one thread at most; others get what is known.

        Raises
        ------
        TriviumError
            When there is no such session, or it cannot be asked.
        """
        self._sessions.permit(testid)
        kept = self._looks.get((testid, past))
        if kept is not None and kept[0] is not None and kept[0] == self._mark(testid):
            return self._with_stale(testid, kept[1])
        lock = self._locks.setdefault(testid, threading.Lock())
        if (kept is not None and self._busy(testid)) or not lock.acquire(blocking=False):
            known = Look([], None, False) if kept is None else kept[1]._replace(current=False)
            return self._with_stale(testid, known)
        try:
            return self._with_stale(testid, self._ask(testid, past))
        finally:
            lock.release()

    def acknowledge(
        self, testid: str | None, names: Sequence[str] | None, by: str, key: str | None = None
    ) -> list[Alarm]:
        """Acknowledge alarms of a session by name, None for all, and return them; see `TestCase.acknowledge_alarms`."""
        session = self._sessions.session(testid, key=key)
        return session.acknowledge_alarms(names, by=by, at=time.time())

    def stale(self, testid: str | None) -> Alarm | None:
        """Return the alarm that a session stands although it is driven, without asking it; None where it does not."""
        stands, status = self._stands(testid), self._sessions.status_of(testid)
        if stands is None or status is None or stands <= (limit := self._limit(testid)).after:
            return None
        text, since = "The session stands although it is driven: what is shown is old", status.clock
        return Alarm(STALE, text, limit.priority, [], "s", since, since, None, stands, limit.after, stands)

    def _ask(self, testid: str | None, past: bool) -> Look:
        before = self._mark(testid)
        alarms = self._sessions.session(testid).alarms(past=past)
        status, after = self._sessions.status_of(testid), self._mark(testid)
        if before is None or after is None or after[:-1] != before[:-1] or after[-1] != before[-1] + 1:
            after = None  # somebody else did something meanwhile
        if len(self._looks) > _KEPT:
            self._looks.clear()
        look = Look(alarms, None if status is None else status.clock, True)
        self._looks[testid, past] = after, look
        return look

    def _mark(self, testid: str | None) -> tuple[int, int, float, int, int] | None:
        """Return what changes with every request that the session does; None where nobody serves it."""
        status = self._sessions.status_of(testid)
        if status is None:
            return None
        return status.pid, status.started, status.clock, status.acknowledged, status.requests

    def _stands(self, testid: str | None) -> float | None:
        """Return how long a request has made no progress [s]; None where there is none.

        A process that was stopped does not say that it is busy; who waits for it knows.
        """
        under_way, driven = self._sessions.under_way(testid), self._sessions.driven_since(testid)
        progress = [since for since in (under_way and under_way.progress, driven) if since is not None]
        return time.monotonic() - max(progress) if progress else None

    def _busy(self, testid: str | None) -> bool:
        """Return whether a session does a request that takes long."""
        first = self._sessions.under_way(testid)
        if first is None:
            return False
        time.sleep(_SHORT)
        later = self._sessions.under_way(testid)
        return later is not None and later.request == first.request

    def _with_stale(self, testid: str | None, look: Look) -> Look:
        stale = self.stale(testid)
        if stale is None:
            return look
        alarms = sorted([stale, *look.alarms], key=lambda each: (not each.active, PRIORITIES.index(each.priority)))
        return look._replace(alarms=alarms, current=False)

    def _limit(self, testid: str | None) -> Stale:
        if testid not in self._stale:
            try:
                limit = read_stale(self._sessions.declared(testid).alarms)
            except TriviumError:  # a test case that is not there any more
                limit = Stale()
            self._stale[testid] = limit
        return self._stale[testid]
