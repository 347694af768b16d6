"""Write docs/cli.md: what every command of `trivium` takes, in its own words. `make docs` runs it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from trivium.cli import make_parser

PAGE = Path(__file__).with_name("cli.md")


def page() -> str:
    """Return the page."""
    os.environ["COLUMNS"] = "100"
    parser = make_parser()
    parts = [
        "# Command line",
        "",
        "Written by `python docs/write_cli.py` from the commands themselves.",
        "",
        block(parser),
    ]
    for name, command in commands(parser):
        parts += ["", f"## trivium {name}", "", block(command)]
    return "\n".join(parts) + "\n"


def commands(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """Return the commands of a parser and of those below it."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                below = [(f"{name} {more}", one) for more, one in commands(command)]
                found += below or [(name, command)]
    return found


def block(parser: argparse.ArgumentParser) -> str:
    """Return a parser's help as a block."""
    return f"```text\n{parser.format_help().rstrip()}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
