"""Driving a session: initialize it, step it, let a controller run it."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from trivium.control.controller import CONTROLLERS, controllers, suitable
from trivium.dashboard.callbacks import action, done, idle, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, line, options, refresh, retained, say
from trivium.dashboard.formatting import DAY, both
from trivium.dashboard.quantities import parse_time
from trivium.dashboard.runs import MOST_STEPS
from trivium.dashboard.undo import before_change
from trivium.errors import InvalidValueError
from trivium.numbers import parse_count

_PACES = {"0": "as fast as it can", "0.1": "10 steps a second", "1": "one step a second"}


def cards() -> list[html.Section]:
    """Return the cards to start anew and to run."""
    return [card("Start anew", _start(), id="start"), card("Run", _run(), id="run")]


def _start() -> html.Div:
    return html.Div(
        [
            html.P("The session begins at another time; what was simulated is forgotten.", className="muted"),
            html.Div(
                [
                    field("Start", line("start-time", "0"), "2020-07-20, 110 d 06:00, or seconds"),
                    field("End", line("end-time"), "empty: as far as there are data"),
                ],
                className="row",
            ),
            button(
                "Initialize",
                "initialize",
                "main",
                "control",
                "Start the session anew? What it simulated is forgotten; it can be taken back for 10 min.",
            ),
        ]
    )


def _run() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    field("Controller", Select("controller", _choices(controllers()), "rules")),
                    html.Div([field("Steps", line("steps", "288", inputMode="numeric")), html.Small(id="steps-hint")]),
                    field("Pace", Select("pace", options(_PACES, _PACES), "0")),
                ],
                className="row",
            ),
            html.Div(
                [
                    button("Run", "run-steps", "main", "control"),
                    button("One step", "one-step", needs="control"),
                    button("Stop the run", "stop-run", needs="control"),
                ],
                className="row",
            ),
            html.P(id="run-state", role="status"),
        ]
    )


def _choices(names: list[str]) -> list[dict[str, str]]:
    """Return controllers as choices, each with the first line of its documentation."""
    labels = {name: f"{name}: {(CONTROLLERS.load(name).__doc__ or '').partition('.')[0]}" for name in names}
    return options(names, labels)


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @action(
        pages,
        "control",
        Output("initialize", "n_clicks"),
        Input("initialize", "n_clicks"),
        State("session", "value"),
        State("start-time", "value"),
        State("end-time", "value"),
        running=[(Output("initialize", "disabled"), True, False)],
    )
    def initialize(_: Any, testid: str | None, start: str, end: str) -> Any:
        testid = idle(context, testid)
        declared = context.sessions.declared(testid)
        begin = parse_time(start, "Start", declared.calendar, declared.end_time)
        end_time = parse_time(end, "End", declared.calendar) if end and end.strip() else None
        with context.readings.session(testid) as session:
            back = before_change(context, testid)
            session.initialize(begin, end_time)
        say(f"The session begins at {both(begin)}.", undo=back)
        refresh(time.time())
        return no_update

    @action(
        pages,
        "control",
        Output("one-step", "n_clicks"),
        Input("one-step", "n_clicks"),
        State("session", "value"),
        running=[(Output("one-step", "disabled"), True, False)],
    )
    def step(_: Any, testid: str | None) -> Any:
        testid = idle(context, testid)
        with context.readings.session(testid) as session:
            advanced = session.advance()
        done(f"The session is at {both(advanced.time)}." if advanced else "The test is at its end.")
        return no_update

    @action(
        pages,
        "control",
        Output("run-steps", "n_clicks"),
        Input("run-steps", "n_clicks"),
        State("session", "value"),
        State("controller", "value"),
        State("steps", "value"),
        State("pace", "value"),
    )
    def run(_: Any, testid: str | None, controller: str, steps: str, pace: str) -> Any:
        testid = needed(testid)
        count = parse_count(steps, "steps")
        if not 1 <= count <= MOST_STEPS:
            raise InvalidValueError(f"Steps must be from 1 to {MOST_STEPS}, not {count}.", "steps")
        with context.readings.room():
            context.runs.start(testid, controller, count, pace=float(pace))
        done(f"Running {count} steps under {controller}.")
        return no_update

    @action(pages, "control", Output("stop-run", "n_clicks"), Input("stop-run", "n_clicks"), State("session", "value"))
    def stop(_: Any, testid: str | None) -> Any:
        context.runs.stop(needed(testid))
        done("The run stops after the step in hand.")
        return no_update

    @view(
        pages,
        Output("controller", "options"),
        Output("controller", "value"),
        Input("session", "value"),
        State("controller", "value"),
    )
    def choices(testid: str | None, value: str | None) -> Any:
        if not testid:
            return no_update, no_update
        about = context.readings.about(testid)
        names = suitable(about.inputs)
        usual = "hold" if about.plant is None else about.plant.controller
        return _choices(names), retained(value, names, usual)

    @view(
        pages,
        Output("run-state", "children"),
        Output("run-steps", "disabled"),
        Output("stop-run", "disabled"),
        Output("steps-hint", "children"),
        Input("scene", "data"),
    )
    def state(stand: Any) -> Any:
        if not stand:
            return "", True, True, ""
        hint = _of_a_day(context.readings.about(stand["testid"]).step)
        return stand["run"] or "No run yet.", stand["running"], not stand["running"], hint


def _of_a_day(step: float) -> str:
    a_day = DAY / step
    return f"{a_day:.0f} steps of {step:g} s are a day" if a_day.is_integer() else f"a step is {step:g} s"
