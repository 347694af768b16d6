"""``trivium sweep``: run a study, make a page about its results, export them, look after the cache."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trivium.cli import options
from trivium.cli.exits import INTERRUPTED, SOME_FAILED
from trivium.cli.types import Number, StudyFile, Whole
from trivium.errors import ResourcesError
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    from trivium.settings import Settings
    from trivium.study.cache import Cache
    from trivium.study.read import SweepResults
    from trivium.study.where import Where

#: Most that the cache of runs holds [GB].
_CACHE_SIZE = 4.0


class Sweep(click.Group):
    """The commands of sweeps; a study in place of a command's name is run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` before a study, or before options of ``run``."""
        if args and args[0] not in self.commands and _is_for_run(args[0]):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click's signature
        """Return the names of the commands in the order of the help."""
        return list(self.commands)


def _is_for_run(word: str) -> bool:
    if word.startswith("-"):
        return word not in ("-h", "--help")
    return bool(Path(word).suffix) or "/" in word or Path(word).exists()


@click.group(cls=Sweep)
def sweep() -> None:
    """Run a model many times with different parameters.

    \b
    trivium sweep STUDY.json    is short for    trivium sweep run STUDY.json
    """  # noqa: D301, click's mark of a paragraph that keeps its lines


@sweep.command()
@click.argument("study", type=StudyFile(), help="A study, a JSON file (docs/sweep.md).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for the results.  [default: beside the study, with its name]",
)
@click.option("--dry-run", is_flag=True, help="Check the study, and estimate time, memory and disk from a few runs.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.  [default: TRIVIUM_SCHEDULER]"
)
@click.option(
    "--workers",
    type=Whole(1),
    metavar="N",
    help="Worker processes on this machine.  [default: one for each core]",
)
@click.option("--retry-failed", is_flag=True, help="Run again what failed; all that is done is kept.")
@click.option("--no-cache", is_flag=True, help="Do not reuse runs of earlier sweeps, and do not keep these.")
@click.option(
    "--cache-size",
    type=Number(above=0, at_most=1e6),
    default=_CACHE_SIZE,
    show_default=True,
    metavar="GB",
    help="Most that the cache holds.",
)
@options.as_json
@click.pass_context
def run(
    context: click.Context,
    study: Path,
    out: Path | None,
    dry_run: bool,
    scheduler: str | None,
    workers: int | None,
    retry_failed: bool,
    no_cache: bool,
    cache_size: float,
    as_json: bool,
) -> None:
    """Run a study.

    The same command again goes on where an interrupted one stopped.
    """
    require_sweep()
    from trivium.study.tricys import translate
    from trivium.study.where import Where

    settings = options.settings(scheduler=scheduler)
    places = Where.from_settings(settings, workers)
    with open_cache(settings, cache_size) as opened:
        cache = None if no_cache else opened
        folder = out or study.with_suffix("")
        translated = translate(study)
        if translated is not None:
            from trivium.cli.cases import estimate_cases, run_cases

            if dry_run:
                estimate_cases(study, translated, places, cache, as_json=as_json)
            else:
                context.exit(run_cases(study, translated, folder, places, cache, as_json=as_json, retry=retry_failed))
            return
        if dry_run:
            _estimate(study, places, cache, as_json=as_json)
        else:
            context.exit(_run(study, folder, places, cache, as_json=as_json, retry=retry_failed))


@sweep.command()
@click.argument("study", type=StudyFile(), help="The study that made the results.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder of the results.  [default: beside the study, with its name]",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.  [default: TRIVIUM_SCHEDULER]"
)
@click.option(
    "--workers", type=Whole(1), metavar="N", help="Worker processes on this machine.  [default: one for each core]"
)
@options.as_json
@click.pass_context
def repair(
    context: click.Context, study: Path, out: Path | None, scheduler: str | None, workers: int | None, as_json: bool
) -> None:
    """Compare all result files with their hashes, and run again what is lost.

    Each file that is absent, unreadable or damaged is named with its runs.
    """
    require_sweep()
    from trivium.study.where import Where

    folder = out or study.with_suffix("")
    if not (folder / "study.sqlite").is_file():
        raise ResourcesError(f"there are no results of a sweep in {folder} (no study.sqlite)")
    settings = options.settings(scheduler=scheduler)
    places = Where.from_settings(settings, workers)
    with open_cache(settings) as cache:
        context.exit(_run(study, folder, places, cache, as_json=as_json, repair=True))


@sweep.command()
@click.argument("results", type=click.Path(path_type=Path), help="Folder of the results, or the study that made them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The page to write.  [default: report.html in the folder]",
)
@options.as_json
def report(results: Path, out: Path | None, as_json: bool) -> None:
    """Write a page with plots of a sweep's results."""
    require_sweep()
    from trivium.study.cases import units
    from trivium.study.progress import amount
    from trivium.study.read import open_results
    from trivium.study.report import write_report

    folder = _folder(results)
    path = out or folder / "report.html"
    with open_results(folder) as opened:
        write_report(opened, path, folder.name, units(folder))
        _note_lost(opened)
    size = path.stat().st_size
    options.show(f"{path}, {amount(size)}", {"file": str(path), "bytes": size}, as_json=as_json)


