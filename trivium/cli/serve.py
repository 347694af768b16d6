"""``trivium serve`` and ``trivium worker``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trivium.cli import options


@click.command()
@options.model
@click.option("--host", help="Address to listen on.  [default: HOST, or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port to listen on.  [default: PORT, or 5000]"
)
def serve(resources: Path | None, host: str | None, port: int | None) -> None:
    """Serve a model over HTTP, with the dashboard at /dashboard.

    The server listens until Ctrl-C. All settings are environment variables (docs/settings.md).
    """
    from gunicorn.app.wsgiapp import WSGIApplication

    from trivium.core.history import History
    from trivium.core.resources import Resources
    from trivium.settings import set_environment

    set_environment(TRIVIUM_RESOURCES=resources, HOST=host, PORT=port)
    settings = options.settings(resources=resources, host=host, port=port)
    Resources.load(settings.resources)  # a wrong folder is reported before anything is started
    History(settings.state_dir / "history", ["time"]).close()
    click.echo(f"Loading {settings.resources} ...")
    sys.argv = ["gunicorn", "--config", "python:trivium.web.server", "trivium.web.app:create_app()"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="trivium serve").run()


@click.command()
@options.model
@click.option(
    "--jobs",
    type=click.IntRange(0, 1024),
    metavar="N",
    help="How many jobs to run at a time.  [default: TRIVIUM_WORKER_JOBS, or 2]",
)
@click.option("--parent", type=int, hidden=True, help="Process whose end ends the worker.")
def worker(resources: Path | None, jobs: int | None, parent: int | None) -> None:
    """Run the jobs that clients submit to a server.

    A server starts a worker of its own; further ones may run beside it or on other machines, over the same database
    (docs/jobs.md).
    """
    from trivium.jobs.keeper import keep
    from trivium.settings import set_environment

    set_environment(TRIVIUM_RESOURCES=resources, TRIVIUM_WORKER_JOBS=jobs)
    keep(options.settings(resources=resources, worker_jobs=jobs), parent)
