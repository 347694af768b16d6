"""``python -m benchmarks.fixed_points``: what becomes of maps with a known fixed point, and of maps without one.

The same maps go to ``scipy.optimize.anderson`` and ``newton_krylov``, and to OpenMDAO's NonlinearBlockGS with Aitken,
if it is installed. An evaluation is a call of the map.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import scipy.optimize

from benchmarks.landscapes import Landscape, Map, noisy, solvable, unsolvable
from trivium.coupling.acceleration import Method
from trivium.coupling.course import Course, Move, Point, Role, Stop
from trivium.coupling.residual import Part

#: Relative error of every element, and most evaluations of one map.
TOLERANCE, MOST = 1e-6, 400
#: A fixed point that is claimed is off where it is so many tolerances away.
OFF = 10.0
#: Relative difference of two fixed points: a nonlinear map may have others than the one that it was made around.
_SAME = 1e-9


class SpentError(Exception):
    """The evaluations are used up."""


class Counted:
    """A map that counts its evaluations and refuses more than the most."""

    def __init__(self, g: Map) -> None:
        self.g, self.count = g, 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate the map."""
        if self.count == MOST:
            raise SpentError
        self.count += 1
        with np.errstate(all="ignore"):
            return self.g(x)


@dataclass(frozen=True)
class Outcome:
    """What became of a map: how it ended, where, and after how many evaluations."""

    ending: str
    x: np.ndarray
    evaluations: int


def trivium(landscape: Landscape) -> Outcome:
    """Iterate as a coupled case of one variable does."""
    parts = (Part("x", len(landscape.start), relative=TOLERANCE),)
    course, points, move = Course(parts, Method(), None, MOST), [], Move(landscape.start, None, Role.FIRST)
    while not isinstance(move, Stop):
        with np.errstate(all="ignore"):
            g = landscape.g(move.x)
        points.append(Point(move.x, g if np.isfinite(g).all() else None, move.role))
        move = course.following(points)
    return Outcome(str(move.ending), points[-1].x, len(points))


def of_scipy(solver: Callable[..., np.ndarray]) -> Callable[[Landscape], Outcome]:
    """Return what has a solver of SciPy find the root of the residual, in elements over their magnitude."""

    def solve(landscape: Landscape) -> Outcome:
        g, scale = Counted(landscape.g), np.abs(landscape.start) + np.abs(landscape.g(landscape.start))
        scale = np.where(scale > 0.0, scale, 1.0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                z = solver(
                    lambda z: (g(z * scale) - z * scale) / scale, landscape.start / scale, f_tol=TOLERANCE, maxiter=MOST
                )
        except (SpentError, scipy.optimize.NoConvergence, ArithmeticError, ValueError, np.linalg.LinAlgError):
            return Outcome("failed", landscape.start, g.count)
        return Outcome("converged", np.asarray(z) * scale, g.count)

    return solve


def blocks(landscape: Landscape) -> Outcome:
    """Iterate by OpenMDAO's NonlinearBlockGS with Aitken's factor."""
    import openmdao.api as om

    g, n = Counted(landscape.g), len(landscape.start)

    class Whole(om.ExplicitComponent):
        def setup(self) -> None:
            self.add_input("x", np.zeros(n))
            self.add_output("y", np.zeros(n))

        def compute(self, inputs, outputs) -> None:
            outputs["y"] = g(np.array(inputs["x"]))

    problem = om.Problem(reports=False)
    problem.model.add_subsystem("one", Whole())
    same = om.ExecComp("x = y", x={"shape": n}, y={"shape": n})
    problem.model.add_subsystem("two", same)
    problem.model.connect("one.y", "two.y")
    problem.model.connect("two.x", "one.x")
    problem.model.nonlinear_solver = om.NonlinearBlockGS(
        use_aitken=True, maxiter=MOST, rtol=TOLERANCE, atol=1e-300, iprint=-1, err_on_non_converge=True
    )
    problem.setup()
    problem.set_val("two.x", landscape.start)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            problem.run_model()
    except (SpentError, om.AnalysisError, ArithmeticError, ValueError):
        return Outcome("failed", landscape.start, g.count)
    x = np.array(problem.get_val("two.x"))
    return Outcome("converged" if np.isfinite(x).all() else "failed", x, g.count)


def distance(landscape: Landscape, x: np.ndarray) -> float:
    """Return how far an iterate is from the nearest fixed point, relative, in its worst element."""
    fixed = landscape.fixed
    far = float((np.abs(x - fixed) / np.abs(fixed)).max())
    if landscape.linear or far <= TOLERANCE:
        return far
    other = scipy.optimize.root(lambda x: landscape.g(x) - x, x, tol=1e-14).x
    if not (np.abs(landscape.g(other) - other) <= _SAME * np.abs(other)).all():
        return far
    return min(far, float((np.abs(x - other) / np.abs(other)).max()))


def report(name: str, solver: Callable[[Landscape], Outcome], count: int) -> None:
    """Print what became of maps with and without a fixed point."""
    endings, without, evaluations, beyond, false = Counter(), Counter(), [0, 0], 0, 0
    for landscape in solvable(count):
        outcome = solver(landscape)
        endings[outcome.ending] += 1
        evaluations[0] += outcome.evaluations
        beyond += outcome.ending == "converged" and distance(landscape, outcome.x) > OFF * TOLERANCE
    for landscape in unsolvable(count // 4):
        outcome = solver(landscape)
        without[outcome.ending] += 1
        evaluations[1] += outcome.evaluations
        false += outcome.ending == "converged"
    solved = endings["converged"] - beyond
    others = ", ".join(f"{number} {ending}" for ending, number in without.most_common() if ending != "converged")
    print(f"| {name} | {solved} | {beyond} | {evaluations[0]} | {false} | {evaluations[1]} | {others} |", flush=True)


def report_noise(times: float, count: int) -> None:
    """Print what becomes of maps that are only so exact: which claim to be within their tolerance, and are far off."""
    endings, false = Counter(), []
    for seed, landscape in enumerate(solvable(count)):
        outcome = trivium(noisy(landscape, times * TOLERANCE, seed))
        endings[outcome.ending] += 1
        if outcome.ending == "converged" and distance(landscape, outcome.x) > OFF * TOLERANCE:
            false.append(landscape.name)
    print(f"| {times:g} | {endings['converged']} | {len(false)} | {', '.join(false)} |", flush=True)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fixed_points", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="maps with a fixed point (default 200)")
    parser.add_argument(
        "--noise", type=float, nargs="+", default=[], help="Trivium alone, with noise of so many tolerances"
    )
    args = parser.parse_args()
    count = args.count
    if args.noise:
        print("| noise, in tolerances | claimed | of these off | which |\n|--:|--:|--:|---|")
        for times in args.noise:
            report_noise(times, count)
        return 0
    print(f"{count} maps with a fixed point, {count // 4} without; relative tolerance {TOLERANCE:g}\n")
    print("| solver | solved | claimed, but off | evaluations | none: claimed | evaluations | none: other endings |")
    print("|---|--:|--:|--:|--:|--:|---|")
    report("Trivium", trivium, count)
    report("scipy.optimize.anderson", of_scipy(scipy.optimize.anderson), count)
    report("scipy.optimize.newton_krylov", of_scipy(scipy.optimize.newton_krylov), count)
    if find_spec("openmdao") is None:
        print("\nOpenMDAO is not installed (the extra `test` brings it)")
        return 0
    report("OpenMDAO, NonlinearBlockGS, Aitken", blocks, count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
