"""BOPTEST's management of test cases and test ids.

An unmodified BOPTEST client works with another address.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from flask import Response, current_app, request

from trivium.errors import ForbiddenError
from trivium.server import guard, replies, wire
from trivium.server.operations import Routes
from trivium.server.requests import FileBody, Once
from trivium.session.manager import SessionManager


def _bare(payload: Any) -> Response:
    return Response(orjson.dumps(payload), content_type="application/json")


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("boptest", "Test cases")

    @routes.operation("GET", "/testcases", reply=list[replies.TestCaseId], enveloped=False)
    def testcases() -> Response:
        """Test cases that can be selected."""
        return _bare([{"testcaseid": name} for name in sessions.testcases()])

    @routes.operation("POST", "/testcases", scope="admin", reply=replies.TestCaseId, example={"file": "Model.fmu"})
    def add_testcase(body: FileBody) -> Response:
        """Register a test case of the server's folder of them: {"file", "testcaseid" (optional)}."""
        testcaseid = sessions.trials.add(body.file, body.testcaseid)
        return wire.envelope(200, "Registered the test case successfully.", {"testcaseid": testcaseid})

    @routes.operation(
        "PUT", "/testcases/<testcaseid>", scope="admin", reply=replies.TestCaseId, upload="application/octet-stream"
    )
    def upload(testcaseid: str) -> Response:
        """Bring a test case: the body is an FMU. Off by default, and only for tokens with the scope admin."""
        limit = current_app.config["MAX_UPLOAD"]
        if not (limit and guard.has_token()):
            raise ForbiddenError(
                "This server takes no FMUs; TRIVIUM_MAX_UPLOAD and a token with the scope admin allow it."
            )
        wire.check_encoding()
        request.max_content_length = limit
        testcaseid = sessions.trials.upload(testcaseid, request.stream)
        return wire.envelope(200, "Registered the test case successfully.", {"testcaseid": testcaseid})

    @routes.operation("DELETE", "/testcases/<testcaseid>", scope="admin", reply=replies.Removed)
    def remove_testcase(testcaseid: str) -> Response:
        """Remove a test case and end its sessions; an FMU that was uploaded is deleted."""
        if testcaseid not in sessions.testcases():
            return wire.envelope(404, f"Invalid testcase: {testcaseid}")
        stopped = sessions.remove_testcase(testcaseid)
        payload = {"testcaseid": testcaseid, "stopped": stopped}
        return wire.envelope(200, "Removed the test case successfully.", payload)

    def selected(testcaseid: str, key: str | None, *, wait: bool) -> Response:
        if testcaseid not in sessions.testcases():
            return wire.envelope(404, f"Invalid testcase: {testcaseid}")
        return _bare({"testid": sessions.select(testcaseid, wait=wait, key=key)})

    @routes.operation("POST", "/testcases/<testcaseid>/select", reply=replies.TestId, enveloped=False)
    def select(testcaseid: str, headers: Once) -> Response:
        """Make a session of a test case: the reply is its test id."""
        return selected(testcaseid, headers.key, wait=False)

    @routes.operation("POST", "/testcases/<testcaseid>/select-async", reply=replies.TestId, enveloped=False)
    def select_async(testcaseid: str, headers: Once) -> Response:
        """Make a session of a test case, which waits for room where there is none: see /status."""
        return selected(testcaseid, headers.key, wait=True)

    @routes.operation("GET", "/status/<testid>", reply=Literal["Running", "Queued"], enveloped=False, waits=False)
    def status(testid: str) -> Response:
        """Whether the session runs: Running or Queued."""
        return _bare(sessions.status(testid))

    @routes.operation("PUT", "/stop/<testid>", media=("text/plain",), enveloped=False, waits=False)
    def stop(testid: str) -> Response:
        """End a session."""
        sessions.stop(testid)
        return Response("OK", content_type="text/plain; charset=utf-8")

    return routes
