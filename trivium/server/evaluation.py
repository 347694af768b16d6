"""Forecasts, key performance indicators and scenarios: BOPTEST's routes, without test id about the default session."""

from __future__ import annotations

from flask import Blueprint, Response

from trivium.server import wire
from trivium.session.manager import SessionManager


def blueprint(sessions: SessionManager) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it."""
    routes = Blueprint("evaluation", __name__)

    @routes.get("/forecast_points", defaults={"testid": None})
    @routes.get("/forecast_points/<testid>")
    def forecast_points(testid: str | None) -> Response:
        """Points that can be asked ahead, with unit and description."""
        return wire.reply(sessions.call(testid, "get_forecast_points"))

    @routes.put("/forecast", defaults={"testid": None})
    @routes.put("/forecast/<testid>")
    def forecast(testid: str | None) -> Response:
        """Boundary data and prices ahead: {"point_names": [...], "horizon", "interval"}."""
        asked = wire.wanted(testid, ("point_names", "horizon", "interval"))
        return wire.streamed(sessions.call(testid, "get_forecast", *asked))

    @routes.get("/kpi", defaults={"testid": None})
    @routes.get("/kpi/<testid>")
    def kpi(testid: str | None) -> Response:
        """Key performance indicators: ?names=a,b, start_time and final_time are optional."""
        names, start, final = wire.query(testid, "names", "start_time", "final_time")
        chosen = None if names is None else [name.strip() for name in names.split(",")]
        return wire.reply(sessions.call(testid, "get_kpis", chosen, start, final))

    @routes.get("/kpi_points", defaults={"testid": None})
    @routes.get("/kpi_points/<testid>")
    def kpi_points(testid: str | None) -> Response:
        """Key performance indicators that the test case defines, with unit and description."""
        return wire.reply(sessions.call(testid, "get_kpi_points"))

    @routes.get("/scenario", defaults={"testid": None})
    @routes.get("/scenario/<testid>")
    def get_scenario(testid: str | None) -> Response:
        """Scenario of the session."""
        return wire.reply(sessions.call(testid, "get_scenario"))

    @routes.put("/scenario", defaults={"testid": None})
    @routes.put("/scenario/<testid>")
    def put_scenario(testid: str | None) -> Response:
        """Set the scenario: {"time_period", "electricity_price", "temperature_uncertainty", "seed"}, all optional."""
        given = wire.body(form=testid is not None)
        return wire.reply(sessions.call(testid, "set_scenario", given, **wire.conditions()))

    return routes
