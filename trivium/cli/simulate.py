"""``trivium simulate`` and ``trivium info``: an FMU alone, without a server."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.types import Assignment, ExistingFile, Number
from trivium.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas

_FMU = ExistingFile(".fmu", "an FMU")
#: Value of ``--plot`` where no file is named.
_BESIDE = "-"


@click.command()
@click.argument("fmu", type=_FMU, help="An FMU of FMI 1.0, 2.0 or 3.0.")
@options.as_json
def info(fmu: Path, as_json: bool) -> None:
    """Print the model description of an FMU, what it really does with its state, and what fmpy validate finds wrong."""
    import trivium

    description = trivium.info(fmu, validate=True, qualify=True)
    options.show(str(description), description.to_dict(), as_json=as_json)


def _plot_file(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    """Return the file of the plot; an FMU in its place was meant as the FMU."""
    if value is not None and value.endswith(".fmu"):
        raise click.BadParameter(f"{value} is an FMU. Write --plot=FILE, or put --plot last.", context, parameter)
    return None if value is None else Path(value)


@click.command()
@click.argument("fmu", type=_FMU, help="An FMU of FMI 1.0, 2.0 or 3.0.")
@click.option("--stop", type=Number(), metavar="SECONDS", help="Stop time.  [default: the FMU's own]")
@click.option("--start", type=Number(), metavar="SECONDS", help="Start time.  [default: the FMU's own, or 0]")
@click.option(
    "--step", type=Number(above=0), metavar="SECONDS", help="Time between two outputs.  [default: the FMU's own]"
)
@click.option(
    "--set",
    "start_values",
    type=Assignment(),
    multiple=True,
    help="A parameter or start value. May be given several times.",
)
@click.option(
    "--input",
    "inputs",
    type=ExistingFile(".csv", "a table"),
    metavar="FILE",
    help="A .csv with a column time [s] and a column for each input.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the outputs over time as .csv, .parquet or .h5.",
)
@click.option(
    "--plot",
    is_flag=False,
    flag_value=_BESIDE,
    metavar="[FILE]",
    callback=_plot_file,
    help="Plot the outputs as .png or .html.  [default: beside --out, or named after the FMU]",
)
@options.as_json
def simulate(
    fmu: Path,
    stop: float | None,
    start: float | None,
    step: float | None,
    start_values: tuple[tuple[str, str], ...],
    inputs: Path | None,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Simulate an FMU from start to stop.

    The last value, minimum and maximum of every output are printed.
    """
    if stop is not None and stop <= (start or 0.0):
        raise click.BadParameter(f"{stop:g} is not after the start, {start or 0.0:g}.", param_hint="'--stop'")
    import trivium
    from trivium.simulation.export import check_path, write_table

    if out is not None:
        check_path(out)
    if plot is not None:
        plot = _checked_plot(plot, out or Path(fmu.name))
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", UserWarning)
        try:
            frame = trivium.simulate(
                fmu, start_time=start, stop_time=stop, step=step, start_values=dict(start_values), inputs=inputs
            )
        except InvalidValueError as error:
            raise _of_options(error, fmu) from error
    for remark in remarks:
        options.note(str(remark.message))
    if out is not None:
        write_table(out, ["time", *frame.columns], [frame.reset_index().to_numpy(dtype=float)])
        options.note(f"written: {out}, {len(frame)} rows")
    if plot is not None:
        _draw(frame, fmu.stem, plot)
    summary = {
        str(name): {"last": float(values.iloc[-1]), "min": float(values.min()), "max": float(values.max())}
        for name, values in frame.items()
    }
    options.show(_summary(summary), summary, as_json=as_json)


def _of_options(error: InvalidValueError, fmu: Path) -> InvalidValueError:
    """Return the error with the words of the command line in place of Python's."""
    message = str(error).replace("start_values:", "--set:").replace("inputs:", "--input:")
    rule, _, kind = message.rpartition(" Value must be a float")
    if rule and kind.endswith("<class 'str'>."):  # whatever is typed is a text
        message = f"{rule} It is not a number."
    message = message.replace("trivium.info shows", f"trivium info {fmu} shows")
    return InvalidValueError(message, error.field)


def _checked_plot(path: Path, beside: Path) -> Path:
    """Return the file of the plot.

    Raises
    ------
    click.BadParameter
        When it is neither .png nor .html.
    """
    if str(path) == _BESIDE:
        return beside.with_suffix(".png")
    if path.suffix.lower() not in (".png", ".html"):
        raise click.BadParameter(f"{path} must end in .png or .html.", param_hint="'--plot'")
    return path


def _draw(frame: pandas.DataFrame, title: str, path: Path) -> None:
    """Draw the outputs; without the package that draws, say how to install it."""
    import numpy as np

    from trivium.control.sheet import draw_html, draw_png, panels
    from trivium.errors import MissingExtraError

    names = [str(name) for name in frame.columns]
    lines = {name: frame[name].to_numpy(dtype=float) for name in names}
    draw = draw_png if path.suffix.lower() == ".png" else draw_html
    try:
        draw(np.asarray(frame.index, dtype=float), panels(lines, {}, names), title, path)
    except MissingExtraError as error:
        options.note(f"{path} is left out: {error}")
    else:
        options.note(f"written: {path}")


def _summary(figures: Mapping[str, Mapping[str, float]]) -> str:
    width = max(map(len, figures), default=6)
    lines = [f"{'output':{width}} {'last':>14} {'minimum':>14} {'maximum':>14}"]
    lines += [f"{name:{width}} {_cells(values)}" for name, values in figures.items()]
    return "\n".join(lines)


def _cells(values: Mapping[str, Any]) -> str:
    return " ".join(f"{values[name]:>14.6g}" for name in ("last", "min", "max"))
