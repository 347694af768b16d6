"""The fixed-point iteration: evaluate, keep, judge, step; from wherever the record ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trivium.coupling.acceleration import sizes
from trivium.coupling.acceptance import errors
from trivium.coupling.course import Move, Point, Role, Stop
from trivium.coupling.ending import Ending, contraction_rate, remaining, spectral_radius
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.liveness import dead
from trivium.coupling.problem import Problem
from trivium.coupling.record import Evaluation, Iteration, Record
from trivium.coupling.residual import multiples, vanishing, weights
from trivium.errors import ComponentError

#: How many iterations before the last one may show that connections are alive.
_NEAR = 20


@dataclass(frozen=True)
class Result:
    """How a coupled run ended.

    Attributes
    ----------
    ending : Ending
    reason : str
        In a sentence.
    iterations : tuple of Iteration
    evaluations : Mapping[str, Evaluation]
        Of the last iteration at which no component failed, by component.
    """

    ending: Ending
    reason: str
    iterations: tuple[Iteration, ...]
    evaluations: Mapping[str, Evaluation]

    @property
    def converged(self) -> bool:
        """Return whether it ended at a fixed point."""
        return self.ending is Ending.CONVERGED

    @property
    def last(self) -> Iteration | None:
        """Return the last iteration at which no component failed."""
        return next((each for each in reversed(self.iterations) if not each.problem), None)


def converge(
    problem: Problem, record: Record, evaluator: Evaluator, watch: Callable[[Iteration], object] = lambda _: None
) -> Result:
    """Iterate until it is known how it ends.

    Parameters
    ----------
    problem : Problem
    record : Record
        What is in it is not done again; the iteration goes on behind it with the same numbers. A component that failed
        at the end of it is tried again.
    evaluator : Evaluator
    watch : callable
        Called with every iteration, those of the record first.

    Raises
    ------
    StorageError
        When an iteration cannot be kept.
    """
    history = _resumed(problem, record)
    for iteration in history:
        watch(iteration)
    move = _next(problem, history)
    while isinstance(move, Move):
        iteration = _iteration(problem, record, evaluator, history, move)
        if not history and iteration.problem:  # there is nothing to step back to, and nothing to go on from
            move = Stop(Ending.FAILED, iteration.problem)
            break
        history.append(iteration)
        watch(iteration)
        move = _next(problem, history)
    if move.ending is Ending.CONVERGED:
        move = _live(problem, record, evaluator, len(history)) or move
    last = next((each.number for each in reversed(history) if not each.problem), 0)
    evaluations = record.evaluations(last) if last else {}
    return Result(
        move.ending,
        move.reason + _advice(problem, history, move.ending),
        tuple(history),
        {name: evaluations[name] for name in problem.components if name in evaluations},
    )


def _resumed(problem: Problem, record: Record) -> list[Iteration]:
    """Return the iterations of a record; where components failed in the end, without those."""
    history = record.iterations()
    move = _next(problem, history)
    if isinstance(move, Stop) and move.ending is Ending.FAILED:
        while history and history[-1].problem:
            history.pop()
        record.forget(len(history) + 1)
    return history


def _next(problem: Problem, history: Sequence[Iteration]) -> Move | Stop:
    if not history:
        return Move(problem.start, None, Role.FIRST)
    points = [
        Point(each.x, None if each.problem else each.g, Role(str(each.figures.get("role", Role.STEP))), each.problem)
        for each in history
    ]
    return problem.course.following(points)


def _iteration(
    problem: Problem, record: Record, evaluator: Evaluator, history: Sequence[Iteration], move: Move
) -> Iteration:
    """Evaluate an iterate and keep what comes of it; where a component fails, that it did."""
    number, began = len(history) + 1, time.monotonic()
    try:
        g, evaluations, unkept = evaluator.pass_over(move.x, number)
    except ComponentError as error:
        failed = {"role": str(move.role), "problem": str(error)}
        seconds = time.monotonic() - began
        iteration = Iteration(number, move.x, np.full_like(move.x, np.nan), move.factor, seconds, failed)
        if history:
            record.keep_iteration(iteration, [])
        return iteration
    bare = Iteration(number, move.x, g, move.factor, 0.0)
    figures = {**_figures(problem, [*history, bare], evaluations), "role": str(move.role)}
    iteration = Iteration(number, move.x, g, move.factor, time.monotonic() - began, figures)
    record.keep_iteration(iteration, unkept)
    evaluator.tidy(number)
    return iteration


def _live(problem: Problem, record: Record, evaluator: Evaluator, number: int) -> Stop | None:
    """Return how an iteration ends whose iterate is within its tolerances, but where a connection is dead."""
    history = [record.evaluations(iteration) for iteration in range(max(1, number - _NEAR), number + 1)]
    complete = [each for each in history if all(name in each for name in problem.components)]
    dead_links = dead(problem, evaluator, complete, number)
    if not dead_links:
        return None
    names = ", ".join(link.name for link in dead_links)
    share = f"{100 * problem.case.probe:g} %"
    reason = f"the estimated error is within its tolerance, but dead: changes up to {share} do not move {names}"
    return Stop(Ending.STALLED, reason)


def _advice(problem: Problem, history: Sequence[Iteration], ending: Ending) -> str:
    """Return what to do about variables that go to zero, where a relative tolerance cannot be met."""
    good = [each for each in history if not each.problem]
    if ending in (Ending.CONVERGED, Ending.FAILED) or len(good) < 2:
        return ""
    xs, gs = [each.x for each in good], [each.g for each in good]
    scales = vanishing(problem.parts, xs, multiples(problem.parts, xs[-1], gs[-1], errors(problem.parts, xs, gs)))
    return "".join(
        f"; {name} goes to zero, where no relative tolerance is met: give it a scale, such as {size:.2g}, or an "
        "absolute tolerance"
        for name, size in scales.items()
    )


def _figures(
    problem: Problem, history: Sequence[Iteration], evaluations: Mapping[str, Evaluation]
) -> dict[str, float | int | str | None]:
    """Return the figures of the last iteration.

    ``delta`` and ``error`` are the tolerance times the greatest residual and estimated error over its tolerance: where
    all tolerances are relative and the same, they are the greatest relative residual and error.
    """
    good = [each for each in history if not each.problem]
    xs, gs = [iteration.x for iteration in good], [iteration.g for iteration in good]
    weighted = weights(problem.parts, xs[0], gs[0])
    norms = sizes(xs, gs, weighted)
    with np.errstate(over="ignore", invalid="ignore"):
        residual, error = (
            float(multiples(problem.parts, xs[-1], gs[-1], distances).max(initial=0.0))
            for distances in (gs[-1] - xs[-1], errors(problem.parts, xs, gs))
        )
    rate = contraction_rate(norms)
    return {
        "delta": _finite(residual * problem.case.tolerance),
        "error": _finite(error * problem.case.tolerance),
        "residual": _finite(float(norms[-1])),
        "rate": rate,
        "spectral_radius": spectral_radius(xs, gs, weighted),
        "remaining": remaining(max(residual, error), rate),
        "evaluations": sum(not iteration.cached for iteration in evaluations.values()),
        "cached": sum(iteration.cached for iteration in evaluations.values()),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
