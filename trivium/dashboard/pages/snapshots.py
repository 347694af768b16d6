"""Snapshots of a session: taken, gone back to, branched off from."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, ctx, html

from trivium.dashboard.callbacks import action, idle, needed, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Still, button, card, drawn, say, table
from trivium.dashboard.formatting import both, clock, moment
from trivium.dashboard.undo import before_change, hidden


def card_of_snapshots() -> html.Section:
    """Return the card."""
    return card("Snapshots", _snapshots(), id="snapshots")


def _snapshots() -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    button("Take a snapshot", "take", "main", needs="control"),
                    button("Fork from here", "fork", needs="control"),
                ],
                className="row",
            ),
            Still("snapshot-table"),
        ]
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("take", "n_clicks"),
        State("session", "value"),
    )
    def take(_: Any, testid: str | None) -> Any:
        testid = needed(testid)
        with context.readings.room():
            name = context.sessions.session(testid).snapshot()
        at = context.readings.find(testid)["time"]
        say(f"Stored the session at {clock(at)} as snapshot {name}.")
        return time.time()

    @view(pages, Output("snapshot-table", "content"), Input("scene", "data"), Input("changed", "data"))
    def listing(stand: Any, _: Any) -> Any:
        if not stand:
            return None
        rows, names = [], []
        for snapshot in context.sessions.snapshots(stand["testid"]):
            name, at = snapshot["snapshot"], snapshot["time"]
            if name in hidden:
                continue
            label = clock(at) if at is not None else "–"
            names.append(name)
            actions = [
                button(word, {"do": do, "of": name}, "quiet", "control", ask, name=f"{word} snapshot {name}")
                for do, word, ask in (
                    ("restore", "Restore", f"Go back to the snapshot at {label}? What was simulated since is gone."),
                    ("branch", "Fork", ""),
                    ("forget", "Remove", "Remove the snapshot for good?"),
                )
            ]
            rows.append((html.Code(name), label, moment(snapshot["created"]), html.Div(actions, className="row tight")))
        head = ("Snapshot", "Time in it", "Taken", "Actions")
        return drawn(table("Snapshots of this session", head, rows, keys=names, empty="No snapshot yet.", cards=True))

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("snapshot-table", "restore"),
        State("session", "value"),
    )
    def restore(_: Any, testid: str | None) -> Any:
        name = pressed()
        testid = idle(context, testid)
        with context.readings.room():
            back = before_change(context, testid)
            clock_then = context.sessions.session(testid).restore(name)
        say(f"The session is back at {both(clock_then)}.", undo=back)
        return time.time()

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("snapshot-table", "forget"),
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
        Input("snapshot-table", "branch"),
        State("session", "value"),
    )
    def fork(_: Any, __: Any, testid: str | None) -> Any:
        name = None if ctx.triggered_id == "fork" else pressed()
        with context.readings.room():
            forked = context.sessions.fork(needed(testid), name)
        say(f"Forked the session as {forked}; the fork is chosen now.")
        return forked, time.time()
