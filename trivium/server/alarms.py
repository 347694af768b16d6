"""Alarms of sessions: what is beyond its limits, and who acknowledged it."""

from __future__ import annotations

from flask import Response

from trivium.protocol import Alarm
from trivium.server import guard, replies, wire
from trivium.server.operations import Routes
from trivium.server.requests import AcknowledgeBody, AlarmsQuery, Once
from trivium.session.alarms import SessionAlarms
from trivium.session.manager import SessionManager
from trivium.simulation.times import plain


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("alarms", "Alarms")
    alarms = SessionAlarms(sessions)

    # does not wait for the session: one that hangs is what an alarm is for
    @routes.operation("GET", "/alarms[/<testid>]", reply=list[replies.Alarm], waits=False)
    def read(testid: str | None, query: AlarmsQuery) -> Response:
        """Alarms that are active or not acknowledged; ?past=true for all of the test."""
        look = alarms.read(testid, past=query.past)
        message = "Queried the alarms successfully."
        if not look.current:
            message += " The session is busy; "
            message += "they are not known yet." if look.time is None else f"these are as of {plain(look.time)}s."
        return wire.envelope(200, message, [worded(alarm) for alarm in look.alarms])

    @routes.operation("PUT", "/alarms[/<testid>]", reply=list[replies.Alarm], example={})
    def acknowledge(testid: str | None, body: AcknowledgeBody, headers: Once) -> Response:
        """Acknowledge alarms: {"names": [...], "by"}, both optional; all by default."""
        done = alarms.acknowledge(testid, body.names, guard.caller() or body.by, headers.key)
        names = ", ".join(alarm.name for alarm in done) or "nothing"
        return wire.envelope(200, f"Acknowledged {names}.", [worded(alarm) for alarm in done])

    return routes


def worded(alarm: Alarm) -> dict[str, object]:
    """Return an alarm as a client reads it."""
    return {**alarm._asdict(), "active": alarm.active, "points": list(alarm.points)}
