"""The course of an iteration: from all that was evaluated to the next iterate, or to how it ends.

It is a function of the history alone, so that a run goes on from its record as if it had never stopped. A method that
gets nowhere is left for the next: Anderson and IQN-ILS first start anew at the best iterate, without the differences of
before; then Newton-Krylov takes over there. An iterate at which a component fails is approached in shorter steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trivium.coupling import krylov
from trivium.coupling.acceleration import Method, following, sizes
from trivium.coupling.acceptance import is_accepted
from trivium.coupling.ending import Ending, drifts, exhausted, hopeless
from trivium.coupling.residual import Part, clip, element_weights, weights
from trivium.model.contract import FloatArray

#: How often a step is halved where a component fails.
_HALVINGS = 5
#: Iterations without progress that are waited for, beside those that explore as many directions as the method takes.
_PATIENCE = 8
#: The longest step, as a multiple of the magnitude of the iterates.
_LONGEST = 100.0
#: Methods that others follow where they get nowhere.
_WITH_SUCCESSORS = ("anderson", "iqn-ils")
#: A new start is a small step along the residual.
_FRESH = 0.1


class Role(StrEnum):
    """Why an iterate was evaluated."""

    FIRST = "first"
    STEP = "step"
    SHORTER = "shorter step"
    RESTART = "new start"
    KRYLOV = "newton-krylov"


@dataclass(frozen=True)
class Point:
    """An iterate.

    Attributes
    ----------
    x : FloatArray, shape (n,)
    g : FloatArray, shape (n,), or None
        The map's value there; None where a component failed.
    role : Role
    problem : str
        What failed.
    """

    x: FloatArray
    g: FloatArray | None
    role: Role = Role.STEP
    problem: str = ""


@dataclass(frozen=True)
class Move:
    """The next iterate, with the factor of the residual that made it, where there is one."""

    x: FloatArray
    factor: float | None
    role: Role


@dataclass(frozen=True)
class Stop:
    """How it ends, and why."""

    ending: Ending
    reason: str


@dataclass(frozen=True)
class Course:
    """How an iteration goes on.

    Attributes
    ----------
    parts : tuple of Part
    method : Method
    patience : int, optional
        Iterations without progress after which a method is left; default: 8, and one more for each direction that the
        method explores.
    max_iterations : int
    """

    parts: tuple[Part, ...]
    method: Method
    patience: int | None
    max_iterations: int

    def following(self, points: Sequence[Point]) -> Move | Stop:
        """Return what follows some iterates, of which there is at least one."""
        good = [(point.x, point.g) for point in points if point.g is not None]
        if points[-1].g is None and points[-1].role is not Role.KRYLOV:
            return self._shorter(points, good)
        xs, gs = [x for x, _ in good], [g for _, g in good]
        if points[-1].g is not None and is_accepted(self.parts, xs, gs):
            return Stop(Ending.CONVERGED, "the estimated error of every variable is within its tolerance")
        move = self._next(points, xs, gs)
        if isinstance(move, Stop) or len(points) < self.max_iterations:
            return move
        ending = exhausted(xs, gs, weights(self.parts, xs[0], gs[0]))
        return Stop(ending, f"{REASONS[ending]} (after {len(points)} iterations, the most allowed)")

    def _next(self, points: Sequence[Point], xs: list[FloatArray], gs: list[FloatArray]) -> Move | Stop:
        """Return the next iterate of the method that is in use, or of the one that follows it."""
        weighted, patience = weights(self.parts, xs[0], gs[0]), self._patience(len(xs[0]))
        if points[-1].role is Role.KRYLOV or self.method.name == "newton-krylov":
            return self._krylov(points, weighted, 2 * patience)
        start = max((place for place, point in enumerate(points) if point.role is Role.RESTART), default=None)
        if start is not None:
            count = sum(point.g is not None for point in points[:start])
            best = _best(xs[:count], gs[:count], weighted)
            xs, gs = [xs[best], *xs[count:]], [gs[best], *gs[count:]]
        if drifts(self.parts, xs, gs):
            return Stop(Ending.DRIFTING, REASONS[Ending.DRIFTING])
        ending = hopeless(xs, gs, weighted, patience)
        if ending is None:
            return self._step(xs, gs)
        if self.method.name not in _WITH_SUCCESSORS or ending is Ending.DRIFTING:
            return Stop(ending, REASONS[ending])
        if start is None:
            best = _best(xs, gs, weighted)
            factor = _FRESH * self.method.alpha
            return Move(clip(self.parts, xs[best] + factor * (gs[best] - xs[best])), factor, Role.RESTART)
        move = self._krylov(points, weighted, 2 * patience)
        return move if isinstance(move, Move) else Stop(ending, REASONS[ending])

    def _patience(self, n: int) -> int:
        if self.patience is not None:
            return self.patience
        return _PATIENCE if self.method.name in ("constant", "aitken") else _PATIENCE + self.method.depth_of(n)

    def _step(self, xs: Sequence[FloatArray], gs: Sequence[FloatArray]) -> Move | Stop:
        """Return the next iterate of the method."""
        count = self.method.depth_of(len(xs[0])) + 1
        if self.method.name == "aitken":  # one factor for all: what is small everywhere must not decide on it
            weighted = weights(self.parts, xs[0], gs[0])
        else:
            weighted = element_weights(self.parts, np.array([*xs[-count:], *gs[-count:]]))
        with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at
            x, factor = following(self.method, xs, gs, weighted)
            length = float(np.linalg.norm((x - xs[-1]) * weighted))
            longest = _LONGEST * max(1.0, float(np.linalg.norm(xs[-1] * weighted)))
            if longest < length < np.inf:
                x = xs[-1] + longest / length * (x - xs[-1])
            x = clip(self.parts, x)
        if np.array_equal(x, xs[-1]):
            return Stop(Ending.STALLED, "the next iterate is the last one, held there by its bounds or by rounding")
        if not np.isfinite(x).all():
            return Stop(Ending.DIVERGED, "the next iterate is beyond all numbers")
        return Move(x, factor, Role.STEP)

    def _shorter(self, points: Sequence[Point], good: Sequence[tuple[FloatArray, FloatArray]]) -> Move | Stop:
        """Return a shorter step in the place of one that led where a component fails."""
        failed = list(itertools.takewhile(lambda point: point.g is None, reversed(points)))
        if not good or len(failed) > _HALVINGS:
            tried = f" (also after {_HALVINGS} shorter steps)" if good else ""
            return Stop(Ending.FAILED, failed[0].problem + tried)
        if len(points) >= self.max_iterations:
            return Stop(Ending.FAILED, failed[0].problem)
        x = good[-1][0]
        return Move(x + 0.5 * (failed[0].x - x), None, Role.SHORTER)

    def _krylov(self, points: Sequence[Point], weighted: FloatArray, patience: int) -> Move | Stop:
        """Return what Newton-Krylov asks for next, from the best iterate before it on."""
        count = len(list(itertools.takewhile(lambda point: point.role is not Role.KRYLOV, points)))
        before = [(point.x, point.g) for point in points[:count] if point.g is not None]
        base = before[_best([x for x, _ in before], [g for _, g in before], weighted)]
        asked = [(point.x, point.g) for point in points[count:]]
        values = [(x, g) for x, g in [base, *asked] if g is not None]
        best = _best([x for x, _ in values], [g for _, g in values], weighted)
        x = None
        if len(values) - best <= patience:
            x = krylov.following(base, asked, element_weights(self.parts, np.array(base)))
        if x is None:
            return Stop(Ending.STALLED, "Newton-Krylov finds no step that makes the residual smaller")
        return Move(clip(self.parts, x), None, Role.KRYLOV)


def _best(xs: Sequence[FloatArray], gs: Sequence[FloatArray], weighted: FloatArray) -> int:
    """Return the place of the iterate with the least residual."""
    norms = sizes(xs, gs, weighted)
    return int(np.argmin(np.where(np.isfinite(norms), norms, np.inf)))


REASONS = {
    Ending.DIVERGED: "the residual grows",
    Ending.DRIFTING: "there seems to be no fixed point: the one that the iterates point to recedes, or is nowhere",
    Ending.OSCILLATING: "the iterates go round and come no closer",
    Ending.STALLED: "the residual does not shrink any more",
    Ending.OUT_OF_ITERATIONS: "the residual shrinks, but not enough",
}
