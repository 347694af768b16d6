"""A whole coupled run in a folder: from a case to its files, begun or gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from trivium.coupling import report
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import Result, converge
from trivium.coupling.outline import write_outline
from trivium.coupling.problem import Problem, prepare
from trivium.coupling.record import Iteration, Record
from trivium.coupling.spec import Case
from trivium.extras import require
from trivium.settings import Settings
from trivium.storage import Cache


def run_case(
    case: Case,
    folder: Path,
    out: Path,
    settings: Settings,
    watch: Callable[[Iteration], object] = lambda _: None,
    say: Callable[[str], object] = lambda _: None,
    *,
    cached: bool = True,
    accept_changes: bool = False,
) -> tuple[Problem, Result, dict[str, Path]]:
    """Run a case, or what an earlier run left of it in the same folder.

    Parameters
    ----------
    case : Case
    folder : Path
        The case's own folder.
    out : Path
        For the record, the working directories and the results.
    settings : Settings
    watch : callable
        Called with every iteration.
    say : callable
        Takes lines about what is done before the first iteration ends.
    cached : bool
        Whether results of components are taken from the cache in the state directory, and kept there.
    accept_changes : bool
        Whether to go on with a run of a case that has changed since.

    Returns
    -------
    tuple of Problem, Result and dict
        The last has the files that were written, by name.

    Raises
    ------
    TriviumError
        When the case is wrong, or the folder cannot be used.
    """
    for module in ("matplotlib", "plotly"):  # before hours of work
        require(module, "coupling")
    folder, out = folder.absolute(), out.absolute()
    say(f"preparing {_components(case)}")
    problem = prepare(case, folder, settings)
    for component in problem.components.values():
        component.check()
    with contextlib.ExitStack() as stack:
        record = stack.enter_context(contextlib.closing(Record(out, problem.identity, accept_changes=accept_changes)))
        write_outline(problem, out)
        cache = None
        if cached:
            cache = stack.enter_context(contextlib.closing(Cache(settings.state_dir / "coupling" / "results.sqlite")))
        finished = len(record.iterations())
        order = " -> ".join(" + ".join(level) for level in problem.order.levels)
        say(f"{finished} iterations are kept in {out}" if finished else f"evaluating iteration 1: {order}")
        tables = report.Progress(problem, out)

        def watched(done: Iteration) -> None:
            tables.add(done)
            watch(done)

        result = converge(problem, record, Evaluator(problem, record, cache, out / "work"), watched)
        files = report.write(problem, result, out)
        if result.converged:
            for name, evaluation in result.evaluations.items():
                problem.components[name].publish(evaluation.inputs, out / "published" / name)
    return problem, result, files


def _components(case: Case) -> str:
    """Return the components of a case in words."""
    listed = ", ".join(f"{name} ({component.kind})" for name, component in case.components.items())
    return f"{len(case.components)} component{'s' * (len(case.components) > 1)}: {listed}"
