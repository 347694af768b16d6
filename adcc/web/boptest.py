"""BOPTEST's routes: a test id selects the session. An unmodified BOPTEST client works with another address.

As there, inputs out of bounds are clamped with a warning and unknown fields are ignored; a body may be form data.
"""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response

from adcc.core.numbers import parse_number
from adcc.errors import InvalidValueError
from adcc.session.manager import SessionManager
from adcc.web import columns, wire


class _MissingError(Exception):
    """A field that a request lacks."""


def _wanted(*names: str) -> list[Any]:
    """Return fields of the request."""
    given = wire.body(form=True)
    for name in names:
        if name not in given:
            raise _MissingError(name)
    return [given[name] for name in names]


def _bare(payload: Any) -> Response:
    return Response(orjson.dumps(payload), content_type="application/json")


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("boptest", __name__)

    @routes.errorhandler(_MissingError)
    def missing(error: _MissingError) -> Response:
        return wire.envelope(400, "Bad Request", str(error))

    @routes.get("/testcases")
    def testcases() -> Response:
        """Test cases that can be selected."""
        return _bare([{"testcaseid": name} for name in sessions.testcases()])

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

    @routes.get("/version/<testid>")
    def version(testid: str) -> Response:
        """Version of the test case."""
        return wire.reply(sessions.call(testid, "get_version"))

    @routes.get("/name/<testid>")
    def name(testid: str) -> Response:
        """Name of the test case."""
        return wire.reply(sessions.call(testid, "get_name"))

    @routes.get("/inputs/<testid>")
    def inputs(testid: str) -> Response:
        """Control inputs with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(testid, "get_inputs"))

    @routes.get("/measurements/<testid>")
    def measurements(testid: str) -> Response:
        """Measurements with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(testid, "get_measurements"))

    @routes.get("/step/<testid>")
    def get_step(testid: str) -> Response:
        """Control step in seconds."""
        return wire.reply(sessions.call(testid, "get_step"))

    @routes.put("/step/<testid>")
    def put_step(testid: str) -> Response:
        """Set the control step: {"step"}, a multiple of 300 s."""
        return wire.reply(sessions.call(testid, "set_step", *_wanted("step"), **wire.conditions()))

    @routes.put("/initialize/<testid>")
    def initialize(testid: str) -> Response:
        """Start anew: {"start_time", "warmup_period", "final_time" (optional)}, multiples of 300 s."""
        start, warmup = _wanted("start_time", "warmup_period")
        parse_number(warmup, "warmup_period")
        end = wire.body(form=True).get("final_time")
        return wire.reply(sessions.call(testid, "initialize", start, end, warmup, **wire.conditions()))

    @routes.post("/advance/<testid>")
    def advance(testid: str) -> Response:
        """Simulate one control step: {input: value, ...}; with "dry_run" true look ahead and come back."""
        u = wire.body(form=True)
        if wire.flag(u, "dry_run"):
            return wire.reply(sessions.call(testid, "look_ahead", u, "boptest"))
        return wire.reply(sessions.call(testid, "advance", u, "boptest", **wire.conditions()))

    @routes.put("/results/<testid>")
    def results(testid: str) -> Response:
        """Trajectories: {"point_names": [...], "start_time", "final_time"}."""
        wanted = _wanted("point_names", "start_time", "final_time")
        try:
            return columns.results(sessions.call(testid, "get_results", *wanted))
        except InvalidValueError as error:  # BOPTEST has two spaces there
            raise InvalidValueError(str(error).replace(". Check lists", ".  Check lists"), error.field) from error

    @routes.get("/forecast_points/<testid>")
    def forecast_points(testid: str) -> Response:
        """Boundary data that can be asked ahead, with unit and description."""
        return wire.reply(sessions.call(testid, "get_forecast_points"))

    @routes.put("/forecast/<testid>")
    def forecast(testid: str) -> Response:
        """Boundary data ahead: {"point_names": [...], "horizon", "interval"}."""
        return wire.streamed(sessions.call(testid, "get_forecast", *_wanted("point_names", "horizon", "interval")))

    @routes.get("/kpi/<testid>")
    def kpi(testid: str) -> Response:
        """Key figures; null where the test case defines none."""
        return wire.reply(sessions.call(testid, "get_kpis"))

    @routes.get("/scenario/<testid>")
    def get_scenario(testid: str) -> Response:
        """Scenario of the session."""
        return wire.reply(sessions.call(testid, "get_scenario"))

    @routes.put("/scenario/<testid>")
    def put_scenario(testid: str) -> Response:
        """Set the scenario; what the test case does not define is refused."""
        return wire.reply(sessions.call(testid, "set_scenario", wire.body(form=True)))

    return routes
