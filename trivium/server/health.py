"""Is the server alive, and is it ready? For container engines and load balancers, which ask every few seconds.

Alive means that a worker answers, and that a restart would not help. Ready means more: an FMU has really been stepped,
because a server may answer all that needs no solver and still fail every step.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from flask import Response

from trivium.errors import TriviumError
from trivium.server import replies, wire
from trivium.server.operations import Lane, Routes
from trivium.session.manager import SessionManager

#: How long a step counts as proof [s], so that probes neither load nor wait for a busy session.
PROOF = 20.0
#: How long a probe waits for a step [s]; the step goes on, and a later probe reports it.
PATIENCE = 5.0
#: How often a probe looks meanwhile whether the session makes progress with something else.
_LOOKS = 20
#: How long a server that only a restart helps goes on [s], and how often it looks.
LAST, _LOOK = 60.0, 5.0

log = logging.getLogger(__name__)


class _Proof:
    """The last proof that a plant can be stepped."""

    def __init__(self, sessions: SessionManager) -> None:
        self._sessions = sessions
        self._at = -PROOF
        self._step: Future[None] | None = None
        self._pool = ThreadPoolExecutor(1, "proof")

    def age(self) -> float:
        """Return how old it is [s]; the plant is stepped where that is too long ago.

        Raises
        ------
        TriviumError
            When the step fails.
        TimeoutError
            When it takes too long.
        """
        clock = time.monotonic()
        if clock - self._at >= PROOF:
            if self._step is None or self._step.done():
                self._step = self._pool.submit(self._prove)
            self._await(self._step)
            clock = time.monotonic()
        return clock - self._at

    def _prove(self) -> None:
        started = time.monotonic()
        self._sessions.session(None).health()
        self._at = started

    def _await(self, step: Future[None]) -> None:
        """Wait for a step; one of a long request, which the session does meanwhile, is as good."""
        first = self._sessions.under_way(None)
        for _ in range(_LOOKS):
            try:
                return step.result(PATIENCE / _LOOKS)
            except TimeoutError:
                latest = self._sessions.under_way(None)
            if first and latest and first.request == latest.request and latest.progress > first.progress:
                self._at = latest.progress
                return None
        raise TimeoutError


def end_when_hopeless(
    sessions: SessionManager, end: Callable[[], None], *, last: float = LAST, look: float = _LOOK
) -> None:
    """Wait until a server has been one that only a restart helps for some time, then end it: not all supervisors probe.

    Parameters
    ----------
    sessions : SessionManager
    end : callable
        Ends the server.
    last, look : float
        How long it goes on, and how often is looked [s].
    """
    since = None
    while since is None or time.monotonic() - since < last:
        time.sleep(look)
        why = sessions.hopeless()
        since = (since or time.monotonic()) if why else None
    log.critical("this server cannot go on, and ends: %s", why)
    end()


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes."""
    routes = Routes("health", "Server", failures=frozenset())
    proof = _Proof(sessions)

    @routes.operation("GET", "/health/live", scope=None, failures={503}, lane=Lane.LIVE)
    def live() -> Response:
        """Say that the server answers: 200, or 503 and why not where only a restart helps."""
        why = sessions.hopeless()
        return wire.envelope(503, f"Not alive: {why}", None) if why else wire.envelope(200, "Alive.", None)

    @routes.operation("GET", "/health/ready", scope=None, failures={503}, reply=replies.Ready, lane=Lane.READY)
    def ready() -> Response:
        """Say whether a plant can be stepped: 200, or 503 and why not."""
        try:
            age = proof.age()
        except TimeoutError:
            return wire.envelope(503, f"Not ready: a step of the plant takes longer than {PATIENCE:g} s.", None)
        except TriviumError as error:
            return wire.envelope(503, f"Not ready: {error}", None)
        return wire.envelope(200, "Ready: the plant has been stepped.", {"seconds_ago": round(age, 3)})

    return routes
