"""What several commands share: options, the settings that they make, and how results are printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trivium.cli.types import ExistingFile, TestCaseFolder, command_for

if TYPE_CHECKING:
    from trivium.settings import Settings

_C = TypeVar("_C", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class ModelCommand(click.Command):
    """A command whose model is an option; a model that is typed without the option gets the words to type instead."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; fail where words are left over."""
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            ctx.fail(f"Unexpected argument {extra[0]}.{_as_option(extra[0])}")
        return extra


def _as_option(word: str) -> str:
    """Return how to type a model that stands without its option, with a space before it; empty for other words."""
    from trivium import locations

    if word.endswith(".fmu"):
        return f" Use: --fmu {word}"
    if Path(word).is_dir() or word in locations.TESTCASES:
        return f" Use: --resources {word}"
    return command_for(Path(word))


def model(command: _C) -> _C:
    """Add the options that choose the model; the command takes it as ``resources``, None for the default."""
    fmu = click.option(
        "--fmu",
        type=ExistingFile(".fmu", "an FMU", instead="--resources {}"),
        metavar="FILE",
        callback=_choose_model,
        expose_value=False,
        is_eager=True,
        help="An FMU without further data: all its inputs are control inputs.",
    )
    folder = click.option(
        "--resources",
        type=TestCaseFolder(),
        metavar="FOLDER",
        callback=_choose_model,
        help="A test case: a folder with an FMU and its data (docs/testcases.md), cooling or data_center.  "
        "[default: TRIVIUM_RESOURCES, or cooling]",
    )
    return fmu(folder(command))


def _choose_model(context: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """Return the model that one of the two options names."""
    path: Path | None = context.meta.get("model")
    if value is not None and path is not None:
        raise click.UsageError("--fmu and --resources exclude each other", context)
    context.meta["model"] = value or path
    return value or path


def settings(**options: Any) -> Settings:
    """Return the settings: those of the environment, overridden by the options that are not None.

    Raises
    ------
    SettingsError
        Naming the setting that is not acceptable.
    """
    from trivium.settings import Settings

    return Settings(**options)


def show(text: str, figures: object, *, as_json: bool) -> None:
    """Print a result: a text for people, or the figures in it as JSON."""
    click.echo(json.dumps(figures, indent=2) if as_json else text)


def note(text: str) -> None:
    """Print a line beside the result, on standard error."""
    click.echo(text, err=True)
