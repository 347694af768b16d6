"""Streams that tell open pages when to look again, so that a page asks nothing while nothing changes.

A page has one stream (server-sent events). Its events say which parts of what the page shows are different from what
they were at the last event, and nothing more; the page then looks at these parts as it does when it is opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from flask import Flask, Response, current_app, stream_with_context

from trivium.dashboard.context import Context
from trivium.errors import TriviumError
from trivium.server.events import LONGEST, Streams
from trivium.server.guard import Guard
from trivium.server.operations import Lane, Routes
from trivium.server.requests import LastEvent, Query

#: Between two looks [s], and while what only the page shows changes: the progress of jobs; how often a stream says that
#: it is still there [s].
_LOOK, _SOON, _BEAT = 2.5, 1.0, 10.0
#: How often a page shows figures that always change, of the machine [s].
_FIGURES = 6.0
#: Pages that show jobs.
_OF_JOBS = ("jobs", "studies", "system")
#: Newest jobs that pages list.
_JOBS = 50
_ALWAYS_NEW = ("memory", "last_used")


class LiveQuery(Query):
    """Which page, about which session."""

    page: str = ""
    session: str = ""


def register(app: Flask, context: Context) -> None:
    """Add the address of the streams."""
    routes = Routes("live", "Dashboard", url_prefix="/dashboard")
    streams: Streams = app.extensions["trivium-streams"]

    @routes.operation(
        "GET", "/_live", described=False, media=("text/event-stream",), enveloped=False, lane=Lane.STREAMS
    )
    def live(query: LiveQuery, headers: LastEvent) -> Response:
        """Tell a page when to look again."""
        guard: Guard = current_app.extensions["trivium-guard"]
        check = guard.watch()

        def look() -> Mapping[str, str]:
            check()
            return marks(context, query.page, query.session)

        return streams.send(stream_with_context(_events(look, headers.id)))

    app.register_blueprint(routes)


def marks(context: Context, page: str, testid: str) -> dict[str, str]:
    """Return what differs when a page would show something else, by the part of it.

    Parameters
    ----------
    context : Context
    page : str
        As in its address, the plant's is empty.
    testid : str
        The session that is looked at.

    Returns
    -------
    dict
        ``session``: the session that is looked at; ``others``: all other sessions; ``page``: what only this page shows.
    """
    recent, total = context.readings.recent(testid)
    mine: list[Any] = []
    others: list[Any] = [total]
    for session in recent:
        record = {name: value for name, value in session.items() if name not in _ALWAYS_NEW}
        (mine if session["testid"] == testid else others).append([record, context.runs.record(session["testid"])])
    with contextlib.suppress(TriviumError):  # the page shows no session, or one that was stopped
        status, stale = context.sessions.status_of(testid), context.alarms.stale(testid)
        mine.append([status and status.acknowledged, stale and round(stale.value)])
        if page == "sessions":
            mine.append(context.sessions.snapshot_names(testid))
    shown: list[Any] = []
    if page in _OF_JOBS:
        jobs = context.store.jobs(most=_JOBS)
        shown.append([(job.task_id, job.state, job.progress, job.message, job.cancel) for job in jobs])
    if page == "system":
        shown.append(time.monotonic() // _FIGURES)
    parts = {"session": [testid, *mine], "others": others, "page": shown}
    return {part: hashlib.sha256(orjson.dumps(seen)).hexdigest()[:16] for part, seen in parts.items()}


def _events(look: Callable[[], Mapping[str, str]], last: str | None) -> Iterator[bytes]:
    end, sent = time.monotonic() + LONGEST, 0.0
    before = (last or "").split(".")
    while (moment := time.monotonic()) < end:
        try:
            present = look()
        except TriviumError:  # the page connects again, and gets the error then
            return
        new = [part for part, mark in present.items() if mark not in before]
        if new:
            before, sent = [*present.values()], moment
            yield f"id: {'.'.join(before)}\nevent: look\ndata: {' '.join(new)}\n\n".encode()
        elif moment - sent >= _BEAT:
            sent = moment
            yield b"event: beat\ndata: 1\n\n"
        time.sleep(_SOON if "page" in new else _LOOK)
