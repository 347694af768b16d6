"""The application that is served: the API of `trivium.server` with the pages of `trivium.dashboard`.

This module joins the two, so that neither is imported by a room below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trivium.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


def create_app(settings: Settings | None = None) -> Flask:
    """Open the default session and return the application that serves it and all others.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment.

    Raises
    ------
    TriviumError
        When the test case cannot be opened.
    """
    from trivium import dashboard  # in a worker: prometheus_client looks at the environment when it is imported
    from trivium.server import app

    return app.create_app(settings or Settings(), dashboard.attach)


def serve(settings: Settings) -> None:
    """Serve until interrupted; end the process with 1 and a sentence when the server cannot start."""
    from trivium.server import server

    server.serve(settings, create_app)
