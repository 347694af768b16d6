"""``trivium backup``, ``trivium restore`` and ``trivium verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from trivium.cli import options
from trivium.cli.types import ExistingFile
from trivium.errors import TriviumError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), help="The .tar file to write.")
@options.as_json
@click.pass_context
def backup(context: click.Context, file: Path, as_json: bool) -> None:
    """Write all sessions and jobs into a file, and verify it.

    The state directory (TRIVIUM_STATE_DIR) is read; servers may go on running. What is damaged is named.
    """
    from trivium.backup import backup as write

    sessions = write(options.settings().state_dir, file)
    size = file.stat().st_size
    findings = _check(file)
    figures = {"file": str(file), "sessions": sessions, "bytes": size, "damaged": findings}
    damaged = "".join(f"\n{finding['path']}: {finding['problem']}" for finding in findings)
    options.show(f"{file}: {sessions} sessions, {size / 1e6:.1f} MB{damaged}", figures, as_json=as_json)
    context.exit(1 if findings else 0)


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


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--repair", is_flag=True, help="Mend what can be mended; what is damaged is moved aside.")
@options.as_json
@click.pass_context
def verify(context: click.Context, path: Path | None, repair: bool, as_json: bool) -> None:
    """Compare what is stored with its checksums, and name what is damaged.

    PATH is a state directory, a folder with the results of a study, or a backup; by default the state directory
    (TRIVIUM_STATE_DIR). Servers may go on running; a session that is to be repaired must not. The exit code is 1 when
    something is damaged, or remains so.
    """
    place = path or options.settings().state_dir
    findings = _check(place, repair=repair)
    left = [finding for finding in findings if finding["repaired"] is None]
    lines = [f"{finding['path']}: {finding['problem']}{_outcome(finding, repair)}" for finding in findings]
    lines.append(f"{place}: {len(left)} damaged" if left or repair else f"{place}: all is as it was written")
    options.show("\n".join(lines), {"path": str(place), "damaged": findings}, as_json=as_json)
    context.exit(1 if left else 0)


def _outcome(finding: Mapping[str, str | None], repair: bool) -> str:
    """Return what became of a repair, as it is appended to a line."""
    if finding["repaired"] is not None:
        return f"\n  repaired: {finding['repaired']}"
    return f"\n  not repaired: {finding['reason']}" if repair else ""


def _check(place: Path, *, repair: bool = False) -> list[dict[str, str | None]]:
    """Return what is damaged, and what became of it."""
    from trivium.verify import repair as mend
    from trivium.verify import verify as look

    outcomes: list[dict[str, str | None]] = []
    for finding in look(place):
        repaired, reason = None, "nothing here can mend it; initialize the session, restore a snapshot, or a backup"
        if repair:
            try:
                repaired = mend(finding)
            except (TriviumError, OSError) as error:
                reason = str(error)
        outcomes.append({"path": str(finding.path), "problem": finding.problem, "repaired": repaired, "reason": reason})
    return outcomes
