"""Is the server alive, and is it ready? For container engines and load balancers, which ask every few seconds.

Alive means that a worker answers. Ready means more: an FMU has really been stepped, because a server may answer all
that needs no solver and still fail every step.
"""

from __future__ import annotations

import time

from flask import Response

from trivium.errors import TriviumError
from trivium.server import replies, wire
from trivium.server.operations import Lane, Routes
from trivium.session.manager import SessionManager

#: How long a step counts as proof [s], so that probes neither load nor wait for a busy session.
PROOF = 20.0


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes."""
    routes = Routes("health", "Server", failures=frozenset())
    proof: dict[str, float] = {}

    @routes.operation("GET", "/health/live", scope=None, lane=Lane.LIVE)
    def live() -> Response:
        """Say that the server answers."""
        return wire.envelope(200, "Alive.", None)

    @routes.operation("GET", "/health/ready", scope=None, lane=Lane.READY, failures={503}, reply=replies.Ready)
    def ready() -> Response:
        """Say whether a plant can be stepped: 200, or 503 and why not."""
        clock = time.monotonic()
        if clock - proof.get("at", -PROOF) >= PROOF:
            try:
                sessions.session(None).health()
            except TriviumError as error:
                proof.clear()
                return wire.envelope(503, f"Not ready: {error}", None)
            proof["at"] = clock
        return wire.envelope(200, "Ready: the plant has been stepped.", {"seconds_ago": round(clock - proof["at"], 3)})

    return routes
