"""The frame of all pages: header, navigation, the session that is looked at, errors, what browsers may load."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from flask import Flask, Response, request

from trivium.dashboard import calls, framed, live, login, trend, undo
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, Still, drawn, filled, linked, say
from trivium.dashboard.formatting import both
from trivium.dashboard.pages import alarms, indicators, jobs, plant, runs, sessions, studies, submit, system
from trivium.errors import TriviumError, UnknownSessionError
from trivium.glossary import SESSIONS as STATES
from trivium.jobs.store import Store
from trivium.server.guard import signed_in
from trivium.session.manager import SessionManager
from trivium.settings import Settings

log = logging.getLogger(__name__)

ROOT = "/dashboard/"
_PAGES = (
    ("", "Plant", plant),
    ("sessions", "Sessions", sessions),
    ("runs", "Runs", runs),
    ("indicators", "Indicators", indicators),
    ("jobs", "Jobs", jobs),
    ("new", "New job", submit),
    ("studies", "Studies", studies),
    ("system", "System", system),
)
_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<meta name="color-scheme" content="light dark">
<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<noscript>These pages need JavaScript; the same is at the API, see /.</noscript>
<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def build(app: Flask, settings: Settings, manager: SessionManager, store: Store) -> None:
    """Add the pages to an application."""
    context = Context.open(settings, manager, store)
    pages = Dash(
        __name__,
        server=app,
        url_base_pathname=ROOT,
        assets_folder=str(Path(__file__).parent / "assets"),
        serve_locally=True,
        suppress_callback_exceptions=True,  # each page has its own callbacks, and they come and go
        update_title="",
        title="Trivium",
        index_string=_INDEX,
        enable_mcp=False,
        add_log_handler=False,
        on_error=_on_error,
    )
    pages.layout = _frame
    _register(pages, context)
    for _, _, page in _PAGES:
        page.register(pages, context)
    alarms.register(pages, context)
    undo.register(pages, context)
    login.register(app)
    framed.register(app, context, ROOT)
    live.register(app, context)
    calls.register(app, pages, ROOT)
    # Dash does this at the first request and marks it as done when it begins: a second request meanwhile, in another
    # thread, found no scripts registered, got a 500, and left the page empty.
    with app.test_request_context(ROOT):
        pages._setup_server()
    policy = _policy(pages)

    @app.after_request
    def protect(response: Response) -> Response:
        if request.path.startswith(ROOT):
            response.headers.setdefault("Content-Security-Policy", policy)
            # without a referrer browsers would not send the origin of a form, which the guard requires
            response.headers["Referrer-Policy"] = "same-origin"
        return response


def _policy(pages: Dash) -> str:
    """Return the content security policy: nothing from other hosts, no scripts except the package's own files."""
    hashes = (source if source.startswith("'") else f"'{source}'" for source in pages.csp_hashes())
    scripts = " ".join(["'self'", *hashes])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


def _on_error(error: Exception) -> Any:
    """Show the user why a callback refused."""
    if isinstance(error, TriviumError):
        say(str(error), "refused")
        return no_update
    log.error("a page's request failed", exc_info=error)
    say("an internal error; the server's log has more.", "refused")
    return no_update


def _frame() -> html.Div:
    links = [dcc.Link(name, href=f"{ROOT}{path}", className="link") for path, name, _ in _PAGES]
    caller = signed_in()
    signed = f"{caller[0]} ({', '.join(caller[1])})" if caller else ""
    leave = html.Form(
        [
            html.Span(signed, className="muted", title="Who is signed in, and what the token allows"),
            html.Button("Sign out", name="leave", value="1", className="button quiet", type="submit"),
        ],
        action=login.PATH,
        method="post",
        className="row tight",
    )
    return html.Div(
        [
            html.A("Skip to the content", href="#main", className="skip"),
            html.Header(
                [
                    html.Span("Trivium", className="brand"),
                    html.Nav(links, **{"aria-label": "Pages"}),
                    html.Div(
                        [html.Button("Dark", id="theme", className="button quiet", type="button", n_clicks=0)]
                        + ([leave] if caller else []),
                        className="corner",
                    ),
                ],
                className="head",
            ),
            html.Div(
                [
                    html.Label("Session", htmlFor="session"),
                    Select("session"),
                    Still("where", "where"),
                    html.Span(id="stale", className="trouble", role="status"),
                ],
                className="bar",
                role="region",
                **{"aria-label": "The session that is shown"},
            ),
            alarms.banner(),
            html.Main(html.P("Loading …", className="muted"), id="main", tabIndex="-1"),
            html.Section(
                html.Div(id="said", className="said", role="status", **{"aria-live": "polite"}),
                **{"aria-label": "What was done"},
            ),
            dcc.Location(id="address", refresh="callback-nav"),
            # the stream counts them up, see assets: for the bar; for other sessions; for what only the page shows
            *(dcc.Interval(id=name, disabled=True, n_intervals=0) for name in ("tick", "tick-others", "tick-page")),
            dcc.Store(id="changed"),
            dcc.Store(id="stand"),
            dcc.Store(id="scene"),
            dcc.Store(id="path"),
            dcc.Store(id="chosen", storage_type="session"),
            dcc.Store(id="job", storage_type="session"),
        ]
    )


