"""``trivium sweep``, ``trivium sweep report``, ``trivium sweep export``."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from trivium.errors import SettingsError
from trivium.settings import Settings
from trivium.sweep.cache import Cache
from trivium.sweep.choose import parse_choices
from trivium.sweep.progress import Progress, amount, describe, duration
from trivium.sweep.read import open_results
from trivium.sweep.study import Where, estimate, run_study

#: What ends with failed runs says so.
SOME_FAILED = 3


def sweep(settings: Settings, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Run a study, or what is missing of it.

    Returns
    -------
    int
        0 when all runs are done, `SOME_FAILED` when some failed.

    Raises
    ------
    SettingsError
        When the options do not fit.
    TriviumError
        As `trivium.sweep.study.run_study`.
    """
    if options.workers is not None and options.workers < 1:
        raise SettingsError("--workers must be at least 1")
    if not 0 < options.cache_size < 1e6:
        raise SettingsError("--cache-size must be a positive number of GB")
    with contextlib.closing(
        Cache(settings.state_dir / "sweep" / "runs.sqlite", int(options.cache_size * 1e9))
    ) as cache:
        if options.cache_clear:
            cache.clear()
        if options.cache_info or options.cache_clear:
            found = cache.content()
            text = f"{found.runs} runs, {amount(found.size)} of {amount(found.limit)}"
            _tell(options, say, text, runs=found.runs, bytes=found.size, limit=found.limit)
            return 0
        if options.study is None:
            raise SettingsError("which study? trivium sweep STUDY.json")
        scheduler = options.scheduler or settings.scheduler or None
        where = Where(settings.state_dir.absolute() / "fmu", scheduler, options.workers)
        return _sweep(options, where, None if options.no_cache else cache, say)


def report(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Make a page about the results of a study.

    Raises
    ------
    ResourcesError, StorageError
        When there are no results, or the page cannot be written.
    """
    from trivium.sweep.report import write_report

    folder = _folder(options.study)
    out = options.out or folder / "report.html"
    with open_results(folder) as results:
        write_report(results, out, folder.name)
    size = out.stat().st_size
    _tell(options, say, f"{out}, {amount(size)}", file=str(out), bytes=size)
    return 0


def export(options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write some runs of a study as a file for other tools.

    Raises
    ------
    InvalidValueError
        Naming the parameter or metric that is chosen wrongly.
    TriviumError
        As `trivium.sweep.export.write`.
    """
    wanted = parse_choices(options.select)
    with open_results(_folder(options.study)) as results:
        chosen = results.select(**wanted)
        chosen.export(options.out, trajectories=options.trajectories)
        size = options.out.stat().st_size
        text = f"{len(chosen)} of {len(results)} runs in {options.out}, {amount(size)}"
        _tell(options, say, text, file=str(options.out), bytes=size, runs=len(chosen), of=len(results))
    return 0


def _folder(given: Path) -> Path:
    """Return the folder of a study's results; a study stands for the folder that it makes by default."""
    folder = given.with_suffix("") if given.suffix == ".json" else given
    return folder.absolute() if folder.is_dir() else folder.absolute().parent


def _sweep(options: argparse.Namespace, where: Where, cache: Cache | None, say: Callable[[str], None]) -> int:
    progress = Progress()
    if options.dry_run:
        found = estimate(options.study, where, cache, progress.say)
        lines = (
            f"runs      {found.runs}",
            f"time      {duration(found.seconds)} with {found.workers} workers, {found.seconds_a_run:.3g} s a run",
            f"memory    {amount(found.memory)}",
            f"disk      {amount(found.disk)}",
        )
        _tell(options, say, "\n".join(lines), **asdict(found))
        return 0
    out = options.out or options.study.with_suffix("")
    try:
        state = run_study(options.study, out, where, cache, progress, progress.say)
    except KeyboardInterrupt:
        progress.say(f"\ninterrupted; what came back is kept in {out}, and the same command goes on from there")
        return 130
    counts = {"runs": state.total, "done": state.done, "failed": state.failed, "cached": state.cached}
    _tell(options, say, f"{describe(state)}; results in {out}", **counts, results=str(out))
    return SOME_FAILED if state.failed else 0


def _tell(options: argparse.Namespace, say: Callable[[str], None], text: str, **figures: object) -> None:
    """Say something to people, or the figures in it as JSON."""
    say(json.dumps(figures) if options.json else text)
