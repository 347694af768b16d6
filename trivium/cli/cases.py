"""`trivium sweep run` of a study in TRICYS' form: its cases one after the other, then its functions."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.cli import options
from trivium.cli.exits import INTERRUPTED, SOME_FAILED

if TYPE_CHECKING:
    from trivium.study.cache import Cache
    from trivium.study.tricys import Translated
    from trivium.study.where import Where


def run_cases(
    study: Path,
    translated: Translated,
    out: Path,
    places: Where,
    cache: Cache | None,
    *,
    as_json: bool,
    retry: bool,
) -> int:
    """Run all cases, each into a folder of its name, and show what came of them; return the exit code.

    Raises
    ------
    TriviumError
        When a case is wrong, before any runs; or as `trivium.study.study.run_study`.
    """
    from trivium.study.cases import functions, post_process, write_cases
    from trivium.study.prepare import prepare
    from trivium.study.progress import Progress, describe
    from trivium.study.spec import load_study
    from trivium.study.study import run_study

    calls = functions(translated.processing, study.parent.absolute())
    with tempfile.TemporaryDirectory() as folder:
        for path in write_cases(translated, Path(folder)):
            prepare(load_study(path), path.parent, places.unpacked.absolute())
    outcomes = {}
    runs = failed = 0
    try:
        for path, results in write_cases(translated, out.absolute()).items():
            progress = Progress()
            state = run_study(path, results, places, cache, progress, progress.say, retry=retry)
            options.note(f"{describe(state)}; results in {results}")
            post_process(calls, results)
            counts = {"runs": state.total, "done": state.done, "failed": state.failed, "cached": state.cached}
            outcomes[results.name] = {**counts, "results": str(results)}
            runs, failed = runs + state.total, failed + state.failed
    except KeyboardInterrupt:
        options.note(f"interrupted; the runs that ended are kept in {out}, and the same command goes on from there")
        return INTERRUPTED
    options.show(f"{runs} runs of {len(outcomes)} cases in {out}", {"cases": outcomes}, as_json=as_json)
    return SOME_FAILED if failed else 0


def estimate_cases(study: Path, translated: Translated, places: Where, cache: Cache | None, *, as_json: bool) -> None:
    """Check all cases, and show an estimate of the cost of each.

    Raises
    ------
    TriviumError
        As `trivium.study.study.estimate`.
    """
    from trivium.study.cases import write_cases
    from trivium.study.progress import duration
    from trivium.study.study import estimate

    with tempfile.TemporaryDirectory() as folder:
        studies = write_cases(translated, Path(folder))
        estimates = {
            name or study.stem: estimate(path, places, cache, options.note)
            for name, path in zip(translated.studies, studies, strict=True)
        }
    lines = [f"{name}: {each.runs} runs, {duration(each.seconds)}" for name, each in estimates.items()]
    content = {"cases": {name: asdict(each) for name, each in estimates.items()}}
    options.show("\n".join(lines), content, as_json=as_json)
