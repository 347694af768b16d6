"""The fixed-point iteration: evaluate, keep, judge, step; from wherever the record ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trivium.coupling.acceleration import following, sizes
from trivium.coupling.ending import Ending, contraction_rate, exhausted, hopeless, remaining, spectral_radius
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.liveness import dead
from trivium.coupling.problem import Problem
from trivium.coupling.record import Evaluation, Iteration, Record
from trivium.coupling.residual import clip, excesses, weights
from trivium.errors import ComponentError
from trivium.model.contract import FloatArray

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
        Of the last iteration, by component.
    """

    ending: Ending
    reason: str
    iterations: tuple[Iteration, ...]
    evaluations: Mapping[str, Evaluation]

    @property
    def converged(self) -> bool:
        """Return whether it ended at a fixed point."""
        return self.ending is Ending.CONVERGED


def converge(
    problem: Problem, record: Record, evaluator: Evaluator, watch: Callable[[Iteration], object] = lambda _: None
) -> Result:
    """Iterate until it is known how it ends.

    Parameters
    ----------
    problem : Problem
    record : Record
        What is in it is not done again; the iteration goes on behind it with the same numbers.
    evaluator : Evaluator
    watch : callable
        Called with every iteration, those of the record first.

    Raises
    ------
    StorageError
        When an iteration cannot be kept.
    """
    history = record.iterations()
    for done in history:
        watch(done)
    failure = ""
    while True:
        x, factor, stop = _next(problem, record, evaluator, history)
        if stop is not None:
            break
        number, began = len(history) + 1, time.monotonic()
        try:
            g, evaluations, unkept = evaluator.pass_over(x, number)
        except ComponentError as error:
            failure = str(error)
            break
        figures = _figures(problem, [*history, Iteration(number, x, g, factor, 0.0)], evaluations)
        done = Iteration(number, x, g, factor, time.monotonic() - began, figures)
        record.keep_iteration(done, unkept)
        evaluator.tidy(number)
        history.append(done)
        watch(done)
    ending, reason = (Ending.FAILED, failure) if stop is None else stop
    last = record.evaluations(len(history)) if history else {}
    return Result(ending, reason, tuple(history), {name: last[name] for name in problem.components if name in last})


def _next(
    problem: Problem, record: Record, evaluator: Evaluator, history: Sequence[Iteration]
) -> tuple[FloatArray, float | None, tuple[Ending, str] | None]:
    """Return the next iterate with the factor that made it, or how the iteration ends."""
    if not history:
        return problem.start, None, None
    last = history[-1]
    xs, gs = [iteration.x for iteration in history], [iteration.g for iteration in history]
    weighted = weights(problem.parts, xs[0], gs[0])
    worst = max(excesses(problem.parts, last.x, last.g).values(), default=0.0)
    if worst <= 1.0:
        return last.x, None, _accepted(problem, record, evaluator, len(history))
    ending = hopeless(xs, gs, weighted, problem.case.patience)
    if ending is not None:
        return last.x, None, (ending, _REASONS[ending])
    if len(history) >= problem.case.max_iterations:
        ending = exhausted(xs, gs, weighted)
        return last.x, None, (ending, f"{_REASONS[ending]} (after {len(history)} iterations, the most allowed)")
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at
        x, factor = following(problem.method, xs, gs, weighted)
        x = clip(problem.parts, x)
    if np.array_equal(x, last.x):
        return x, factor, (Ending.STALLED, "the next iterate is the last one, held there by its bounds or by rounding")
    if not np.isfinite(x).all():
        return x, factor, (Ending.DIVERGED, "the next iterate is beyond all numbers")
    return x, factor, None


def _accepted(problem: Problem, record: Record, evaluator: Evaluator, number: int) -> tuple[Ending, str]:
    """Judge an iterate within its tolerances: it is a fixed point unless a connection is dead there."""
    history = [record.evaluations(iteration) for iteration in range(max(1, number - _NEAR), number + 1)]
    dead_links = dead(problem, evaluator, history, number)
    if not dead_links:
        return Ending.CONVERGED, "the residual of every variable is within its tolerance"
    names = ", ".join(link.name for link in dead_links)
    share = f"{100 * problem.case.probe:g} %"
    return Ending.STALLED, f"the residual is within its tolerance, but dead: changes up to {share} do not move {names}"


_REASONS = {
    Ending.DIVERGED: "the residual grows",
    Ending.OSCILLATING: "the iterates go round and come no closer",
    Ending.STALLED: "the residual does not shrink any more",
    Ending.OUT_OF_ITERATIONS: "the residual shrinks, but not enough",
}


def _figures(
    problem: Problem, history: Sequence[Iteration], evaluations: Mapping[str, Evaluation]
) -> dict[str, float | int | None]:
    """Return the figures of the last iteration.

    ``delta`` is the tolerance times the greatest excess: converged is at most the tolerance, and where all tolerances
    are relative and the same, it is the greatest relative residual.
    """
    xs, gs = [iteration.x for iteration in history], [iteration.g for iteration in history]
    weighted = weights(problem.parts, xs[0], gs[0])
    norms = sizes(xs, gs, weighted)
    worst = max(excesses(problem.parts, xs[-1], gs[-1]).values(), default=0.0)
    rate = contraction_rate(norms)
    return {
        "delta": _finite(worst * problem.case.tolerance),
        "residual": _finite(float(norms[-1])),
        "rate": rate,
        "spectral_radius": spectral_radius(xs, gs, weighted),
        "remaining": remaining(worst, rate),
        "evaluations": sum(not iteration.cached for iteration in evaluations.values()),
        "cached": sum(iteration.cached for iteration in evaluations.values()),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
