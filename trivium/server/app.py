"""The Flask application."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from trivium import logs
from trivium.errors import MalformedError, TriviumError
from trivium.jobs.store import Store
from trivium.server import (
    alarms,
    boptest,
    compression,
    evaluation,
    front,
    health,
    index,
    metrics,
    openapi,
    routes,
    wire,
)
from trivium.server import jobs as job_routes
from trivium.server import sessions as session_routes
from trivium.server.events import Streams
from trivium.server.guard import Guard, access
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.simulation.resources import Resources
from trivium.space import Room
from trivium.suggestions import nearest

log = logging.getLogger(__name__)

#: Adds pages to an application.
Pages = Callable[[Flask, Settings, SessionManager, Store], None]
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


def create_app(settings: Settings, pages: Pages) -> Flask:
    """Open the default session and return the application that serves it and all others.

    Parameters
    ----------
    settings : Settings
    pages : callable
        Adds the pages for people to the application.

    Raises
    ------
    TriviumError
        When the test case cannot be opened.
    """
    room = Room(
        settings.state_dir, settings.disk_reserve * 2**20, settings.max_storage * 2**20, partial(access, settings)
    )
    sessions = SessionManager(settings, metrics.Watch(), room)
    with ThreadPoolExecutor(1) as pool:  # a process opens the test case while this one imports and builds the pages
        opening = pool.submit(sessions.open_default)
        app = _build(settings, sessions, room, pages)
        opening.result()
    sessions.tidy()
    return app


def _build(settings: Settings, sessions: SessionManager, room: Room, pages: Pages) -> Flask:
    """Return the application, whose sessions need not be open yet."""
    app = Flask("trivium", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["MAX_UPLOAD"] = settings.max_upload
    app.config["MAX_STEPS"] = settings.max_steps
    app.config["IS_PLANT"] = bool(Resources.load(settings.resources).plant_files)
    app.extensions["trivium-sessions"] = sessions
    for module in (routes, evaluation, alarms, health, session_routes, boptest):
        app.register_blueprint(module.blueprint(sessions))
    store = Store(settings, room)
    streams = app.extensions["trivium-streams"] = Streams()
    app.register_blueprint(job_routes.blueprint(store, settings, streams))
    app.register_blueprint(openapi.blueprint())
    app.register_blueprint(index.blueprint())
    app.register_blueprint(metrics.blueprint(settings, sessions, store))
    _name_requests(app)
    app.before_request(front.refuse)
    compression.compress(app)
    metrics.watch(app)
    Guard(app, settings)
    pages(app, settings, sessions, store)
    app.register_error_handler(TriviumError, _on_trivium_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(ParseException, _on_unreadable_body)
    app.register_error_handler(Exception, _on_error)
    if settings.cors_origins:
        _allow_origins(app, settings.cors_origins)
    return app


def _on_trivium_error(error: TriviumError) -> Response:
    if error.status >= 500:
        log.error("%s %s: %s", request.method, request.path, error)
    return wire.failure(error)


def _on_http_error(error: HTTPException) -> Response:
    response = wire.envelope(error.code or 500, f"{error.description or error.name}{_hint(error)}")
    for name, value in error.get_headers():
        if name != "Content-Type":  # Allow of a 405, Retry-After and the like
            response.headers[name] = value
    return response


def _on_unreadable_body(error: ParseException) -> Response:
    """Reply to a body that the server software cannot read, such as one in chunks of a negative size."""
    return wire.failure(MalformedError(f"The body cannot be read: {error}."))


def _hint(error: HTTPException) -> str:
    """Return a suggestion for a wrong address, or the methods that a route has."""
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        methods = sorted({*error.valid_methods} - {"HEAD", "OPTIONS"})
        return f" {request.path} takes {' or '.join(methods)}, not {request.method}."
    if isinstance(error, NotFound) and request.url_rule is None:
        first, *rest = request.path.strip("/").split("/")
        near = ["/".join(["", name, *rest]) for name in nearest(first, _first_parts())]
        return f" Did you mean {' or '.join(near)}?" if near else " GET / lists the routes."
    return ""


def _first_parts() -> Iterator[str]:
    """Yield the first parts of all routes."""
    for rule in current_app.url_map.iter_rules():
        yield rule.rule.strip("/").partition("/")[0]


def _on_error(error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return wire.envelope(500, "Internal error; the server's log has more.")


def _name_requests(app: Flask) -> None:
    """Give every request an id, the client's own where it sent one; replies and the log carry it."""

    @app.before_request
    def name() -> None:
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if _REQUEST_ID.fullmatch(sent) else os.urandom(8).hex()
        logs.forget()
        logs.note(request=g.request_id, session=(request.view_args or {}).get("testid"))

    @app.after_request
    def add_id(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response


def _allow_origins(app: Flask, origins: tuple[str, ...]) -> None:
    """Let browsers of these origins read the replies, and answer their preflight requests."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if origin is not None and ("*" in origins or origin in origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.add("Vary", "Origin")
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, PUT, POST, DELETE"
                response.headers["Access-Control-Allow-Headers"] = (
                    "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id"
                )
        return response
