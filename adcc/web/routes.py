"""The routes of the default session, as AlphaDataCenterCooling has them."""

from __future__ import annotations

from flask import Blueprint, Response

from adcc.session.manager import SessionManager
from adcc.web import columns, wire


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes over the default session. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("session", __name__)

    @routes.get("/version")
    def version() -> Response:
        """Version of the test case."""
        return wire.reply(sessions.call(None, "get_version"))

    @routes.get("/name")
    def name() -> Response:
        """Name of the test case."""
        return wire.reply(sessions.call(None, "get_name"))

    @routes.get("/inputs")
    def inputs() -> Response:
        """Control inputs with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(None, "get_inputs"))

    @routes.get("/measurements")
    def measurements() -> Response:
        """Measurements with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(None, "get_measurements"))

    @routes.get("/step")
    def get_step() -> Response:
        """Control step in seconds."""
        return wire.reply(sessions.call(None, "get_step"))

    @routes.put("/step")
    def put_step() -> Response:
        """Set the control step: {"step"}, a multiple of 300 s."""
        return wire.reply(sessions.call(None, "set_step", *wire.fields(("step",)).values(), **wire.conditions()))

    @routes.put("/initialize")
    def initialize() -> Response:
        """Start anew: {"start_time", "end_time" (optional)}, multiples of 300 s."""
        wanted = wire.fields(("start_time",), ("end_time",))
        return wire.reply(sessions.call(None, "initialize", *wanted.values(), **wire.conditions()))

    @routes.post("/advance")
    def advance() -> Response:
        """Simulate one control step: {input: value, ...}; with "dry_run" true look ahead and come back."""
        u = wire.body()
        if wire.flag(u, "dry_run"):
            return wire.reply(sessions.call(None, "look_ahead", u))
        return wire.reply(sessions.call(None, "advance", u, **wire.conditions()))

    @routes.put("/results")
    def results() -> Response:
        """Trajectories: {"point_names": [...], "start_time", "final_time"}."""
        wanted = wire.fields(("point_names", "start_time", "final_time"))
        return columns.results(sessions.call(None, "get_results", *wanted.values()))

    @routes.get("/health")
    def health() -> Response:
        """Step a copy of the plant and say how it went; the session stays as it is."""
        return wire.reply(sessions.call(None, "health"))

    return routes
