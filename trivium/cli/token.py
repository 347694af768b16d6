"""``trivium token``: who may call a server that asks for tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.types import Whole
from trivium.errors import SettingsError

if TYPE_CHECKING:
    from trivium.server.tokens import Token, Tokens

_file = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file of tokens.  [default: TRIVIUM_TOKENS]",
)


@click.group()
def token() -> None:
    """Add, list and remove the tokens of clients.

    A server that is given a file of tokens (TRIVIUM_TOKENS) answers only requests that carry one of them
    (docs/security.md).
    """


@token.command()
@click.argument("name", help="Who gets the token; the log names it.")
@click.option("--scopes", default="read,control,jobs", show_default=True, help="Some of read, control, jobs, admin.")
@click.option(
    "--rate",
    type=Whole(1),
    metavar="N",
    help="Most requests a second.  [default: TRIVIUM_RATE]",
)
@click.option("--sessions", type=Whole(0), metavar="N", help="Most sessions.  [default: TRIVIUM_TOKEN_SESSIONS]")
@click.option("--jobs", type=Whole(0), metavar="N", help="Most jobs that wait or run.  [default: TRIVIUM_TOKEN_JOBS]")
@click.option(
    "--storage", type=Whole(0), metavar="MIB", help="Most that these store [MiB].  [default: TRIVIUM_TOKEN_STORAGE]"
)
@_file
@options.as_json
def add(name: str, scopes: str, path: Path | None, as_json: bool, **limits: int | None) -> None:
    """Make a token and print it, this one time only. A limit of 0 is none."""
    text = _tokens(path, create=True).add(name, [scope.strip() for scope in scopes.split(",")], **limits)
    options.show(text, {"name": name, "token": text}, as_json=as_json)


@token.command("list")
@_file
@options.as_json
def list_tokens(path: Path | None, as_json: bool) -> None:
    """Print the name, scopes and limits of every token."""
    tokens = _tokens(path).read()
    lines = [f"{each.name}\t{','.join(each.scopes)}\t{_limits(each)}" for each in tokens]
    figures: list[dict[str, Any]] = [each.model_dump(exclude={"sha256"}) for each in tokens]
    options.show("\n".join(lines), figures, as_json=as_json)


@token.command()
@click.argument("name", help="Whose token ends.")
@_file
@options.as_json
def remove(name: str, path: Path | None, as_json: bool) -> None:
    """Remove a token; running servers refuse it at once."""
    _tokens(path).remove(name)
    options.show(f"The token {name} is removed.", {"removed": name}, as_json=as_json)


def _limits(token: Token) -> str:
    """Return the limits of its own that a token has."""
    from trivium.server.tokens import LIMITS

    units = {"rate": "/s", "sessions": " sessions", "jobs": " jobs", "storage": " MiB"}
    values = {name: getattr(token, name) for name in LIMITS}
    return ", ".join(f"{value}{units[name]}" for name, value in values.items() if value is not None)


def _tokens(path: Path | None, *, create: bool = False) -> Tokens:
    """Return the tokens of a file: the one that is named, else that of the settings.

    Raises
    ------
    SettingsError
        When none is named, or it cannot be read.
    """
    from trivium.server import tokens

    file = path or options.settings().tokens
    if not isinstance(file, Path):
        raise SettingsError("there is no file of tokens: name it with --file FILE, or set TRIVIUM_TOKENS")
    return tokens.create(file) if create else tokens.Tokens(file)
