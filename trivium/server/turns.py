"""Which requests get a thread now: a session, which does one thing at a time, never holds more than a few.

The others of the session wait without a thread, and after some time are refused. What answers probes, figures and
streams of events has threads of its own (`Lane`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from trivium.server.operations import Lane, operations

Item = TypeVar("Item")
#: How many requests of one session have a thread: one that its process does, and one on its way.
ABREAST = 2
#: How many requests of one session may wait.
QUEUE = 200


class Turn(NamedTuple):
    """Where a request belongs.

    Attributes
    ----------
    lane : Lane
    session : str or None
        The session whose process it needs, "" for the default one; None for none.
    """

    lane: Lane
    session: str | None


def turn_of(app: Flask, method: str, path: str) -> Turn:
    """Return where a request belongs."""
    try:
        endpoint, arguments = app.url_map.bind("").match(unquote(path), "GET" if method == "HEAD" else method)
    except (HTTPException, RequestRedirect):
        return Turn(Lane.REQUESTS, None)
    operation = operations(app).get(endpoint)
    lane = Lane.REQUESTS if operation is None else operation.lane
    if lane is Lane.REQUESTS and "testid" in arguments and operation is not None and operation.waits:
        return Turn(lane, arguments["testid"] or "")
    return Turn(lane, None)


class Turns(Generic[Item]):
    """Requests that wait for a thread.

    Parameters
    ----------
    threads : int
        How many there are.
    patience : float
        How long a request may wait [s].
    """

    def __init__(self, threads: int, patience: float) -> None:
        self._free = threads
        self._patience = patience
        self._since: dict[Item, tuple[float, str | None]] = {}  # of those that wait, the longest first
        self._ready: deque[Item] = deque()
        self._parked: dict[str, deque[Item]] = {}
        self._abreast: Counter[str] = Counter()

    def add(self, item: Item, session: str | None, now: float) -> bool:
        """Let a request wait; return False where too many of its session do."""
        if session is not None and self._abreast[session] >= ABREAST:
            parked = self._parked.setdefault(session, deque())
            if len(parked) >= QUEUE:
                return False
            parked.append(item)
        else:
            self._ready.append(item)
            if session is not None:
                self._abreast[session] += 1
        self._since[item] = now, session
        return True

    def take(self) -> Iterator[tuple[Item, str | None]]:
        """Yield those whose turn it is, with their sessions; each takes a thread until `done`."""
        while self._free and self._ready:
            item = self._ready.popleft()
            _, session = self._since.pop(item)
            self._free -= 1
            yield item, session

    def done(self, session: str | None) -> None:
        """Give the thread of a request back."""
        self._free += 1
        self._let_next(session)

    def expired(self, now: float) -> Iterator[Item]:
        """Yield those that waited for too long; they wait no more."""
        while self._since:
            item, (since, session) = next(iter(self._since.items()))
            if now - since <= self._patience:
                return
            del self._since[item]
            if item in self._ready:
                self._ready.remove(item)
                self._let_next(session)
            elif session is not None:
                self._parked[session].remove(item)
            yield item

    def _let_next(self, session: str | None) -> None:
        """Let the next request of a session wait for a thread, in place of one that did or had one."""
        if session is None:
            return
        self._abreast[session] -= 1
        parked = self._parked.get(session)
        if parked:
            self._ready.append(parked.popleft())
            self._abreast[session] += 1
        if not parked:
            self._parked.pop(session, None)
        if not self._abreast[session]:
            del self._abreast[session]
