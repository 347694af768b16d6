"""Forecasts, key performance indicators and scenarios: BOPTEST's routes, without test id about the default session."""

from __future__ import annotations

from flask import Response

from trivium.plants.cooling import examples
from trivium.server import replies, wire, wording
from trivium.server.operations import Routes
from trivium.server.requests import ForecastBody, KpiQuery, Preconditions, ScenarioBody
from trivium.session.manager import SessionManager


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("evaluation", "Evaluation")

    @routes.operation("GET", "/forecast_points[/<testid>]", reply=dict[str, replies.ForecastPoint])
    def forecast_points(testid: str | None) -> Response:
        """Points that can be asked ahead, with unit and description."""
        session = sessions.session(testid)
        return wire.reply(wording.forecast_points(session.forecast_points), session)

    @routes.operation(
        "PUT",
        "/forecast[/<testid>]",
        scope="read",
        reply=replies.Columns,
        example={"point_names": [examples.BOUNDARY], "horizon": 86400, "interval": 3600},
    )
    def forecast(testid: str | None, body: ForecastBody) -> Response:
        """Boundary data and prices ahead: {"point_names": [...], "horizon", "interval"}."""
        session = sessions.session(testid)
        ahead = session.forecast(body.point_names, body.horizon, body.interval)
        return wire.streamed(wording.forecast(ahead, body.horizon, body.interval), session)

    @routes.operation("GET", "/kpi[/<testid>]", reply=dict[str, replies.Number | None])
    def kpi(testid: str | None, query: KpiQuery) -> Response:
        """Key performance indicators: ?names=a,b, start_time and final_time are optional."""
        session = sessions.session(testid)
        return wire.reply(wording.kpis(session.kpis(query.names, query.start_time, query.final_time)), session)

    @routes.operation("GET", "/kpi_points[/<testid>]", reply=dict[str, replies.Indicator])
    def kpi_points(testid: str | None) -> Response:
        """Key performance indicators that the test case defines, with unit and description."""
        session = sessions.session(testid)
        return wire.reply(wording.kpi_points(session.kpi_points), session)

    @routes.operation("GET", "/scenario[/<testid>]", reply=replies.Scenario)
    def get_scenario(testid: str | None) -> Response:
        """Scenario of the session."""
        session = sessions.session(testid)
        return wire.reply(wording.scenario(session.scenario), session)

    @routes.operation(
        "PUT", "/scenario[/<testid>]", reply=replies.ScenarioSet, example={"electricity_price": "dynamic"}
    )
    def put_scenario(testid: str | None, body: ScenarioBody, headers: Preconditions) -> Response:
        """Set the scenario: {"time_period", "electricity_price", "temperature_uncertainty", "seed"}, all optional."""
        changes = body.model_dump(exclude_none=True)
        session = sessions.session(testid, headers.clock, headers.key)
        return wire.reply(wording.scenario_set(session.set_scenario(**changes)), session)

    return routes
