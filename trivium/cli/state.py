"""``trivium backup`` and ``trivium restore``."""

from __future__ import annotations

from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.types import ExistingFile


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), help="The .tar file to write.")
@options.as_json
def backup(file: Path, as_json: bool) -> None:
    """Write all sessions and jobs into a file.

    The state directory (TRIVIUM_STATE_DIR) is read; servers may go on running.
    """
    from trivium.backup import backup as write

    sessions = write(options.settings().state_dir, file)
    size = file.stat().st_size
    figures = {"file": str(file), "sessions": sessions, "bytes": size}
    options.show(f"{file}: {sessions} sessions, {size / 1e6:.1f} MB", figures, as_json=as_json)


@click.command()
@click.argument("file", type=ExistingFile(".tar", "a backup"), help="What trivium backup wrote.")
@options.as_json
def restore(file: Path, as_json: bool) -> None:
    """Make a state directory from a backup.

    The state directory (TRIVIUM_STATE_DIR) must be empty or not exist.
    """
    from trivium.backup import restore as read

    folder = options.settings().state_dir
    read(file, folder)
    options.show(f"{folder} is restored; start the server", {"state_dir": str(folder)}, as_json=as_json)
