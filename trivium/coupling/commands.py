"""``trivium converge``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from trivium.coupling import report
from trivium.coupling.run import run_case
from trivium.coupling.spec import case_file, load_case
from trivium.settings import Settings

#: What ends without a fixed point says so.
NOT_CONVERGED = 3


def converge(
    settings: Settings, options: argparse.Namespace, say: Callable[[str], None], tell: Callable[[str], None]
) -> int:
    """Run a coupled case, or what is missing of it; print the table of iterations as they are done.

    Parameters
    ----------
    settings : Settings
    options : Namespace
    say, tell : callable
        For results, and for what is beside them.

    Returns
    -------
    int
        0 when it converged, `NOT_CONVERGED` when not, 130 when it was interrupted.

    Raises
    ------
    TriviumError
        As `trivium.coupling.run.run_case`.
    """
    path = case_file(options.case)
    case = load_case(path).with_settings(
        method=options.method,
        alpha=options.alpha,
        tolerance=options.tolerance,
        max_iterations=options.max_iterations,
        scheme=options.scheme,
    )
    out: Path = options.out or path.with_name(f"{path.stem}-results")
    show = tell if options.json else say
    show(report.HEADING)
    try:
        problem, result, files = run_case(
            case, path.parent, out, settings, lambda done: show(report.line(done)), cached=not options.no_cache
        )
    except KeyboardInterrupt:
        tell(f"\ninterrupted; what was done is kept in {out}, and the same command goes on from there")
        return 130
    if options.json:
        say(json.dumps(report.summary(problem, result), indent=2, allow_nan=False))
    else:
        for name, note in problem.notes.items():
            say(f"{name}: {note}")
        say(f"{result.ending}: {result.reason}")
        say(f"results in {out}: {', '.join(files)}")
    return 0 if result.converged else NOT_CONVERGED
