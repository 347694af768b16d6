"""Callbacks: those that only look, and those that do something, for whom it is allowed to."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from dash import Dash, ctx
from dash.exceptions import PreventUpdate

from trivium.dashboard.context import Context
from trivium.dashboard.elements import refresh, say
from trivium.errors import ConflictError, InvalidValueError
from trivium.server.guard import require
from trivium.server.tokens import Scope

_Function = Callable[..., Any]


def view(pages: Dash, *targets: Any, **options: Any) -> Callable[[_Function], _Function]:
    """Register a callback that only reads; parameters as of ``Dash.callback``."""

    def register(function: _Function) -> _Function:
        pages.callback(*targets, **options)(function)
        return function

    return register


def action(pages: Dash, scope: Scope, *targets: Any, **options: Any) -> Callable[[_Function], _Function]:
    """Register a callback of buttons that changes something.

    Dash also calls the callbacks of buttons that were just created; such a call is ignored.

    Parameters
    ----------
    pages : Dash
    scope : {"read", "control", "jobs", "admin"}
        What the caller's token must allow; see `trivium.server.guard.require`.
    *targets, **options
        As for ``Dash.callback``.
    """

    def register(function: _Function) -> _Function:
        @functools.wraps(function)
        def act(*values: Any) -> Any:
            if not any(trigger["value"] for trigger in ctx.triggered):
                raise PreventUpdate
            require(scope)
            return function(*values)

        pages.callback(*targets, prevent_initial_call=True, **options)(act)
        return function

    return register


def done(text: str) -> None:
    """Report a finished action, and refresh the page."""
    say(text)
    refresh(time.time())


def pressed() -> str:
    """Return what the button that was pressed is about."""
    value = ctx.triggered[0]["value"]
    return str(value["of"] if isinstance(value, dict) else ctx.triggered_id["of"])


def needed(testid: str | None) -> str:
    """Return the chosen session.

    Raises
    ------
    InvalidValueError
        When there is none.
    """
    if not testid:
        raise InvalidValueError("Choose a session first.", "session")
    return testid


def idle(context: Context, testid: str | None) -> str:
    """Return the chosen session, which no run drives now.

    Raises
    ------
    InvalidValueError, ConflictError
        When there is none; when a run drives it.
    """
    run = context.runs.find(needed(testid))
    if run is not None and run.state == "running":
        raise ConflictError("A run drives the session; stop it first.")
    return needed(testid)
