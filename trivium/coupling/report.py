"""Results of a coupled run as files: tables, one JSON document, and the table of iterations for people.

====================  =================================================================================================
file                  content
====================  =================================================================================================
``convergence.csv``   a line an iteration: residual, contraction rate and further figures
``values.csv``        a line an iteration and unknown: its value and that of the map
``result.json``       how it ended, the same figures, inputs and outputs of all components at the last iteration
``convergence.png``   the residual over the iterations, variable by variable; ``.html`` the same to move in
====================  =================================================================================================
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.coupling.acceptance import errors
from trivium.coupling.loop import Result
from trivium.coupling.plot import draw
from trivium.coupling.problem import Problem
from trivium.coupling.record import Iteration
from trivium.coupling.residual import by_part, excesses, multiples
from trivium.errors import StorageError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

#: Least time between two tables of a run that goes on [s].
_PAUSE = 2.0
#: The figures of an iteration: name in files, heading, width and form of the table.
_COLUMNS = (
    ("delta", "delta", 12, ".3e"),
    ("error", "error", 12, ".3e"),
    ("residual", "residual", 12, ".3e"),
    ("rate", "rate", 8, ".3f"),
    ("spectral_radius", "radius", 8, ".3f"),
    ("remaining", "to go", 7, "d"),
    ("evaluations", "evaluated", 11, "d"),
    ("cached", "known", 7, "d"),
)
HEADING = (
    f"{'iteration':>9}" + "".join(f"{heading:>{width}}" for _, heading, width, _ in _COLUMNS) + f"{'time [s]':>10}"
)


class Table:
    """Shows iterations as they are done, under a heading that comes with the first.

    Parameters
    ----------
    show : callable
        Takes each line.
    """

    def __init__(self, show: Callable[[str], object]) -> None:
        self._show, self._empty = show, True

    def add(self, done: Iteration) -> None:
        """Show an iteration."""
        if self._empty:
            self._show(HEADING)
            self._empty = False
        self._show(line(done))


class Progress:
    """Writes the tables of a run while it goes on, not more often than every `_PAUSE` seconds.

    Parameters
    ----------
    problem : Problem
    folder : Path
    """

    def __init__(self, problem: Problem, folder: Path) -> None:
        self._problem, self._folder = problem, folder
        self._iterations: list[Iteration] = []
        self._written = -math.inf

    def add(self, done: Iteration) -> None:
        """Take an iteration.

        Raises
        ------
        StorageError
            When a table cannot be written.
        """
        self._iterations.append(done)
        if time.monotonic() - self._written >= _PAUSE:
            _write_tables(self._problem, self._iterations, self._folder)
            self._written = time.monotonic()


def line(done: Iteration) -> str:
    """Return an iteration as a line of the table."""
    if done.problem:
        return f"{done.number:>9}  a component failed: {done.problem.splitlines()[0]}"
    cells = [
        f"{'-' if done.figures.get(name) is None else format(done.figures[name], form):>{width}}"
        for name, _, width, form in _COLUMNS
    ]
    return f"{done.number:>9}" + "".join(cells) + f"{done.seconds:>10.2f}"


def write(problem: Problem, result: Result, folder: Path) -> dict[str, Path]:
    """Write all files; return them by name.

    Raises
    ------
    StorageError
        When one cannot be written.
    MissingExtraError
        When matplotlib or plotly is not installed.
    """
    files = {name: folder / name for name in ("convergence.csv", "values.csv", "result.json")}
    _write_tables(problem, result.iterations, folder)
    try:
        files["result.json"].write_text(json.dumps(summary(problem, result), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise StorageError(f"the results cannot be written to {folder}: {error.strerror}") from error
    return files | {path.name: path for path in draw(problem, result, folder / "convergence")}


def summary(problem: Problem, result: Result) -> dict[str, Any]:
    """Return a result as JSON holds it."""
    last = result.last
    return {
        "outcome": str(result.ending),
        "reason": result.reason,
        "iterations_run": len(result.iterations),
        "convergence_delta": None if last is None else last.figures.get("delta"),
        "estimated_error": None if last is None else last.figures.get("error"),
        "contraction_rate": None if last is None else last.figures.get("rate"),
        "spectral_radius": None if last is None else last.figures.get("spectral_radius"),
        "predicted_iterations": None if last is None else last.figures.get("remaining"),
        "method": problem.method.name,
        "alpha": problem.method.alpha,
        "scheme": problem.case.scheme,
        "tolerance": problem.case.tolerance,
        "unknowns": [part.name for part in problem.parts],
        "accuracy": accuracy(problem, result),
        "order": [list(level) for level in problem.order.levels],
        "iterations": [
            {"iteration": iteration.number, "seconds": iteration.seconds, **iteration.figures}
            for iteration in result.iterations
        ],
        "components": {
            name: {
                **({"note": problem.components[name].note} if problem.components[name].note else {}),
                "inputs": _as_json(problem.components[name].inputs, iteration.inputs),
                "outputs": _as_json(problem.components[name].outputs, iteration.outputs),
            }
            for name, iteration in result.evaluations.items()
        },
    }


def accuracy(problem: Problem, result: Result) -> dict[str, dict[str, float | None]]:
    """Return of every unknown the greatest residual and estimated error of its elements, in its unit.

    ``over_tolerance`` is the greatest estimated error as a multiple of its element's tolerance. None is beyond all
    numbers, or not known.
    """
    good = [each for each in result.iterations if not each.problem]
    if not good:
        return {}
    xs, gs = [each.x for each in good], [each.g for each in good]
    error = errors(problem.parts, xs, gs)
    shares = by_part(problem.parts, multiples(problem.parts, xs[-1], gs[-1], error))
    residuals, estimates = (by_part(problem.parts, np.abs(each)) for each in (gs[-1] - xs[-1], error))
    return {
        name: {
            "residual": _finite(residuals[name]),
            "estimated_error": _finite(estimates[name]),
            "over_tolerance": _finite(shares[name]),
        }
        for name in shares
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _as_json(variables: tuple[Variable, ...], values: Mapping[str, FloatArray]) -> dict[str, Any]:
    return {
        variable.name: {
            "unit": variable.unit,
            "dims": {name: list(at) for name, at in variable.dims.items()},
            "value": values[variable.name].tolist(),
        }
        for variable in variables
    }


def _write_tables(problem: Problem, iterations: Sequence[Iteration], folder: Path) -> None:
    try:
        for name, write_table in (("convergence.csv", _write_convergence), ("values.csv", _write_values)):
            part = folder / f"{name}.part"
            write_table(problem, iterations, part)
            part.replace(folder / name)
    except OSError as error:
        raise StorageError(f"the results cannot be written to {folder}: {error.strerror}") from error


def _write_convergence(problem: Problem, iterations: Sequence[Iteration], path: Path) -> None:
    names = [part.name for part in problem.parts]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        figure_names = [name for name, *_ in _COLUMNS]
        table.writerow(
            ["iteration", *figure_names, "factor", "seconds", *(f"residual over tolerance of {n}" for n in names)]
        )
        for iteration in iterations:
            figures = ["" if iteration.figures.get(name) is None else iteration.figures[name] for name in figure_names]
            residuals = {} if iteration.problem else excesses(problem.parts, iteration.x, iteration.g)
            factor = "" if iteration.factor is None else iteration.factor
            table.writerow(
                [iteration.number, *figures, factor, iteration.seconds, *(residuals.get(name, "") for name in names)]
            )


def _write_values(problem: Problem, iterations: Sequence[Iteration], path: Path) -> None:
    places = [
        (part.name, variable.element(at))
        for part, variable in zip(problem.parts, problem.targets, strict=True)
        for at in itertools.product(*(range(n) for n in variable.shape))
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["iteration", "variable", "element", "x", "g"])
        for iteration in iterations:
            pairs = zip(places, iteration.x.tolist(), iteration.g.tolist(), strict=True)
            table.writerows([iteration.number, name, element, x, g] for (name, element), x, g in pairs)
