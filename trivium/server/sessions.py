"""Sessions by test id, and what can be done with one beyond single steps: many steps, snapshots, forks.

Where a route has no test id it is about the default session.
"""

from __future__ import annotations

from typing import Any

from flask import Response

from trivium.plants.cooling import examples
from trivium.server import columns, replies, wire, wording
from trivium.server.operations import JSON, Routes
from trivium.server.requests import (
    ForkBody,
    LabelsBody,
    LinearizeBody,
    LinearizeQuery,
    Once,
    OverridesBody,
    OverridesQuery,
    Preconditions,
    SessionsQuery,
    SnapshotBody,
    SnapshotQuery,
    StepsBody,
    require_few,
)
from trivium.session.manager import SessionManager


def _count(body: StepsBody) -> int:
    """Return how many steps a request is for."""
    trajectory: Any = body.trajectory  # whose shape the session checks
    if isinstance(trajectory, dict):
        trajectory = next(iter(trajectory.values()), None)
    return max(len(trajectory) if isinstance(trajectory, list) else 1, body.steps or 1)


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("sessions", "Sessions")

    @routes.operation("GET", "/sessions", reply=list[replies.SessionAbout])
    def listing(query: SessionsQuery) -> Response:
        """All sessions and where they stand; ?state=, ?search=, ?sort=, ?offset= and ?limit= choose."""
        page = sessions.page(**query.model_dump())
        return wire.counted(wire.envelope(200, "Queried the sessions successfully.", page.sessions), page.total)

    @routes.operation("GET", "/sessions/<testid>", reply=replies.SessionAbout, waits=False)
    def summary(testid: str) -> Response:
        """One session and where it stands."""
        return wire.envelope(200, "Queried the session successfully.", sessions.summary(testid))

    @routes.operation(
        "PATCH",
        "/sessions/<testid>",
        reply=replies.SessionAbout,
        example={"name": "warm supply", "tags": ["16 °C"], "notes": "The supply as warm as the servers take it."},
        waits=False,
    )
    def label(testid: str, body: LabelsBody) -> Response:
        """Say what a session is called: {"name", "tags", "notes", "baseline_of", "controller"}, all optional."""
        changed = sessions.label(testid, **body.model_dump(exclude_none=True))
        return wire.envelope(200, "Labelled the session successfully.", changed)

    @routes.operation("GET", "/overrides[/<testid>]", reply=replies.Overrides)
    def overrides(testid: str | None) -> Response:
        """List the inputs that are set by hand: by name the value, until when, since when, by whom."""
        session = sessions.session(testid)
        return wire.reply(wording.overrides(session.overrides), session)

    @routes.operation(
        "PUT",
        "/overrides[/<testid>]",
        reply=replies.Overrides,
        example={"inputs": examples.ACTION, "until": None},
    )
    def override(testid: str | None, body: OverridesBody, headers: Preconditions) -> Response:
        """Set inputs by hand, whatever is sent with a step: {"inputs": {name: value or null}, "until" (optional)}."""
        session = sessions.session(testid, headers.clock, headers.key)
        return wire.reply(wording.overrides(session.override(body.inputs, body.until), changed=True), session)

    @routes.operation("DELETE", "/overrides[/<testid>]", reply=replies.Overrides)
    def release(testid: str | None, query: OverridesQuery, headers: Preconditions) -> Response:
        """Release inputs that are set by hand: ?input= for one, which may repeat; by default all."""
        session = sessions.session(testid, headers.clock, headers.key)
        return wire.reply(wording.overrides(session.release(query.input or None), changed=True), session)

    @routes.operation("PUT", "/stop", scope="admin", reply=replies.Stopped)
    def stop_all() -> Response:
        """Stop all sessions."""
        return wire.envelope(200, "Stopped all sessions successfully.", {"stopped": sessions.stop_all()})

    @routes.operation(
        "POST",
        "/steps[/<testid>]",
        reply=replies.Steps,
        example={"steps": 12, "action": examples.ACTION, "point_names": [examples.OUTPUT]},
        media=(JSON, columns.NPZ),
    )
    def steps(testid: str | None, body: StepsBody, headers: Preconditions) -> Response:
        """Many control steps: {"steps", "action", "trajectory", "point_names", "atomic", "dry_run"}, all optional."""
        require_few(_count(body))
        session = sessions.session(testid, headers.clock, headers.key)
        advance = session.look_ahead_many if body.dry_run else session.advance_many
        steps = {name: value for name, value in body if name != "dry_run"}
        return columns.steps(wording.steps(advance(**steps)), session)

    @routes.operation("GET", "/linearize[/<testid>]", reply=replies.Linearization)
    def linearize(testid: str | None, query: LinearizeQuery) -> Response:
        """Linear model about now, of all inputs and measurements: ?kind=, steps=, perturbation=, all optional."""
        return linearized(testid, query)

    @routes.operation(
        "POST",
        "/linearize[/<testid>]",
        scope="read",
        reply=replies.Linearization,
        example={"input_names": [*examples.ACTION], "point_names": [examples.OUTPUT]},
    )
    def linearize_some(testid: str | None, body: LinearizeBody) -> Response:
        """Linear model of what is named: {"kind", "action", "input_names", "point_names", "steps", "perturbation"}."""
        return linearized(testid, body)

    def linearized(testid: str | None, body: LinearizeQuery | LinearizeBody) -> Response:
        require_few(body.steps or 1)
        session = sessions.session(testid)
        options = {name: value for name, value in body if value is not None}
        return wire.reply(wording.linearized(session.linearize(**options)), session)

    @routes.operation("POST", "/snapshot[/<testid>]", reply=replies.Snapshot)
    def snapshot(testid: str | None, headers: Once) -> Response:
        """Store the session as it stands."""
        stored = sessions.snapshot(testid, headers.key)
        return wire.envelope(200, "Stored the session successfully.", {"snapshot": stored})

    @routes.operation("GET", "/snapshots[/<testid>]", reply=list[replies.StoredSnapshot])
    def snapshots(testid: str | None) -> Response:
        """Snapshots of the session, the newest first, and how much each takes on the disk."""
        return wire.envelope(200, "Queried the snapshots successfully.", sessions.snapshots(testid))

    @routes.operation("DELETE", "/snapshots[/<testid>]", reply=replies.Snapshot)
    def remove_snapshot(testid: str | None, query: SnapshotQuery) -> Response:
        """Remove a snapshot: ?snapshot=; sessions that were forked from it stay."""
        sessions.remove_snapshot(testid, query.snapshot)
        return wire.envelope(200, "Removed the snapshot successfully.", {"snapshot": query.snapshot})

    @routes.operation("PUT", "/restore[/<testid>]", reply=replies.Clock, example={"snapshot": "f4ccf3e410406366"})
    def restore(testid: str | None, body: SnapshotBody, headers: Preconditions) -> Response:
        """Go back to a snapshot: {"snapshot"}."""
        session = sessions.session(testid, headers.clock, headers.key)
        return wire.reply(wording.restored(session.restore(body.snapshot)), session)

    @routes.operation("PUT", "/acknowledge[/<testid>]", reply=replies.Clock)
    def acknowledge(testid: str | None) -> Response:
        """Go on from what is left of a session that lost something: its replies were 409, Session-Restored: lost."""
        session = sessions.session(testid)
        return wire.reply(wording.acknowledged(session.acknowledge()), session)

    @routes.operation("POST", "/fork[/<testid>]", reply=replies.TestId, example={})
    def fork(testid: str | None, body: ForkBody, headers: Once) -> Response:
        """Make a new session that goes on from here, or from a snapshot: {"snapshot" (optional)}."""
        forked = sessions.fork(testid, body.snapshot or None, headers.key)
        return wire.envelope(200, "Forked the session successfully.", {"testid": forked})

    return routes
