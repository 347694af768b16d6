"""The server itself: is it well, what runs, what its limits are."""

from __future__ import annotations

import os
import platform
import shutil
import threading
from collections import Counter
from typing import Any

import orjson
from dash import Dash, Input, Output, html
from flask import Response, current_app

from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Still, card, drawn, facts, table, tiles
from trivium.dashboard.formatting import both, moment, plural, size
from trivium.errors import BusyError
from trivium.extras import version_of
from trivium.jobs.record import State

_PACKAGES = (
    "trivium",
    "fmpy",
    "pyfmi",
    "assimulo",
    "torch",
    "numpy",
    "scipy",
    "flask",
    "gunicorn",
    "dash",
    "dask",
    "sqlalchemy",
)


def layout(context: Context) -> list[Any]:
    """Return the page."""
    settings = context.settings
    limits = [
        ("Sessions with a process at a time", str(settings.max_sessions)),
        ("Threads that answer requests", str(settings.threads)),
        ("Steps of one request", f"{settings.max_steps}"),
        ("Longest request to a session", f"{settings.step_timeout:g} s"),
        ("Memory of a session's process", f"{settings.session_memory} MiB"),
        ("A session's process ends after", f"{settings.idle_timeout:g} s without requests"),
        ("Largest request body", size(settings.max_body)),
        ("Requests a second", str(settings.rate) if settings.rate else "no limit"),
        ("Jobs at a time", str(settings.worker_jobs) if settings.worker_jobs else "this server has no worker"),
        ("Lease of a job", f"{settings.job_lease:g} s"),
    ]
    return [
        html.H1("System"),
        Still("health"),
        card("Processes of sessions", Still("processes")),
        html.Div([card("Machine", Still("machine")), card("Limits", facts(limits))], className="cards"),
        card("Versions", facts([("Python", platform.python_version()), ("System", platform.platform()), *_versions()])),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    asking = threading.Lock()

    @view(
        pages,
        Output("health", "content"),
        Output("processes", "content"),
        Output("machine", "content"),
        Input("tick-page", "n_intervals"),
    )
    def look(_: int | None) -> Any:
        sessions, total = context.readings.recent()
        health = _health(context, sessions, total, asking)
        return drawn(health), drawn(_processes(sessions, total)), drawn(facts(_machine(context)))


def _health(context: Context, sessions: list[dict[str, Any]], total: int, asking: threading.Lock) -> Any:
    counts = Counter(job.state for job in context.store.jobs(most=1000))
    states = Counter(str(session["state"]) for session in sessions)
    waiting = context.sessions.page(state="queued", limit=0).total
    ready, why = _ready(context, asking)
    which = "" if total <= len(sessions) else f"of the {len(sessions)} used last: "
    return tiles(
        [
            ("Ready to step", ready, why),
            ("Sessions", str(total), which + ", ".join(f"{n} {state}" for state, n in sorted(states.items()))),
            ("Waiting for room", str(waiting), f"room for {context.settings.max_sessions} besides the default"),
            ("Jobs running", str(counts[State.RUNNING]), f"{counts[State.PENDING]} wait"),
        ]
    )


def _ready(context: Context, asking: threading.Lock) -> tuple[str, str]:
    """Return what ``GET /health/ready`` says; one thread at most waits for it."""
    if not asking.acquire(blocking=False):
        return "not known yet", "the default session is busy"
    try:
        with context.readings.room():
            response = current_app.view_functions["health.ready"]()
    except BusyError as error:
        return "not known yet", str(error)
    finally:
        asking.release()
    if not isinstance(response, Response):
        return "not known", ""
    message = str(orjson.loads(response.get_data())["message"])
    return ("yes" if response.status_code == 200 else "no"), message


def _processes(sessions: list[dict[str, Any]], total: int) -> Any:
    rows = [
        (
            html.Code(session["testid"]),
            session["testcaseid"],
            session["state"],
            size(session["memory"]) if session["memory"] else "–",
            both(session["time"]),
            moment(session["created"]),
        )
        for session in sessions
    ]
    shown = table(
        "Sessions and their processes",
        ("Test id", "Test case", "State", "Memory", "Time", "Made"),
        rows,
        (3,),
        cards=True,
    )
    if total <= len(sessions):
        return shown
    return [html.P(f"The {len(sessions)} that were used last, of {total}; the page Runs finds all."), shown]


def _machine(context: Context) -> list[tuple[str, str]]:
    folder = context.settings.state_dir
    disk = shutil.disk_usage(folder)
    rows = [
        ("State directory", str(folder)),
        ("Disk", f"{size(disk.free)} free of {size(disk.total)}"),
        ("Processors", plural(os.cpu_count() or 1, "core")),
        ("Load, means of 1, 5 and 15 minutes", " · ".join(f"{load:.2f}" for load in os.getloadavg())),
    ]
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            amounts = {line.split(":")[0]: float(line.split()[1]) * 1024 for line in file if ":" in line}
        rows.append(("Memory", f"{size(amounts['MemAvailable'])} available of {size(amounts['MemTotal'])}"))
    except (OSError, KeyError, ValueError, IndexError):
        pass  # another system
    return rows


def _versions() -> list[tuple[str, str]]:
    found = ((name, version_of(name)) for name in _PACKAGES)
    return [(name, version) for name, version in found if version is not None]
