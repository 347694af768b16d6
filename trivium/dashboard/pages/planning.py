"""A run that is planned: at a date or in a scenario, with the weather that it would meet, under any controller."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, dcc, html

from trivium.control.controller import controllers
from trivium.dashboard import charts, models, timeline
from trivium.dashboard.callbacks import action, done, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, line, options, retained
from trivium.dashboard.formatting import DAY, both
from trivium.dashboard.pages.scenario_form import PRICE_CHOICES, UNCERTAINTY_CHOICES, USUAL
from trivium.dashboard.quantities import parse_time
from trivium.dashboard.runs import MOST_STEPS
from trivium.dashboard.timeline import Line, Scene
from trivium.dashboard.weather import year_of
from trivium.errors import InvalidValueError, TriviumError
from trivium.numbers import parse_number

_HOLD = "hold"


def card_of_planning(context: Context) -> html.Section:
    """Return the card."""
    cases = context.sessions.testcases()
    return card(
        "Start a run",
        html.Div(
            [
                field("Test case", Select("plan-case", options(cases), cases[0])),
                field("Scenario", Select("plan-period", [{"value": USUAL, "label": "at a date"}], USUAL)),
                field("Start", line("plan-start", "0"), "2020-07-20, 110 d 06:00, or seconds"),
                field("Days", line("plan-days", "1", inputMode="decimal")),
                field("Controller", Select("plan-controller", options(controllers()), "rules")),
                field("Price", Select("plan-price", options(PRICE_CHOICES, PRICE_CHOICES), USUAL)),
                field(
                    "Uncertain forecast",
                    Select("plan-uncertainty", options(UNCERTAINTY_CHOICES, UNCERTAINTY_CHOICES), USUAL),
                ),
                field("Name", line("plan-name")),
            ],
            className="row",
        ),
        html.P(id="plan-about", role="status"),
        charts.graph("plan-weather", "Boundary data of the run that is planned"),
        button("Start the run", "plan-run", "main", "control"),
        dcc.Store(id="plan-units"),  # of the boundary data
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    sessions = context.sessions

    def planned(case: str, period: str, start: str, days: str) -> tuple[float, float]:
        """Return start and end of the run [s]."""
        resources = sessions.declared_case(case)
        if period != USUAL:
            found = year_of(resources).periods.get(period)
            if found is None:
                raise InvalidValueError(f"The test case has no period {period}.", "period")
            first, last = found.start, found.end
        else:
            first, last = parse_time(start, "Start", resources.calendar, resources.end_time), np.inf
        length = parse_number(days, "days") * DAY
        if not length > 0:
            raise InvalidValueError("Days must be more than 0.", "days")
        return first, float(min(first + length, last))

    @view(pages, Output("plan-period", "options"), Output("plan-period", "value"), Input("plan-case", "value"))
    def periods(case: str) -> Any:
        names = {name: f"scenario {name.replace('_', ' ')}" for name in year_of(sessions.declared_case(case)).periods}
        return [{"value": USUAL, "label": "at a date"}, *options(names, names)], USUAL

    @view(
        pages,
        Output("plan-units", "data"),
        Output("plan-controller", "options"),
        Output("plan-controller", "value"),
        Input("plan-case", "value"),
        State("plan-controller", "value"),
    )
    def suit(case: str, controller: str | None) -> Any:
        try:
            offer = models.offer(context, f"testcase:{case}", study=False)
        except TriviumError:  # sent by a client: it is opened in a session alone
            return {}, options(controllers()), _HOLD
        names = offer["controllers"] or [_HOLD]
        return offer["boundary"], options(names), retained(controller, names, names[0])

    @view(
        pages,
        Output("plan-weather", "figure"),
        Output("plan-about", "children"),
        Input("plan-case", "value"),
        Input("plan-period", "value"),
        Input("plan-start", "value"),
        Input("plan-days", "value"),
        Input("plan-units", "data"),
    )
    def preview(case: str, period: str, start: str, days: str, units: Mapping[str, str] | None) -> Any:
        try:
            resources = sessions.declared_case(case)
            first, last = planned(case, period, start, days)
        except TriviumError as error:
            return charts.blank(str(error)), html.Span(str(error), className="trouble")
        year, calendar = year_of(resources), resources.calendar
        words = f"From {both(first)} to {both(last)}"
        if calendar is not None:
            words += f": {calendar.text(first)} to {calendar.text(last)}, {calendar.zone_name}"
        inside = (year.times >= first) & (year.times <= last)
        if not inside.any():
            return charts.blank("No boundary data to show."), f"{words}."
        of = {name: (units or {}).get(name, "") for name in year.columns}
        lines = [
            Line(name, of[name], year.times[inside], each[inside], steps=True) for name, each in year.columns.items()
        ]
        ranges = ", ".join(
            f"{name} {timeline.shown(low, of[name])} to {timeline.shown(high, of[name])}"
            for name, (low, high) in year.lows_and_highs(first, last).items()
        )
        return timeline.draw(lines, Scene(first, last, 900, calendar=calendar)), f"{words}. {ranges}."

    @action(
        pages,
        "control",
        Output("session", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("plan-run", "n_clicks"),
        State("plan-case", "value"),
        State("plan-period", "value"),
        State("plan-start", "value"),
        State("plan-days", "value"),
        State("plan-controller", "value"),
        State("plan-price", "value"),
        State("plan-uncertainty", "value"),
        State("plan-name", "value"),
        running=[(Output("plan-run", "disabled"), True, False)],
    )
    def run(
        _: Any, case: str, period: str, start: str, days: str, controller: str, price: str, uncertainty: str, name: str
    ) -> Any:
        first, last = planned(case, period, start, days)
        parts = {"electricity_price": price, "temperature_uncertainty": uncertainty, "time_period": period}
        chosen = {key: value for key, value in parts.items() if value != USUAL}
        with context.readings.room():
            testid = sessions.select(case)
        try:
            session = sessions.session(testid)
            if chosen:
                session.set_scenario(**chosen)
            if period == USUAL:
                session.initialize(first)
            steps = round((last - first) / session.step)
            if not 1 <= steps <= MOST_STEPS:
                raise InvalidValueError(f"The run would have {steps} steps; it may have 1 to {MOST_STEPS}.", "days")
            sessions.label(testid, name=name or "")
            context.runs.start(testid, controller, steps)
        except BaseException:
            sessions.stop(testid)
            raise
        done(f"The controller {controller} does {steps} steps in the session {testid}; it is chosen now.")
        return testid, time.time()
