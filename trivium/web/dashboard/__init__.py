"""The dashboard at ``/dashboard``: pages for people, on the same server as the API."""

from __future__ import annotations

import importlib.util

from flask import Flask, Response

from trivium.errors import MissingExtraError
from trivium.jobs.store import Store
from trivium.session.manager import SessionManager
from trivium.settings import Settings

#: What stands in place of the pages where Dash is missing.
MISSING = "The dashboard is not installed; it comes with: pip install 'trivium[dashboard]'"


def is_installed() -> bool:
    """Return whether the pages can be served: whether Dash is installed."""
    return importlib.util.find_spec("dash") is not None


def attach(app: Flask, settings: Settings, sessions: SessionManager, store: Store) -> None:
    """Add the pages to an application that has a `Guard`; without Dash an answer that says what is missing."""
    if not is_installed():
        for rule in ("/dashboard", "/dashboard/", "/dashboard/<path:_>"):
            app.add_url_rule(rule, "dashboard", _missing)
        return
    from trivium.web.dashboard.site import build

    build(app, settings, sessions, store)


def _missing(_: str = "") -> Response:
    """Say that the pages are not installed."""
    raise MissingExtraError(MISSING)
