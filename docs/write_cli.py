"""Write docs/cli.md: the help of every command of `trivium`. `make docs` runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from trivium.cli.program import NAME, program

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100


def page() -> str:
    """Return the page."""
    parts = [
        "# Command line",
        "",
        "The help of every command; `python docs/write_cli.py` writes this page.",
        "",
        block(NAME, program),
    ]
    for name, command in commands(program):
        parts += ["", f"## {NAME} {name}", "", block(f"{NAME} {name}", command)]
    return "\n".join(parts) + "\n"


def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group and of the groups in it, by the words that are typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in commands(command))
        else:
            yield name, command


def block(words: str, command: click.Command) -> str:
    """Return a command's help as a block."""
    *above, name = words.split()
    parent = click.Context(program, info_name=" ".join(above), terminal_width=WIDTH) if above else None
    context = click.Context(command, parent, info_name=name, terminal_width=WIDTH, help_option_names=["-h", "--help"])
    return f"```text\n{command.get_help(context).rstrip()}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
