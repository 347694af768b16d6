"""Alarms of sessions, as the web tier reads them: without waiting for a session that is busy, and seldom.

The process of a session computes its alarms (`trivium.evaluation.alarms`). A session that did nothing since the last
look is not asked again. That its clock or its process stands although it is driven only the one who waits for it can
see: this is the alarm ``stale``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from trivium.errors import TriviumError
from trivium.evaluation.alarm_limits import PRIORITIES, STALE, Stale, read_stale
from trivium.protocol import Alarm
from trivium.session.manager import SessionManager
from trivium.simulation.declared import read_toml, table_of

#: For how long a request may make no progress before nobody else waits for the session for its alarms [s].
_PATIENCE = 1.0
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

    def read(self, testid: str | None, *, past: bool = False) -> Look:
        """Return alarms that are active or not acknowledged; with ``past`` all of the test.

        Raises
        ------
        TriviumError
            When there is no such session, or it cannot be asked.
        """
        self._sessions.permit(testid)
        busy = self._stands(testid)
        kept = self._looks.get((testid, past))
        if busy is not None and busy > _PATIENCE:
            known = kept[1] if kept is not None else Look([], None, False)
            return Look(self._with_stale(testid, known, busy), known.time, False)
        if kept is None or kept[0] is None or kept[0] != self._mark(testid):
            kept = self._ask(testid, past)
        return kept[1]

    def acknowledge(
        self, testid: str | None, names: Sequence[str] | None, by: str, key: str | None = None
    ) -> list[Alarm]:
        """Acknowledge alarms of a session by name, None for all, and return them; see `TestCase.acknowledge_alarms`."""
        session = self._sessions.session(testid, key=key)
        return session.acknowledge_alarms(names, by=by, at=time.time())

    def _ask(self, testid: str | None, past: bool) -> tuple[object, Look]:
        before = self._mark(testid)
        alarms = self._sessions.session(testid).alarms(past=past)
        status, after = self._sessions.status_of(testid), self._mark(testid)
        if before is None or after is None or after[:-1] != before[:-1] or after[-1] != before[-1] + 1:
            after = None  # somebody else did something meanwhile
        if len(self._looks) > _KEPT:
            self._looks.clear()
        kept = self._looks[testid, past] = after, Look(alarms, None if status is None else status.clock, True)
        return kept

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

    def _with_stale(self, testid: str | None, known: Look, stands: float) -> list[Alarm]:
        """Return what is known, with the alarm that the session stands where it does."""
        limit = self._limit(testid)
        status = self._sessions.status_of(testid)
        if stands <= limit.after or status is None:
            return known.alarms
        text = "The session stands although it is driven: what is shown is old"
        since = status.clock
        alarm = Alarm(STALE, text, limit.priority, [], "s", since, since, None, stands, limit.after, stands)
        return sorted([alarm, *known.alarms], key=lambda each: (not each.active, PRIORITIES.index(each.priority)))

    def _limit(self, testid: str | None) -> Stale:
        if testid not in self._stale:
            try:
                toml = read_toml(self._sessions.resources_of(testid) / "testcase.toml")
                limit = read_stale(table_of(toml, "alarms"))
            except (TriviumError, NotADirectoryError):  # an FMU alone; a test case that is not there any more
                limit = Stale()
            self._stale[testid] = limit
        return self._stale[testid]
