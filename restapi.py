"""The REST API: ``gunicorn restapi:app``, or ``python restapi.py`` for the same server."""

from __future__ import annotations

if __name__ == "__main__":
    import sys

    from trivium.cli import main

    sys.exit(main(["serve"]))

from trivium.application import create_app
from trivium.errors import TriviumError

try:
    app = create_app()
except TriviumError as error:  # gunicorn would print a traceback, and start a worker again and again
    import sys

    from gunicorn.arbiter import Arbiter

    print(f"trivium: {error}", file=sys.stderr, flush=True)  # noqa: T201, for the person at the terminal
    sys.exit(Arbiter.APP_LOAD_ERROR)
