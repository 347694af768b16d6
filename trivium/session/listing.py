"""A page of the sessions: those that match, in an order; only what is shown is read of each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trivium.arguments import INDICATOR, order_of
from trivium.errors import DamagedError
from trivium.session.folder import Folder
from trivium.session.labels import Labels, read_labels
from trivium.session.summary import state_of, summarize

#: By what sessions are ordered; with ``-`` before it the other way round.
ORDERS = ("testid", "created", "last_used", "name", "testcaseid")
_NO_LABELS = Labels()


class Page(NamedTuple):
    """Some of the sessions that match, and how many do."""

    sessions: list[dict[str, Any]]
    total: int


class Listing:
    """What is known of sessions without their processes; of what does not change, or seldom, a copy is kept.

    Parameters
    ----------
    state_dir : Path
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir, self._sessions = state_dir, state_dir / "sessions"
        self._descriptions: dict[str, dict[str, Any]] = {}
        self._labels: dict[str, tuple[int, Labels]] = {}
        self._indicators: dict[str, tuple[int, dict[str, float | None]]] = {}

    def page(
        self,
        testids: Sequence[str],
        default: str,
        sees: Callable[[str | None], bool],
        *,
        state: str | None = None,
        search: str = "",
        sort: str = "testid",
        offset: int = 0,
        limit: int | None = None,
    ) -> Page:
        """Return some sessions, as in the reply to ``GET /sessions``.

        Parameters
        ----------
        testids : sequence of str
            All sessions.
        default : str
            Id of the default session, which everybody sees.
        sees : callable
            Whether the present caller sees the sessions of an owner.
        state : str, optional
            See `trivium.glossary.SESSIONS`; None for any.
        search : str
            Words that must all be in the id, test case, name, tags or controller; capitals do not matter.
        sort : str
            One of `ORDERS`, or ``kpi:`` and the name of an indicator, as the host of the session noted it last; after
            ``-`` descending. Sessions without the indicator come last.
        offset, limit : int
            The first of those that match, and how many; None for all.

        Raises
        ------
        InvalidValueError
            When there is no such order.
        """
        key, descending = order_of(sort, ORDERS)
        words = search.casefold().split()
        found: list[tuple[Any, str]] = []
        last: list[tuple[Any, str]] = []
        for testid in testids:
            described = self._description(testid)
            if not (testid == default or sees(described.get("owner"))):
                continue
            labels = self._label(testid) if words or key == "name" else _NO_LABELS
            if words and not _matches(words, testid, described, labels):
                continue
            if state is not None and state_of(f"{self._sessions}/{testid}", bool(described)) != state:
                continue
            rank = self._rank(key, testid, described, labels)
            (last if rank is None else found).append((rank, testid))
        found = sorted(found, reverse=descending) + sorted(last)
        chosen = found[offset : None if limit is None else offset + limit]
        return Page([summarize(Folder(self._state_dir, name), name == default) for _, name in chosen], len(found))

    def _rank(self, key: str, testid: str, described: dict[str, Any], labels: Labels) -> Any:
        if key == "created":
            return described.get("created") or 0.0
        if key == "last_used":
            return self._used(testid)
        if key == "name":
            return labels.name.casefold()
        if key.startswith(INDICATOR):
            return self._noted(testid).get(key.removeprefix(INDICATOR))
        return described.get("testcase") or "" if key == "testcaseid" else testid

    def _used(self, testid: str) -> float:
        """Return when a session was last used [s since 1970], as `Folder.last_used`."""
        for name in ("status", "about.json"):
            with contextlib.suppress(OSError):
                return os.stat(f"{self._sessions}/{testid}/{name}").st_mtime
        return 0.0

    def _description(self, testid: str) -> dict[str, Any]:
        if testid not in self._descriptions:
            if len(self._descriptions) > 100_000:
                self._descriptions.clear()
            try:
                self._descriptions[testid] = Folder(self._state_dir, testid).description()
            except DamagedError:
                return {}
        return self._descriptions[testid]

    def _noted(self, testid: str) -> dict[str, float | None]:
        """Return the indicators of a session as its host noted them last."""
        try:
            stamp = os.stat(f"{self._sessions}/{testid}/indicators.json").st_mtime_ns
        except OSError:
            return {}
        kept = self._indicators.get(testid)
        if kept is None or kept[0] != stamp:
            kept = self._indicators[testid] = stamp, Folder(self._state_dir, testid).indicators()[1]
        return kept[1]

    def _label(self, testid: str) -> Labels:
        try:
            stamp = os.stat(f"{self._sessions}/{testid}/labels.json").st_mtime_ns
        except OSError:
            return _NO_LABELS
        kept = self._labels.get(testid)
        if kept is None or kept[0] != stamp:
            kept = self._labels[testid] = stamp, read_labels(Folder(self._state_dir, testid))
        return kept[1]


def _matches(words: Sequence[str], testid: str, described: dict[str, Any], labels: Labels) -> bool:
    parts = (testid, str(described.get("testcase") or ""), labels.name, *labels.tags, labels.controller)
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)
