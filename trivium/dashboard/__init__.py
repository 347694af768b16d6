"""The dashboard at ``/dashboard``: pages for people, on the same server as the API."""

from __future__ import annotations

from flask import Flask, Response

from trivium.extras import is_installed, missing
from trivium.jobs.store import Store
from trivium.session.manager import SessionManager
from trivium.settings import Settings


def attach(app: Flask, settings: Settings, sessions: SessionManager, store: Store) -> None:
    """Add the pages to an application that has a `Guard`; without Dash an answer that says what is missing."""
    if not is_installed("dash"):
        for rule in ("/dashboard", "/dashboard/", "/dashboard/<path:_>"):
            app.add_url_rule(rule, "dashboard", _missing)
        return
    from trivium.dashboard.site import build

    build(app, settings, sessions, store)


def _missing(_: str = "") -> Response:
    """Say that the pages are not installed."""
    raise missing("The dashboard", "dashboard")
