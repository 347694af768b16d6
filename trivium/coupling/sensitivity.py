"""How a fixed point changes with the constants of a case: the implicit function theorem, by central differences.

At a fixed point x = G(x, p), so that dx/dp = (I - dG/dx)^-1 dG/dp; an output y(x, p) changes by
dy/dp = dy/dx dx/dp + dy/dp at constant x. The case is not iterated again; each difference costs two passes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from trivium.coupling.evaluation import Evaluator
from trivium.coupling.problem import Problem
from trivium.coupling.record import Record
from trivium.coupling.residual import clip
from trivium.errors import ComponentError
from trivium.model.contract import FloatArray

#: Half the distance of a difference, relative to the value; of 0, the distance itself.
_STEP = 1e-4


def name_of(output: str, constant: str) -> str:
    """Return what the derivative of an output by a constant is called."""
    return f"d({output})/d({constant})"


def sensitivities(problem: Problem, x: FloatArray, constants: Sequence[str], folder: Path) -> dict[str, FloatArray]:
    """Return the derivatives of all outputs at a fixed point.

    Parameters
    ----------
    problem : Problem
    x : FloatArray, shape (n,)
        The fixed point.
    constants : sequence of str
        By which they are: scalars, as ``component.input``.
    folder : Path
        For working directories.

    Returns
    -------
    dict of str to FloatArray
        By `name_of`, each of the shape of the output.

    Raises
    ------
    ComponentError
        When a component fails, or the fixed point is none that moves smoothly.
    """
    passes = _Passes(problem, folder)
    # which columns of G and of all outputs change by the unknowns, then by the constants
    unknown = [passes.difference(_moved(problem, x, place)) for place in range(x.size)]
    jacobian = np.stack([g for g, _ in unknown], axis=1) if unknown else np.zeros((0, 0))
    found: dict[str, FloatArray] = {}
    for constant in constants:
        value = float(problem.constants[constant].item())
        step = _STEP * (abs(value) or 1.0)
        above, below = ({constant: np.full_like(problem.constants[constant], value + d)} for d in (step, -step))
        g, direct = passes.difference(((x, above), (x, below), 2.0 * step))
        try:
            moved = np.linalg.solve(np.eye(x.size) - jacobian, g)
        except np.linalg.LinAlgError as error:
            raise ComponentError(f"the fixed point does not move smoothly with {constant}: {error}") from error
        for output, slope in direct.items():
            through = sum((part[output] * rate for (_, part), rate in zip(unknown, moved, strict=True)), 0.0 * slope)
            found[name_of(output, constant)] = slope + through
    return found


_End = tuple[FloatArray, Mapping[str, FloatArray]]


def _moved(problem: Problem, x: FloatArray, place: int) -> tuple[_End, _End, float]:
    """Return an unknown a little greater and smaller, within its bounds, and the distance."""
    ends = []
    for sign in (1.0, -1.0):
        moved = x.copy()
        moved[place] += sign * _STEP * (abs(x[place]) or 1.0)
        ends.append(clip(problem.parts, moved))
    return (ends[0], {}), (ends[1], {}), float(ends[0][place] - ends[1][place]) or 1.0


class _Passes:
    """Passes over all components near a fixed point."""

    def __init__(self, problem: Problem, folder: Path) -> None:
        self._problem, self._folder, self._number = problem, folder, 0

    def difference(self, ends: tuple[_End, _End, float]) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Return the slopes of G and of all outputs between two ends."""
        upper, lower, distance = ends
        (g_up, up), (g_down, down) = self._pass(*upper), self._pass(*lower)
        return (g_up - g_down) / distance, {name: (up[name] - down[name]) / distance for name in up}

    def _pass(self, x: FloatArray, constants: Mapping[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
        self._number += 1
        problem = replace(self._problem, constants={**self._problem.constants, **constants})
        place = self._folder / str(self._number)
        place.mkdir(parents=True)
        with contextlib.closing(Record(place, problem.identity)) as record:
            g, evaluations, _ = Evaluator(problem, record, None, place / "work").pass_over(x, 1)
        outputs = {
            f"{name}.{output}": np.asarray(value, dtype=np.float64)
            for name, evaluation in evaluations.items()
            for output, value in evaluation.outputs.items()
        }
        return g, outputs
