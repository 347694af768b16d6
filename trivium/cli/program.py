"""The command ``trivium`` with all its subcommands, in the order in which its help shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from trivium import SUMMARY, __version__
from trivium.cli.bench import bench
from trivium.cli.compile import compile_sources
from trivium.cli.completion import completion
from trivium.cli.converge import converge
from trivium.cli.doctor import doctor
from trivium.cli.examples import examples
from trivium.cli.family import family
from trivium.cli.search import calibrate, optimize
from trivium.cli.serve import serve, worker
from trivium.cli.simulate import info, simulate
from trivium.cli.state import backup, restore, verify
from trivium.cli.step import compare, step
from trivium.cli.sweep import sweep
from trivium.cli.token import token
from trivium.cli.types import command_for

#: Name of the command.
NAME = "trivium"

#: The commands under their headings.
SECTIONS: Mapping[str, tuple[click.Command, ...]] = {
    "Run a model": (step, sweep, optimize, calibrate, converge, simulate, compare, bench),
    "Serve models": (serve, worker, token, backup, restore, verify),
    "Look around": (info, compile_sources, examples, family, doctor, completion),
}

_EXAMPLES = f"""\
\b
Examples:
  {NAME} serve                                       the cooling plant on http://localhost:5000
  {NAME} serve --fmu tank.fmu                        an FMU of your own
  {NAME} step --to 604800 --out week.parquet         a week of the cooling plant under its rules
  {NAME} simulate tank.fmu --stop 10 --plot          an FMU from start to stop
  {NAME} examples fuel_cycle study                   copy an example into the folder study
  {NAME} sweep study/study-small.json --dry-run      what a study would take

A model is an FMU, or a folder with an FMU and its data; the default is the data-centre cooling plant that comes with
the package. Settings are environment variables (docs/settings.md); an option overrides its variable.

Exit codes: 0 success; 1 an error, with a sentence that says what is wrong; 2 a wrong command line; 3 some runs failed,
or the models did not converge; 130 interrupted by Ctrl-C."""


class Program(click.Group):
    """The root command: its help opens with a sentence and lists the commands under headings."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; a file, or ``help``, in its place gets the words to type instead."""
        word = args[0]
        if word not in self.commands and not ctx.resilient_parsing:
            if word == "help":
                command = next((name for name in args[1:] if name in self.commands), "COMMAND")
                ctx.fail(f"No such command 'help'. Type: {NAME} --help, or {NAME} {command} --help")
            if word.endswith(".fmu"):
                ctx.fail(f"{word} is an FMU, not a command. Type: {NAME} simulate {word}, or {NAME} serve --fmu {word}")
            if instead := command_for(Path(word)):
                ctx.fail(f"{word} is not a command.{instead}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click's signature
        """Return the names of the commands in the order of the help."""
        return list(self.commands)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sentence before the usage."""
        formatter.write_text(SUMMARY)
        formatter.write_paragraph()
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands under their headings."""
        width = max(map(len, self.commands))
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                rows = [(f"{command.name:{width}}", command.get_short_help_str(90)) for command in commands]
                formatter.write_dl(rows)


@click.group(
    NAME,
    cls=Program,
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:  # noqa: D103, the help is the sentence of the product
    pass


for _commands in SECTIONS.values():
    for _command in _commands:
        program.add_command(_command)
