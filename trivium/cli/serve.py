"""``trivium serve`` and ``trivium worker``."""

from __future__ import annotations

from pathlib import Path

import click

from trivium import glossary
from trivium.cli import options
from trivium.cli.types import Whole


@click.command(cls=options.ModelCommand, epilog=f"\b\nStates of sessions:\n{glossary.listed(glossary.SESSIONS)}")
@options.model
@click.option("--host", help="Address to listen on.  [default: HOST, or 127.0.0.1]")
@click.option("--port", type=Whole(1, 65535), metavar="PORT", help="Port to listen on.  [default: PORT, or 5000]")
def serve(resources: Path | None, host: str | None, port: int | None) -> None:
    """Serve a model over HTTP, with the dashboard at /dashboard.

    The server listens until Ctrl-C. Further settings are environment variables (docs/settings.md).
    """
    from trivium import application

    application.serve(options.settings(resources=resources, host=host, port=port))


@click.command(cls=options.ModelCommand, epilog=f"\b\nStates of jobs:\n{glossary.listed(glossary.JOBS)}")
@options.model
@click.option(
    "--jobs",
    type=Whole(0, 1024),
    metavar="N",
    help="How many jobs to run at a time.  [default: TRIVIUM_WORKER_JOBS, or 2]",
)
def worker(resources: Path | None, jobs: int | None) -> None:
    """Run the jobs that clients submit to a server.

    A server starts a worker of its own; further ones may run beside it or on other machines, over the same database
    (docs/jobs.md).
    """
    from trivium.jobs.worker import keep

    keep(options.settings(resources=resources, worker_jobs=jobs))
