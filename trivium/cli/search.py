"""``trivium optimize`` and ``trivium calibrate``: studies that choose their own runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.exits import INTERRUPTED, SOME_FAILED
from trivium.cli.sweep import open_cache, require_sweep
from trivium.cli.types import StudyFile, Whole
from trivium.errors import InvalidValueError

if TYPE_CHECKING:
    from trivium.study.drive import State

#: Most rows of a table that are printed.
_MOST_ROWS = 20


def _arguments(command: Any) -> Any:
    """Add what all searches take."""
    decorators = (
        click.argument("study", type=StudyFile(), help="A study, a JSON file (docs/seek.md)."),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="FOLDER",
            help="Folder for the results.  [default: beside the study, with its name]",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="A Dask scheduler, such as tcp://host:8786.  [default: TRIVIUM_SCHEDULER]",
        ),
        click.option(
            "--workers",
            type=Whole(1),
            metavar="N",
            help="Worker processes on this machine.  [default: one for each core]",
        ),
        click.option("--retry-failed", is_flag=True, help="Run again what failed; all that is done is kept."),
        click.option("--no-cache", is_flag=True, help="Do not reuse runs of earlier sweeps, and do not keep these."),
        options.as_json,
        click.pass_context,
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


@click.command()
@_arguments
def optimize(
    context: click.Context,
    study: Path,
    out: Path | None,
    scheduler: str | None,
    workers: int | None,
    retry_failed: bool,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Choose the parameters of a study so that metrics are least or greatest.

    The same command again goes on where an interrupted one stopped; with more runs in the study, from where it ended.
    """
    folder = out or study.with_suffix("")
    state = _search(context, "optimize", study, folder, scheduler, workers, retry=retry_failed, cached=not no_cache)
    from trivium.study.progress import describe
    from trivium.study.read import open_results

    with open_results(folder) as results:
        best = results.best
    lines = [best.head(_MOST_ROWS).to_string()] if len(best) else ["no run meets all conditions"]
    lines += [f"and {len(best) - _MOST_ROWS} more"] if len(best) > _MOST_ROWS else []
    rows = best.reset_index().to_dict(orient="records")
    options.show(
        "\n".join([*lines, f"{describe(state)}; results in {folder}"]),
        {"runs": state.total, "failed": state.failed, "best": rows, "results": str(folder)},
        as_json=as_json,
    )
    context.exit(SOME_FAILED if state.failed else 0)


@click.command()
@_arguments
def calibrate(
    context: click.Context,
    study: Path,
    out: Path | None,
    scheduler: str | None,
    workers: int | None,
    retry_failed: bool,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Fit the parameters of a model to what was measured.

    The same command again goes on where an interrupted one stopped.
    """
    folder = out or study.with_suffix("")
    state = _search(context, "calibrate", study, folder, scheduler, workers, retry=retry_failed, cached=not no_cache)
    content = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    rows = [f"{'parameter':30} {'start':>12} {'value':>12}   interval"]
    for each in content["parameters"]:
        ends = f"{each['low']:.6g} to {each['high']:.6g}" if each["identified"] else f"not identified: {each['reason']}"
        rows.append(f"{each['name']:30} {each['start']:12.6g} {each['value']:12.6g}   {ends}")
    rows.append(f"{'output':30} {'start':>12} {'fit':>12}   held out (root of the mean square error)")
    for name, errors in content["errors"].items():
        begun, fitted, unseen = ("-" if value is None else f"{value:.6g}" for value in errors.values())
        rows.append(f"{name:30} {begun:>12} {fitted:>12}   {unseen}")
    rows.append(f"{content['message']} {state.total} runs; results in {folder}")
    options.show("\n".join(rows), {**content, "runs": state.total, "results": str(folder)}, as_json=as_json)


def _search(
    context: click.Context,
    goal: str,
    study: Path,
    out: Path,
    scheduler: str | None,
    workers: int | None,
    *,
    retry: bool,
    cached: bool,
) -> State:
    """Run a study that has this goal."""
    require_sweep()
    from trivium.study.progress import Progress
    from trivium.study.spec import load_study
    from trivium.study.study import run_study
    from trivium.study.where import Where

    if getattr(load_study(study), goal) is None:
        raise InvalidValueError(f"{study} has no section {goal}, which says what is sought (docs/seek.md)", goal)
    settings = options.settings(scheduler=scheduler)
    places = Where.from_settings(settings, workers)
    progress = Progress()
    with open_cache(settings) as cache:
        try:
            return run_study(study, out, places, cache if cached else None, progress, progress.say, retry=retry)
        except KeyboardInterrupt:
            progress.say(f"\ninterrupted; what ended is kept in {out}, and the same command goes on from there")
            context.exit(INTERRUPTED)
