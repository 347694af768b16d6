"""Sessions: all of them, and driving the one that is chosen."""

from __future__ import annotations

import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, html

from trivium.dashboard.callbacks import action, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, options, say, table
from trivium.dashboard.formatting import both, size
from trivium.dashboard.pages import driving, inputs, snapshots


def layout(context: Context) -> list[Any]:
    """Return the page."""
    cases = context.sessions.testcases()
    new = [
        field("Test case", Select("new-case", options(cases), cases[0])),
        button("New session", "new-session", "main"),
    ]
    return [
        html.H1("Sessions"),
        card("All sessions", html.Div(id="sessions-table"), html.Div(new, className="row end")),
        html.Div([*driving.cards(), inputs.card_of_inputs(), snapshots.card_of_snapshots()], className="cards"),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    _register_listing(pages, context)
    driving.register(pages, context)
    inputs.register(pages, context)
    snapshots.register(pages, context)


def _register_listing(pages: Dash, context: Context) -> None:
    @view(pages, Output("sessions-table", "children"), Input("tick", "n_intervals"), Input("changed", "data"))
    def listing(_: int | None, __: Any) -> Any:
        rows = []
        for session in context.sessions.sessions():
            testid = session["testid"]
            run = context.runs.find(testid)
            actions = [
                button(word, {"do": word.lower(), "of": testid}, "quiet", **{"aria-label": f"{word} session {testid}"})
                for word in ("Choose", "Stop")
            ]
            rows.append(
                (
                    html.Code(testid if session["default"] else testid[:8], title=testid),
                    html.Div(actions, className="row tight"),
                    both(session["time"]),
                    session["state"],
                    run.words if run else "–",
                    session["testcaseid"],
                    size(session["memory"]) if session["memory"] else "–",
                )
            )
        head = ("Test id", "What to do", "Time", "State", "Run", "Test case", "Memory")
        return table("All sessions of this server", head, rows, numbers=(6,))

    @action(
        pages,
        "read",
        Output("session", "value", allow_duplicate=True),
        Input({"do": "choose", "of": ALL}, "n_clicks"),
    )
    def choose(_: Any) -> Any:
        return pressed()

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input({"do": "stop", "of": ALL}, "n_clicks"),
    )
    def stop(_: Any) -> Any:
        testid = pressed()
        context.runs.stop(testid)
        context.sessions.stop(testid)
        say(f"Stopped the session {testid}.")
        return time.time()

    @action(
        pages,
        "control",
        Output("session", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("new-session", "n_clicks"),
        State("new-case", "value"),
    )
    def new(_: Any, case: str) -> Any:
        with context.readings.room():
            testid = context.sessions.select(case)
        say(f"Made the session {testid}; it is chosen now.")
        return testid, time.time()
