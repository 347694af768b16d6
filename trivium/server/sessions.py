"""Sessions by test id, and what can be done with one beyond single steps: many steps, snapshots, forks.

Where a route has no test id it is about the default session.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app

from trivium.errors import InvalidValueError
from trivium.numbers import parse_count
from trivium.server import columns, wire
from trivium.session.manager import SessionManager


def _within(asked: Mapping[str, Any], most: int) -> None:
    """Refuse a request for too many steps; whether it is a good one otherwise, the session tells."""
    trajectory = asked.get("trajectory")
    if isinstance(trajectory, Mapping):
        trajectory = next(iter(trajectory.values()), None)
    counts = [len(trajectory) if isinstance(trajectory, list) else 1]
    if asked.get("steps") is not None:
        counts.append(parse_count(asked["steps"], "steps"))
    if max(counts) > most:
        raise InvalidValueError(
            f"Invalid value {max(counts)} for parameter steps. Value must be at most {most} in one request.", "steps"
        )


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("sessions", __name__)

    @routes.get("/sessions")
    def listing() -> Response:
        """All sessions and where they stand."""
        return wire.envelope(200, "Queried the sessions successfully.", sessions.sessions())

    @routes.put("/stop")
    def stop_all() -> Response:
        """Stop all sessions."""
        return wire.envelope(200, "Stopped all sessions successfully.", {"stopped": sessions.stop_all()})

    @routes.post("/steps", defaults={"testid": None})
    @routes.post("/steps/<testid>")
    def steps(testid: str | None) -> Response:
        """Many control steps: {"steps", "action", "trajectory", "point_names", "atomic", "dry_run"}, all optional."""
        asked = wire.body()
        _within(asked, current_app.config["MAX_STEPS"])
        if wire.flag(asked, "dry_run"):
            return columns.steps(sessions.call(testid, "look_ahead", asked, "many"))
        return columns.steps(sessions.call(testid, "advance", asked, "many", **wire.conditions()))

    @routes.post("/snapshot", defaults={"testid": None})
    @routes.post("/snapshot/<testid>")
    def snapshot(testid: str | None) -> Response:
        """Store the session as it stands."""
        return wire.envelope(200, "Stored the session successfully.", {"snapshot": sessions.snapshot(testid)})

    @routes.put("/restore", defaults={"testid": None})
    @routes.put("/restore/<testid>")
    def restore(testid: str | None) -> Response:
        """Go back to a snapshot: {"snapshot"}."""
        (snapshot,) = wire.texts(("snapshot",))
        return wire.reply(sessions.restore(testid, str(snapshot)))

    @routes.post("/fork", defaults={"testid": None})
    @routes.post("/fork/<testid>")
    def fork(testid: str | None) -> Response:
        """Make a new session that goes on from here, or from a snapshot: {"snapshot" (optional)}."""
        (snapshot,) = wire.texts((), ("snapshot",))
        forked = sessions.fork(testid, snapshot or None)
        return wire.envelope(200, "Forked the session successfully.", {"testid": forked})

    return routes
