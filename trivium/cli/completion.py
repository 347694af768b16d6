"""``trivium completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from trivium.cli.types import Name

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=Name(_SHELLS), metavar="SHELL", help="The shell that is to complete commands.")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete commands and options.

    \b
    bash:  eval "$(trivium completion bash)"      in ~/.bashrc
    zsh:   eval "$(trivium completion zsh)"       in ~/.zshrc
    fish:  trivium completion fish | source       in ~/.config/fish/config.fish
    """  # noqa: D301, click's mark of a paragraph that keeps its lines
    root = context.find_root()
    name = root.info_name or ""
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101, click has all of _SHELLS
    click.echo(completion(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
