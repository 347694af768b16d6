"""The routes that both AlphaDataCenterCooling and BOPTEST have: without test id about the default session.

Each is declared once. Where they differ, those of the default session are strict (unknown fields and inputs out of
bounds are refused), those with a test id answer as BOPTEST does: unknown fields are ignored, a missing one is ``Bad
Request``, inputs are clamped with a warning, and a body may be form data.
"""

from __future__ import annotations

from flask import Blueprint, Response

from trivium.errors import InvalidValueError
from trivium.numbers import parse_number
from trivium.server import columns, wire
from trivium.session.manager import SessionManager


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("session", __name__)

    @routes.get("/version", defaults={"testid": None})
    @routes.get("/version/<testid>")
    def version(testid: str | None) -> Response:
        """Version of the test case."""
        return wire.reply(sessions.call(testid, "get_version"))

    @routes.get("/name", defaults={"testid": None})
    @routes.get("/name/<testid>")
    def name(testid: str | None) -> Response:
        """Name of the test case."""
        return wire.reply(sessions.call(testid, "get_name"))

    @routes.get("/inputs", defaults={"testid": None})
    @routes.get("/inputs/<testid>")
    def inputs(testid: str | None) -> Response:
        """Control inputs with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(testid, "get_inputs"))

    @routes.get("/measurements", defaults={"testid": None})
    @routes.get("/measurements/<testid>")
    def measurements(testid: str | None) -> Response:
        """Measurements with unit, description, minimum and maximum."""
        return wire.reply(sessions.call(testid, "get_measurements"))

    @routes.get("/parameters", defaults={"testid": None})
    @routes.get("/parameters/<testid>")
    def parameters(testid: str | None) -> Response:
        """Parameters and start values that "start_values" of /initialize may set."""
        return wire.reply(sessions.call(testid, "get_parameters"))

    @routes.get("/step", defaults={"testid": None})
    @routes.get("/step/<testid>")
    def get_step(testid: str | None) -> Response:
        """Control step in seconds."""
        return wire.reply(sessions.call(testid, "get_step"))

    @routes.put("/step", defaults={"testid": None})
    @routes.put("/step/<testid>")
    def put_step(testid: str | None) -> Response:
        """Set the control step: {"step"}, where the test case has an interval a multiple of it."""
        return wire.reply(sessions.call(testid, "set_step", *wire.wanted(testid, ("step",)), **wire.conditions()))

    @routes.put("/initialize", defaults={"testid": None})
    def initialize(testid: None) -> Response:
        """Start anew: {"start_time", "end_time" (optional), "start_values" (optional)}."""
        start, end, values = wire.wanted(testid, ("start_time",), ("end_time", "start_values"))
        return wire.reply(sessions.call(testid, "initialize", start, end, None, values, **wire.conditions()))

    @routes.put("/initialize/<testid>")
    def initialize_test(testid: str) -> Response:
        """Start anew: {"start_time", "warmup_period", "final_time" (optional), "start_values" (optional)}."""
        start, warmup, end, values = wire.wanted(
            testid, ("start_time", "warmup_period"), ("final_time", "start_values")
        )
        parse_number(warmup, "warmup_period")
        return wire.reply(sessions.call(testid, "initialize", start, end, warmup, values, **wire.conditions()))

    @routes.post("/advance", defaults={"testid": None})
    @routes.post("/advance/<testid>")
    def advance(testid: str | None) -> Response:
        """Simulate one control step: {input: value, ...}; with "dry_run" true look ahead and come back."""
        form = () if testid is None else ("boptest",)
        u = wire.body(form=testid is not None)
        if wire.flag(u, "dry_run"):
            return wire.reply(sessions.call(testid, "look_ahead", u, *form))
        return wire.reply(sessions.call(testid, "advance", u, *form, **wire.conditions()))

    @routes.put("/results", defaults={"testid": None})
    @routes.put("/results/<testid>")
    def results(testid: str | None) -> Response:
        """Trajectories: {"point_names": [...], "start_time", "final_time"}."""
        wanted = wire.wanted(testid, ("point_names", "start_time", "final_time"))
        try:
            return columns.results(sessions.call(testid, "get_results", *wanted))
        except InvalidValueError as error:
            if testid is None:
                raise
            # BOPTEST has two spaces there
            raise InvalidValueError(str(error).replace(". Check lists", ".  Check lists"), error.field) from error

    @routes.get("/health")
    def health() -> Response:
        """Step a copy of the plant and say how it went; the session stays as it is."""
        return wire.reply(sessions.call(None, "health"))

    return routes