@sweep.command()
@click.argument("results", type=click.Path(path_type=Path), help="Folder of the results, or the study that made them.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), help="A .parquet, .h5, .csv or .mat file.")
@click.option(
    "--select",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only runs with this parameter or metric: a value, values a,b,c or a range a:b. May be given several times.",
)
@click.option(
    "--trajectories", is_flag=True, help="A row for each output point instead of each run (.mat always has them)."
)
@click.option("--failed", is_flag=True, help="The runs that failed, in place of those that are done.")
@options.as_json
def export(results: Path, out: Path, select: tuple[str, ...], trajectories: bool, failed: bool, as_json: bool) -> None:
    """Write a sweep's results as a file for other tools."""
    require_sweep()
    from trivium.study.choose import parse_choices, split_choices
    from trivium.study.progress import amount
    from trivium.study.read import open_results

    split_choices(select)  # a slip is reported before anything is read
    with open_results(_folder(results)) as opened:
        choose = opened.failed if failed else opened.select
        selection = choose(**parse_choices(select, opened.texts))
        selection.export(out, trajectories=trajectories)
        _note_lost(opened)
        size = out.stat().st_size
        figures = {"file": str(out), "bytes": size, "runs": len(selection), "of": len(opened)}
        text = f"{len(selection)} of {len(opened)} runs in {out}, {amount(size)}"
    options.show(text, figures, as_json=as_json)


@sweep.group("cache")
def cache_group() -> None:
    """Look at the cache of runs, or empty it.

    A run that was simulated before, with the same FMU and parameters, is taken from the cache.
    """


@cache_group.command("info")
@options.as_json
def cache_info(as_json: bool) -> None:
    """Print how many runs the cache holds."""
    require_sweep()
    with open_cache(options.settings()) as cache:
        _show_cache(cache, as_json=as_json)


@cache_group.command("clear")
@options.as_json
def cache_clear(as_json: bool) -> None:
    """Remove all runs from the cache."""
    require_sweep()
    with open_cache(options.settings()) as cache:
        cache.clear()
        _show_cache(cache, as_json=as_json)


def _run(
    study: Path,
    out: Path,
    places: Where,
    cache: Cache | None,
    *,
    as_json: bool,
    repair: bool = False,
    retry: bool = False,
) -> int:
    from trivium.study.progress import Progress, describe
    from trivium.study.read import open_results
    from trivium.study.study import run_study

    progress = Progress()
    try:
        state = run_study(study, out, places, cache, progress, progress.say, repair=repair, retry=retry)
    except KeyboardInterrupt:
        progress.say(f"\ninterrupted; the runs that ended are kept in {out}, and the same command goes on from there")
        return INTERRUPTED
    with open_results(out) as results:
        for warning in results.warnings():
            progress.say(warning)
    counts = {"runs": state.total, "done": state.done, "failed": state.failed, "cached": state.cached}
    options.show(f"{describe(state)}; results in {out}", {**counts, "results": str(out)}, as_json=as_json)
    return SOME_FAILED if state.failed else 0


def _note_lost(results: SweepResults) -> None:
    for each in results.lost:
        options.note(f"{each}; trivium sweep repair runs these runs again")


def _estimate(study: Path, places: Where, cache: Cache | None, *, as_json: bool) -> None:
    from trivium.study.progress import amount, duration
    from trivium.study.study import estimate

    estimated = estimate(study, places, cache, options.note)
    lines = (
        f"runs      {estimated.runs}",
        f"time      {duration(estimated.seconds)} with {estimated.workers} workers, "
        f"{estimated.seconds_a_run:.3g} s a run",
        f"memory    {amount(estimated.memory)}",
        f"disk      {amount(estimated.disk)}",
    )
    options.show("\n".join(lines), asdict(estimated), as_json=as_json)


def _show_cache(cache: Cache, *, as_json: bool) -> None:
    from trivium.study.progress import amount

    content = cache.content()
    text = f"{content.entries} runs, {amount(content.size)}"
    options.show(text, {"runs": content.entries, "bytes": content.size}, as_json=as_json)


@contextlib.contextmanager
def open_cache(settings: Settings, size: float = _CACHE_SIZE) -> Iterator[Cache]:
    """Open the cache of runs, which holds at most so many GB."""
    from trivium.study.cache import Cache

    with contextlib.closing(Cache(settings.state_dir / "sweep" / "runs.sqlite", int(size * 1e9))) as cache:
        yield cache


def require_sweep() -> None:
    """Refuse a sweep whose packages are not installed, before anything is imported.

    Raises
    ------
    MissingExtraError
    """
    from trivium.extras import require

    for module in ("numba", "distributed", "h5py"):
        require(module, "sweep")


def _folder(path: Path) -> Path:
    """Return the folder of the results that a path names: the folder, a file in it, or the study that made it.

    Raises
    ------
    ResourcesError
        When there is none.
    """
    if path.is_dir():
        return path.absolute()
    if path.suffix == ".json":
        folder = path.with_suffix("")
        if not folder.is_dir():
            raise ResourcesError(f"there are no results in {folder}: run the study with: trivium sweep {path}")
        return folder.absolute()
    if path.is_file():
        return path.absolute().parent
    parent = path.parent
    folders = [entry.name for entry in parent.iterdir() if entry.is_dir()] if parent.is_dir() else []
    near = did_you_mean(path.name, folders)
    raise ResourcesError(f"there is no folder {path} with results of a sweep.{near}")
