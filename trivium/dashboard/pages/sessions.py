"""Sessions: all of them, and driving the one that is chosen."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from trivium.dashboard import undo
from trivium.dashboard.callbacks import action, needed, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import (
    Select,
    Still,
    button,
    card,
    drawn,
    field,
    folded,
    line,
    options,
    say,
    table,
)
from trivium.dashboard.formatting import both, clock, size
from trivium.dashboard.pages import driving, inputs, snapshots, testcases
from trivium.glossary import SESSIONS
from trivium.server.requests import LabelsBody


def layout(context: Context) -> list[Any]:
    """Return the page."""
    cases = context.sessions.testcases()
    new = [
        field("Test case", Select("new-case", options(cases), cases[0])),
        button("New session", "new-session", "main", needs="control"),
    ]
    return [
        html.H1("Sessions"),
        card("Sessions", Still("sessions-table"), html.Div(new, className="row end")),
        html.Div(
            [*driving.cards(), inputs.card_of_inputs(), snapshots.card_of_snapshots(), _card_of_labels()],
            className="cards",
        ),
        testcases.card_of_testcases(context),
    ]


def _card_of_labels() -> html.Section:
    return card(
        "Name and notes",
        html.Div(
            [
                field("Name", line("label-name", maxLength=100)),
                field("Tags", line("label-tags"), "separated by commas"),
            ],
            className="row",
        ),
        field("Notes", dcc.Textarea(id="label-notes", value="", rows=3, maxLength=10_000), wide=True),
        button("Save", "keep-labels", "main", needs="control"),
        id="labels",
    )


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    _register_listing(pages, context)
    _register_labels(pages, context)
    driving.register(pages, context)
    inputs.register(pages, context)
    snapshots.register(pages, context)
    testcases.register(pages, context)


def _register_listing(pages: Dash, context: Context) -> None:
    @view(
        pages,
        Output("sessions-table", "content"),
        Input("tick", "n_intervals"),
        Input("changed", "data"),
        Input("session", "value"),
    )
    def listing(_: int | None, __: Any, chosen: str | None) -> Any:
        sessions, total = context.readings.recent(chosen)
        shown = table(
            "Sessions of this server",
            ("Session", "Actions", "Time", "State", "Run"),
            [_row(context, session, chosen) for session in sessions],
            keys=[session["testid"] for session in sessions],
            current=chosen or "",
            empty="There is no session; make one below.",
            cards=True,
        )
        others = f"These were used last, of {total} sessions. The page Runs finds all."
        return drawn([shown, html.P(others, className="muted")] if total > len(sessions) else shown)

    @action(
        pages,
        "read",
        Output("session", "value", allow_duplicate=True),
        Input("sessions-table", "choose"),
    )
    def choose(_: Any) -> Any:
        return pressed()

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("sessions-table", "stop"),
    )
    def stop(_: Any) -> Any:
        testid = pressed()
        context.runs.stop(testid)
        say(f"Stopped the session {testid}.", undo=undo.stop(context, testid))
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


def _row(context: Context, session: dict[str, Any], chosen: str | None) -> tuple[Any, ...]:
    testid = session["testid"]
    run = context.runs.find(testid)
    called = session["name"] or testid
    ask = f"Stop the session {called}, and forget what it simulated? It can be brought back for 10 min."
    actions = [
        button("Choose", {"do": "choose", "of": testid}, "quiet", name=f"Choose session {testid}"),
        button("Stop", {"do": "stop", "of": testid}, "quiet", "control", ask, name=f"Stop session {testid}"),
    ]
    tags = [html.Span(tag, className="tag") for tag in session["tags"]]
    if testid == chosen:
        tags.append(html.Span("chosen", className="tag chosen"))
    name = html.Code(testid if session["default"] else testid[:8], title=testid)
    return (
        folded(
            [html.Strong(session["name"]), name, *tags] if session["name"] else [name, *tags],
            session["testcaseid"],
            _from(session),
            f"owner {session['owner']}" if session["owner"] else "",
            size(session["memory"]) if session["memory"] else "",
        ),
        html.Div(actions, className="row tight"),
        both(session["time"]),
        html.Span(session["state"], title=SESSIONS[session["state"]]),
        run.words if run else "–",
    )


def _from(session: dict[str, Any]) -> str:
    if session["baseline_of"]:
        return f"baseline of {_short(session['baseline_of'])}"
    if session["parent"]:
        at = "" if session["forked_at"] is None else f" at {clock(session['forked_at'])}"
        return f"fork of {_short(session['parent'])}{at}"
    return ""


def _short(testid: str) -> str:
    return "default" if testid.startswith("default-") else testid[:8]


def _register_labels(pages: Dash, context: Context) -> None:
    @view(
        pages,
        Output("label-name", "value"),
        Output("label-tags", "value"),
        Output("label-notes", "value"),
        Input("session", "value"),
    )
    def show(testid: str | None) -> Any:
        if not testid:
            return "", "", ""
        session = context.sessions.summary(testid)
        return session["name"], ", ".join(session["tags"]), session["notes"]

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("keep-labels", "n_clicks"),
        State("session", "value"),
        State("label-name", "value"),
        State("label-tags", "value"),
        State("label-notes", "value"),
    )
    def keep(_: Any, testid: str | None, name: str, tags: str, notes: str) -> Any:
        split = [tag.strip() for tag in (tags or "").split(",") if tag.strip()]
        body = LabelsBody.parse({"name": name or "", "tags": split, "notes": notes or ""})
        context.sessions.label(needed(testid), **body.model_dump(exclude_none=True))
        say("Saved the name and the notes of the session.")
        return time.time() if testid else no_update
