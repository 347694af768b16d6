"""The REST API: ``gunicorn restapi:app``, or ``python restapi.py`` for the same server."""

from __future__ import annotations

if __name__ == "__main__":
    import sys

    from trivium.cli import main

    sys.exit(main(["serve"]))

from trivium.application import create_app

app = create_app()
