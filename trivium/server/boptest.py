"""BOPTEST's management of test cases and test ids.

An unmodified BOPTEST client works with another address.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from trivium.errors import ForbiddenError
from trivium.server import guard, wire
from trivium.session.manager import SessionManager


def _bare(payload: Any) -> Response:
    return Response(orjson.dumps(payload), content_type="application/json")


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("boptest", __name__)

    @routes.get("/testcases")
    def testcases() -> Response:
        """Test cases that can be selected."""
        return _bare([{"testcaseid": name} for name in sessions.testcases()])

    @routes.post("/testcases")
    def add_testcase() -> Response:
        """Register a test case of the server's folder of them: {"file", "testcaseid" (optional)}."""
        file, testcaseid = wire.texts(("file",), ("testcaseid",))
        chosen = sessions.add_testcase(str(file), testcaseid)
        return wire.envelope(200, "Registered the test case successfully.", {"testcaseid": chosen})

    @routes.put("/testcases/<testcaseid>")
    def upload(testcaseid: str) -> Response:
        """Bring a test case: the body is an FMU. Off by default, and only for tokens with the scope admin."""
        most = current_app.config["MAX_UPLOAD"]
        if not (most and guard.known()):
            raise ForbiddenError(
                "This server takes no FMUs; TRIVIUM_MAX_UPLOAD and a token with the scope admin allow it."
            )
        request.max_content_length = most
        chosen = sessions.upload(testcaseid, request.stream)
        return wire.envelope(200, "Registered the test case successfully.", {"testcaseid": chosen})

    @routes.post("/testcases/<testcaseid>/select-async", endpoint="select_async", defaults={"wait": True})
    @routes.post("/testcases/<testcaseid>/select", defaults={"wait": False})
    def select(testcaseid: str, wait: bool) -> Response:
        """Make a session of a test case: its test id is the answer. With -async it waits for room: see /status."""
        if testcaseid not in sessions.testcases():
            return wire.envelope(404, f"Invalid testcase: {testcaseid}")
        return _bare({"testid": sessions.select(testcaseid, wait=wait)})

    @routes.get("/status/<testid>")
    def status(testid: str) -> Response:
        """Whether the session runs: Running or Queued."""
        return _bare(sessions.status(testid))

    @routes.put("/stop/<testid>")
    def stop(testid: str) -> Response:
        """End a session."""
        sessions.stop(testid)
        return Response("OK", content_type="text/plain; charset=utf-8")

    return routes