def _register(pages: Dash, context: Context) -> None:
    pages.clientside_callback(
        ClientsideFunction("trivium", "theme"), Output("theme", "title"), Input("theme", "n_clicks")
    )
    pages.clientside_callback(
        ClientsideFunction("trivium", "said"),
        Output("said", "title"),
        Input("said", "children"),
        State("said", "className"),
        prevent_initial_call=True,
    )
    pages.clientside_callback(
        ClientsideFunction("trivium", "arrive"),
        Output("path", "data"),
        Input("address", "pathname"),
        State("path", "data"),
    )

    pages.clientside_callback(
        ClientsideFunction("trivium", "watch"), Output("session", "title"), Input("session", "value")
    )

    @view(
        pages,
        Output("main", "children"),
        Input("path", "data"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def show(arrived: Any, search: str | None) -> Any:
        path, fields = arrived["path"], arrived["fields"]
        asked = (path or ROOT).rstrip("/").removeprefix(ROOT.rstrip("/")).strip("/")
        for name, _, page in _PAGES:
            if name == asked:
                return linked(filled(page.layout(context), fields), search, getattr(page, "KEPT", {}))
        return [html.H1("There is no such page"), html.P(dcc.Link("To the plant", href=ROOT))]

    @view(
        pages,
        Output("session", "options"),
        Output("session", "value"),
        Output("stand", "data"),
        Output("scene", "data"),
        Output("where", "content"),
        Input("tick", "n_intervals"),
        Input("changed", "data"),
        Input("session", "value"),
        State("session", "options"),
        State("stand", "data"),
        State("scene", "data"),
        State("chosen", "data"),
        State("address", "search"),
    )
    def look(
        _: int | None, __: Any, value: str | None, before: Any, stood: Any, shown: Any, stored: str | None,
        search: str | None,
    ) -> Any:  # fmt: skip
        wanted = [value, *trend.asked(search, "session"), stored]
        listing, _ = context.readings.recent(next(filter(None, wanted), None))
        choices = [{"value": entry["testid"], "label": _label(entry)} for entry in listing]
        by_id = {entry["testid"]: entry for entry in listing}
        default = next((entry["testid"] for entry in listing if entry["default"]), None)
        current = next((entry for entry in (*wanted, default, *by_id) if entry in by_id), None)
        if current is None:
            return choices, None, None, None, "There is no session: make one on the page Sessions."
        try:
            reading = context.readings.read(current)
        except UnknownSessionError:  # stopped at this moment
            return choices, no_update, no_update, no_update, no_update
        run = context.runs.find(current)
        told = alarms.read(context, reading)
        stand = {
            "testid": current,
            "clock": reading.clock,
            "trouble": reading.trouble,
            "mark": str(hash(tuple(reading.values.values()))),
            "run": run.words if run else "",
            "running": bool(run and run.state == "running"),
            "alarms": alarms.of_rows(told),
            "revision": by_id[current]["revision"],
        }
        scene = {  # what stays as it is while the session only goes on
            **{name: stand[name] for name in ("testid", "run", "running")},
            "alarms": told,
            "overrides": by_id[current]["overrides"],
            "snapshots": context.sessions.snapshot_names(current),
        }
        state = by_id[current]["state"]
        calendar = context.readings.calendar(current)
        parts = [
            html.Strong(both(reading.clock)),
            *([] if calendar is None else [html.Span(calendar.text(reading.clock), className="muted")]),
            html.Span(state, className=f"state {state}", title=STATES[state]),
        ]
        return (
            no_update if choices == before else choices,
            no_update if current == value else current,
            no_update if stand == stood else stand,
            no_update if scene == shown else scene,
            drawn(parts),
        )

    @view(pages, Output("chosen", "data"), Input("session", "value"), prevent_initial_call=True)
    def keep(value: str | None) -> Any:
        return value or no_update


def _label(session: dict[str, Any]) -> str:
    name = session["name"] or ("default" if session["default"] else session["testid"][:8])
    return f"{name} · {session['testcaseid']}"
