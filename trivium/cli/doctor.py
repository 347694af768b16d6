"""``trivium doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from trivium.cli import options


@click.command()
@options.model
@options.as_json
@click.pass_context
def doctor(context: click.Context, resources: Path | None, as_json: bool) -> None:
    """Check the installation by trying it.

    A model is stepped, a small study is swept, two small models are converged, and so on. Optional parts that are not
    installed are listed with the command that installs them; they are no failure.
    """
    from trivium.doctor import report

    context.exit(report(options.settings(resources=resources), as_json=as_json, say=click.echo))
