"""Test cases: which can be selected, one's own FMU sent to the server, a folder of the server registered."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, html

from trivium.dashboard.callbacks import action, view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Upload
from trivium.dashboard.elements import button, card, field, line, options, say
from trivium.dashboard.formatting import size
from trivium.errors import InvalidValueError
from trivium.server import guard


def card_of_testcases(context: Context) -> html.Section:
    """Return the card."""
    limit = context.settings.max_upload
    hint = "a folder or an FMU in the server's folder of test cases"
    return card(
        "Bring a model",
        html.P(
            "Any FMU for co-simulation or Model Exchange. The server steps it once before it can be selected"
            + (f"; it takes files up to {size(limit)}." if limit else "."),
            className="muted",
        ),
        Upload("upload", _why(context), limit),
        html.Div([field("Or a file of this server", line("case-file"), hint)], className="row"),
        button("Register", "register-case", needs="admin"),
        id="bring",
    )


def _why(context: Context) -> str:
    """Return why the reader may not send files; empty where that is allowed."""
    if context.settings.testcases is None:
        return "This server keeps no test cases of others: start it with TRIVIUM_TESTCASES, a folder for them."
    if not context.settings.max_upload:
        return "This server takes no files: start it with TRIVIUM_MAX_UPLOAD, the largest one in bytes."
    if not guard.has_token():
        return (
            "Files need a token with the scope admin, and this server has no tokens: make one with trivium token add, "
            "and start the server with TRIVIUM_TOKENS."
        )
    return "" if guard.may("admin") else "Your token lacks the scope admin."


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @view(
        pages,
        Output("new-case", "options"),
        Output("new-case", "value"),
        Input("upload", "registered"),
        Input("changed", "data"),
        State("new-case", "value"),
        prevent_initial_call=True,
    )
    def refresh(registered: Any, _: Any, value: str) -> Any:
        cases = context.sessions.testcases()
        latest = (registered or {}).get("id")
        fresh = latest if latest in cases and time.time() - registered["n"] / 1000.0 < 5.0 else value
        return options(cases), fresh if fresh in cases else cases[0]

    @action(
        pages,
        "admin",
        Output("new-case", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("register-case", "n_clicks"),
        State("case-file", "value"),
        running=[(Output("register-case", "disabled"), True, False)],
    )
    def add(_: Any, file: str) -> Any:
        if not (file or "").strip():
            raise InvalidValueError("Name a folder or an FMU first.", "file")
        with context.readings.room():
            name = context.sessions.trials.add(file.strip())
        say(f"Registered {name}; a session of it can be made.")
        return name, time.time()
