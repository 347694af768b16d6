"""Snapshots of a session: taken, gone back to, branched off from."""

from __future__ import annotations

import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html

from trivium.dashboard.callbacks import action, idle, needed, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import button, card, say, table
from trivium.dashboard.formatting import clock, moment
from trivium.server import wording


def card_of_snapshots() -> html.Section:
    """Return the card."""
    clocks = dcc.Store(id="snapshot-clocks", storage_type="local", data={})
    return card("Snapshots", _snapshots(), clocks, id="snapshots")


def _snapshots() -> html.Div:
    return html.Div(
        [
            html.Div([button("Take a snapshot", "take", "main"), button("Fork from here", "fork")], className="row"),
            html.Div(id="snapshot-table"),
        ]
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @action(
        pages,
        "control",
        Output("snapshot-clocks", "data"),
        Output("changed", "data", allow_duplicate=True),
        Input("take", "n_clicks"),
        State("session", "value"),
        State("snapshot-clocks", "data"),
    )
    def take(_: Any, testid: str | None, clocks: Any) -> Any:
        testid = needed(testid)
        with context.readings.room():
            name = context.sessions.session(testid).snapshot()
        at = context.readings.find(testid)["time"]
        say(f"Stored the session at {clock(at)} as snapshot {name}.")
        return {**(clocks or {}), name: at}, time.time()

    @view(
        pages,
        Output("snapshot-table", "children"),
        Input("stand", "data"),
        Input("changed", "data"),
        State("snapshot-clocks", "data"),
    )
    def listing(stand: Any, _: Any, clocks: Any) -> Any:
        if not stand:
            return None
        rows = []
        for snapshot in context.sessions.snapshots(stand["testid"]):
            name = snapshot["snapshot"]
            at = (clocks or {}).get(name)
            actions = [
                button(word, {"do": do, "of": name}, "quiet", **{"aria-label": f"{word} snapshot {name}"})
                for do, word in (("restore", "Restore"), ("branch", "Fork"), ("forget", "Remove"))
            ]
            label = clock(at) if at is not None else "–"
            rows.append((html.Code(name), label, moment(snapshot["created"]), html.Div(actions, className="row tight")))
        return table("Snapshots of this session", ("Snapshot", "Time in it", "Taken", "What to do"), rows)

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input({"do": "restore", "of": ALL}, "n_clicks"),
        State("session", "value"),
    )
    def restore(_: Any, testid: str | None) -> Any:
        name = pressed()
        with context.readings.room():
            clock_then = context.sessions.session(idle(context, testid)).restore(name)
        say(wording.restored(clock_then).message)
        return time.time()

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input({"do": "forget", "of": ALL}, "n_clicks"),
        State("session", "value"),
    )
    def forget(_: Any, testid: str | None) -> Any:
        name = pressed()
        context.sessions.remove_snapshot(needed(testid), name)
        say(f"Removed the snapshot {name}.")
        return time.time()

    @action(
        pages,
        "control",
        Output("session", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("fork", "n_clicks"),
        Input({"do": "branch", "of": ALL}, "n_clicks"),
        State("session", "value"),
    )
    def fork(_: Any, __: Any, testid: str | None) -> Any:
        name = None if ctx.triggered_id == "fork" else pressed()
        with context.readings.room():
            forked = context.sessions.fork(needed(testid), name)
        say(f"Forked the session as {forked}; the fork is chosen now.")
        return forked, time.time()
