"""``trivium optimize``: studies that choose their own runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trivium.cli import options
from trivium.cli.sweep import INTERRUPTED, SOME_FAILED, open_cache, require_sweep
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
    from trivium.study.study import Where, run_study

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
