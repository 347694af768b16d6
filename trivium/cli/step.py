"""``trivium step`` and ``trivium compare``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.progress import bar
from trivium.cli.types import Number, Whole
from trivium.errors import InvalidValueError, StorageError

if TYPE_CHECKING:
    from trivium.evaluation.testcase import TestCase
    from trivium.settings import Settings

#: What the options are called where a test case checks their values.
_OPTIONS = {
    "start_time": "--from",
    "end_time": "--to",
    "electricity_price": "--price",
    "temperature_uncertainty": "--uncertainty",
    "seed": "--seed",
    "time_period": "--period",
}
_days = click.option("--days", type=Number(above=0), help="How much of a period [d].  [default: all of it]")
_price = click.option("--price", metavar="NAME", help="Electricity price: constant, dynamic or highly_dynamic.")
_uncertainty = click.option(
    "--uncertainty", metavar="LEVEL", help="Error of forecast temperatures: low, medium or high."
)
_seed = click.option("--seed", type=Whole(0), help="Seed of the forecast errors.")


def _parts(price: str | None, uncertainty: str | None, seed: int | None) -> dict[str, Any]:
    """Return the parts of a scenario as a test case names them."""
    return {"electricity_price": price, "temperature_uncertainty": uncertainty, "seed": seed}


def _check_times(start: float | None, end: float | None, period: str | None, days: float | None) -> None:
    """Refuse options that say twice, or not at all, when a test is.

    Raises
    ------
    click.UsageError
    """
    if period is not None:
        if start is not None or end is not None:
            raise click.UsageError("--period says when the test is: leave --from and --to out.")
    elif days is not None:
        raise click.UsageError("--days is how much of a --period.")
    elif end is None:
        raise click.UsageError("Missing option '--to', or '--period'.")
    elif end <= (start or 0.0):
        raise click.BadParameter(f"{end:g} is not after --from {start or 0:g}.", param_hint="'--to'")


@click.command(cls=options.ModelCommand)
@options.model
@click.option("--from", "start", type=Number(at_least=0), metavar="SECONDS", help="Start time.  [default: 0]")
@click.option("--to", "end", type=Number(above=0), metavar="SECONDS", help="End time; needed without --period.")
@click.option("--period", metavar="NAME", help="A time period of the model, in place of --from and --to.")
@_days
@_price
@_uncertainty
@_seed
@click.option(
    "--controller",
    metavar="NAME",
    help="rules, look-ahead, or hold, which changes nothing (docs/control.md).  "
    "[default: rules for the cooling plant, hold for others]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the trajectories as .parquet, .h5 or .csv, and plots beside them as .png and .html.",
)
@options.as_json
def step(
    resources: Path | None,
    start: float | None,
    end: float | None,
    period: str | None,
    days: float | None,
    price: str | None,
    uncertainty: str | None,
    seed: int | None,
    controller: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Simulate a model under a controller.

    The key performance indicators are printed; the final values of the outputs where the model declares none. No
    server is needed.
    """
    _check_times(start, end, period, days)
    scenario = {"time_period": period, **_parts(price, uncertainty, seed)}
    from trivium.control import commands
    from trivium.control.drive import default_controller
    from trivium.evaluation.kpi import TIME_RATIO
    from trivium.simulation.resources import Resources

    with _opened(options.settings(resources=resources)) as (case, settings):
        name = controller or default_controller(case)
        if controller is None and name == "hold":
            options.note(
                "Controller: hold (the inputs keep their values); the other controllers are for the cooling plant"
            )
        files = Resources.load(settings.resources)
        span = (start or 0.0, end or 0.0) if period is None else commands.span_of(case, period, days)
        indicators = commands.step(case, files, name, span, scenario, out, options.note, bar)
        units = {**TIME_RATIO, **case.evaluation.about}
        lines = [] if case.evaluation.about else _final(case)
    if indicators.get("serves") == 0:
        options.note(f"This run {commands.DOES_NOT_SERVE}: see unserved_tot and tdis_tot (docs/kpi.md)")
    lines = lines or [_line(name, value, *units[name]) for name, value in indicators.items() if value is not None]
    options.show("\n".join(lines), dict(indicators), as_json=as_json)


@click.command()
@click.argument("controllers", nargs=-1, metavar="[CONTROLLER]...", help="[default: rules look-ahead]")
@options.model
@click.option(
    "--period", "periods", multiple=True, metavar="NAME", help="May be given several times.  [default: all periods]"
)
@_days
@_price
@_uncertainty
@_seed
@options.as_json
def compare(
    controllers: tuple[str, ...],
    resources: Path | None,
    periods: tuple[str, ...],
    days: float | None,
    price: str | None,
    uncertainty: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Compare controllers over time periods.

    The key performance indicators are printed as a table. The leaderboard of a server with the same state directory
    (TRIVIUM_STATE_DIR) shows them too.
    """
    from trivium.control import commands, comparisons

    parts = _parts(price, uncertainty, seed)
    with _opened(options.settings(resources=resources)) as (case, settings):
        compared = commands.compare(case, controllers or commands.COMPARED, periods, days, parts, bar)
        try:
            comparisons.keep(settings.state_dir, case, compared, days)
        except StorageError as error:
            options.note(f"The leaderboard does not get this comparison: {error}")
    options.show(commands.table(compared), compared, as_json=as_json)


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[tuple[TestCase, Settings]]:
    """Open the test case; what it refuses is reported under the name of the option."""
    from trivium.session.local import open_testcase

    try:
        with contextlib.closing(open_testcase(settings.resources, settings.state_dir, settings.engine)) as case:
            yield case, settings
    except InvalidValueError as error:
        option = _OPTIONS.get(error.field)
        if option is None:
            raise
        # the server's sentence has its spaces from the reference, whose clients may compare it
        message = str(error).replace("  ", " ").replace(" . ", ". ")
        raise InvalidValueError(message.replace(error.field, option), option) from error


def _final(case: TestCase) -> list[str]:
    """Return a line for each output: its value now."""
    values = case.observation()
    return [
        _line(output.name, values[output.name], output.unit, output.description)
        for output in case.measurements.values()
    ]


def _line(name: str, value: float | str, unit: str, description: str) -> str:
    text = value if isinstance(value, str) else f"{value:.6g}"
    return f"{name:24}{text:>16} {unit:10}{description}".rstrip()
