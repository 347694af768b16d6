"""Forecasts, key performance indicators and scenarios: BOPTEST's routes, without test id about the default session."""

from __future__ import annotations

from flask import Response

from trivium.plants.cooling import examples
from trivium.server import replies, wire
from trivium.server.operations import Routes
from trivium.server.requests import ForecastBody, KpiQuery, Preconditions, ScenarioBody
from trivium.session.manager import SessionManager


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("evaluation", "Evaluation")

    @routes.operation("GET", "/forecast_points[/<testid>]", reply=dict[str, replies.Point])
    def forecast_points(testid: str | None) -> Response:
        """Points that can be asked ahead, with unit and description."""
        return wire.reply(sessions.call(testid, "get_forecast_points"))

    @routes.operation(
        "PUT",
        "/forecast[/<testid>]",
        scope="read",
        reply=replies.Columns,
        example={"point_names": [examples.BOUNDARY], "horizon": 86400, "interval": 3600},
    )
    def forecast(testid: str | None, body: ForecastBody) -> Response:
        """Boundary data and prices ahead: {"point_names": [...], "horizon", "interval"}."""
        return wire.streamed(sessions.call(testid, "get_forecast", body.point_names, body.horizon, body.interval))

    @routes.operation("GET", "/kpi[/<testid>]", reply=dict[str, replies.Number | None])
    def kpi(testid: str | None, query: KpiQuery) -> Response:
        """Key performance indicators: ?names=a,b, start_time and final_time are optional."""
        names = None if query.names is None else [name.strip() for name in query.names.split(",")]
        return wire.reply(sessions.call(testid, "get_kpis", names, query.start_time, query.final_time))

    @routes.operation("GET", "/kpi_points[/<testid>]", reply=dict[str, replies.Indicator])
    def kpi_points(testid: str | None) -> Response:
        """Key performance indicators that the test case defines, with unit and description."""
        return wire.reply(sessions.call(testid, "get_kpi_points"))

    @routes.operation("GET", "/scenario[/<testid>]", reply=replies.Scenario)
    def get_scenario(testid: str | None) -> Response:
        """Scenario of the session."""
        return wire.reply(sessions.call(testid, "get_scenario"))

    @routes.operation(
        "PUT", "/scenario[/<testid>]", reply=replies.ScenarioSet, example={"electricity_price": "dynamic"}
    )
    def put_scenario(testid: str | None, body: ScenarioBody, headers: Preconditions) -> Response:
        """Set the scenario: {"time_period", "electricity_price", "temperature_uncertainty", "seed"}, all optional."""
        changes = body.model_dump(exclude_none=True)
        return wire.reply(sessions.call(testid, "set_scenario", changes, **headers.model_dump()))

    return routes
