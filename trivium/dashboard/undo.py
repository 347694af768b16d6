"""What can be taken back for a while: an initialization, a restore, the end of a session, a job that was cancelled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from dash import ALL, Dash, Input, Output, no_update
from flask import copy_current_request_context

from trivium.dashboard.callbacks import action, idle, pressed
from trivium.dashboard.context import Context
from trivium.dashboard.elements import say
from trivium.dashboard.formatting import both, short
from trivium.errors import TriviumError
from trivium.server.guard import require

#: How long what was before is kept [s].
KEPT = 600.0
#: Snapshots that are kept for that by this web worker; lists of snapshots leave them out.
hidden: set[str] = set()


def before_change(context: Context, testid: str) -> str:
    """Store a session as it stands, and return what `say` takes to offer to go back there.

    Parameters
    ----------
    context : Context
    testid : str

    Returns
    -------
    str
        Empty where it cannot be stored: then it cannot be taken back.
    """
    try:
        name = context.sessions.session(testid).snapshot()
        controller = context.sessions.summary(testid)["controller"]
    except TriviumError:
        return ""
    hidden.add(name)

    def forget() -> None:
        hidden.discard(name)
        context.sessions.remove_snapshot(testid, name)

    _later(forget)
    return f"state {testid} {name} {controller}"


def stop(context: Context, testid: str) -> str:
    """End a session, and return what `say` takes to offer to bring it back."""
    aside = context.sessions.set_aside(testid)
    _later(lambda: context.sessions.aside.forget(aside))
    return f"session {testid} {aside}"


def _later(forget: Callable[[], None]) -> None:
    """Forget what was kept, once nobody can ask for it any more."""

    @copy_current_request_context
    def work() -> None:
        with contextlib.suppress(TriviumError):  # the session has ended, or somebody removed it
            forget()

    timer = threading.Timer(KEPT, work)
    timer.daemon = True
    timer.start()


def register(pages: Dash, context: Context) -> None:
    """Add the callback of the button that takes back."""

    @action(
        pages,
        "read",
        Output("changed", "data", allow_duplicate=True),
        Output("session", "value", allow_duplicate=True),
        Input({"do": "undo", "of": ALL}, "n_clicks"),
    )
    def undo(_: Any) -> Any:
        kind, target, name, *rest = pressed().split(" ", 3)
        session: Any = no_update
        if kind == "state":
            require("control")
            with context.readings.room():
                clock = context.sessions.session(idle(context, target)).restore(name)
            context.sessions.label(target, controller=rest[0])
            say(f"The session is at {both(clock)} again, as it was before.")
        elif kind == "session":
            require("control")
            context.sessions.aside.bring_back(name, target)
            say(f"The session {target} is there again.")
            session = target
        else:
            require("jobs")
            job = context.store.get(target)
            again = context.store.submit(job.kind, job.spec)
            say(f"Submitted the job again, as {short(again.task_id)}.")
        return time.time(), session
