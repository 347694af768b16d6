"""``python -m benchmarks.exchange [FMU or folder ...]``: Model Exchange against FMPy's own loop, at equal tolerance.

Every FMU is simulated over the experiment that it proposes (10 s without one), with constant inputs: once by
`fmpy.simulate_fmu` with its CVODE, and step by step, as a server does, with each of our solvers. All report at the same
points. What is compared are the continuous states and the outputs at these points, relative to the largest value of
each, with FMPy's CVODE at a tolerance of 1e-10. Work is counted in evaluations of the derivatives and measured in
processor time, the smallest of some rounds, initialization included. Without arguments the FMUs are our own
(tests/own_fmus.py); of a folder all that it holds are run that have Model Exchange.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from ctypes import c_double
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import fmpy
import numpy as np
from numpy.typing import NDArray

from tests import own_fmus
from trivium.errors import EndedError
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmpy_ import _VERSIONS
from trivium.model.fmu.fmpy_calls import Calls
from trivium.model.fmu.fmu_model import SOLVERS, FmuModel, Solving
from trivium.model.fmu.registry import adapter

#: Our solvers: name in the table, engine, solver.
OURS = {"CVODE": ("fmpy", None), **{solver: ("assimulo", solver) for solver in SOLVERS}}
#: Tolerance of the reference, and its points for one that is compared.
EXACT, PARTS = 1e-10, 10


@dataclass(frozen=True)
class Run:
    """A simulation.

    Attributes
    ----------
    values : NDArray, shape (n_points, n_states + n_outputs)
    evaluations : int
        Of the derivatives.
    seconds : float
        Processor time [s].
    """

    values: NDArray[np.float64]
    evaluations: int
    seconds: float


class Reader:
    """Reads states and outputs of an instance, and counts evaluations of its derivatives."""

    def __init__(self, calls: Calls) -> None:
        self._calls, self.evaluations = calls, 0
        name = calls.derivatives
        evaluate = getattr(calls.fmu, name)

        def counted(*arguments: Any) -> Any:
            self.evaluations += 1
            return evaluate(*arguments)

        setattr(calls.fmu, name, counted)

    def read(self) -> NDArray[np.float64]:
        """Return states and outputs."""
        n = self._calls.sizes()[0]
        states = (c_double * n)()
        if n:
            self._calls.equations()["get_x"](states, n)
        return np.concatenate([np.array(states), self._calls.outputs.get()])


def theirs(description: FmuDescription, points: Sequence[float], tolerance: float) -> Run:
    """Simulate with FMPy's own loop."""
    calls = _VERSIONS[description.version](description)
    calls._instantiate()
    calls._alive = True
    reader, rows = Reader(calls), []

    def finished(moment: float, _recorder: Any) -> bool:
        if len(rows) < len(points) - 1 and math.isclose(moment, points[len(rows) + 1], rel_tol=1e-9, abs_tol=1e-9):
            rows.append(reader.read())
        return True

    started = time.process_time()
    fmpy.simulate_fmu(
        str(description.directory),
        start_time=points[0],
        stop_time=points[-1],
        output_interval=points[1] - points[0],
        solver="CVode",
        relative_tolerance=tolerance,
        record_events=False,
        fmi_type="ModelExchange",
        fmu_instance=calls.fmu,
        step_finished=finished,
        validate=False,
    )
    seconds = time.process_time() - started
    calls.free()
    return Run(np.array(rows), reader.evaluations, seconds)


def ours(model: FmuModel, points: Sequence[float]) -> Run:
    """Simulate step by step."""
    calls: Calls = model._fmu  # type: ignore[attr-defined]
    reader, rows = Reader(calls), []
    inputs = np.array([variable.start or 0.0 for variable in model.inputs])
    started = time.process_time()
    model.initialize(points[0], inputs)
    for start, end in itertools.pairwise(points):
        try:
            model.step(end - start, inputs, end)
        except EndedError:
            break
        rows.append(reader.read())
    seconds = time.process_time() - started
    model.close()
    return Run(np.array(rows), reader.evaluations, seconds)


def quickest(run: Callable[[], Run], rounds: int) -> Run:
    """Return the run of several that took the least processor time."""
    return min((run() for _ in range(rounds)), key=lambda done: done.seconds)


def compare(path: Path, tolerances: Sequence[float], solvers: Sequence[str], n_points: int, rounds: int) -> list[str]:
    """Return the rows of the table for an FMU."""
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        description = read_fmu(path, Path(folder), "me")
        start = description.experiment.start or 0.0
        points = np.linspace(start, start + (description.experiment.duration or 10.0), n_points + 1).tolist()
        # FMPy takes 500 steps between two points at most, too few where something changes fast
        between = np.linspace(points[0], points[-1], PARTS * n_points + 1).tolist()
        exact = theirs(description, between, EXACT).values[PARTS - 1 :: PARTS]
        moving = np.ptp(exact, axis=0) > 0
        if not moving.any():
            return [_sentence(path, "nothing moves")]
        scale = np.abs(exact).max(axis=0)[moving]

        def median(run: Run) -> float:
            n = min(len(run.values), len(exact))
            return float(np.median(np.abs(run.values[:n] - exact[:n])[:, moving] / scale))

        rows = []
        for tolerance in tolerances:
            base = quickest(partial(theirs, description, points, tolerance), rounds)
            for name in solvers:
                engine, solver = OURS[name]
                kind, solving = adapter(engine, description), Solving(tolerance, solver=solver)
                run = quickest(lambda kind=kind, solving=solving: ours(kind(description, solving), points), rounds)
                mine, their = median(run), median(base)
                ratio = 1.0 if mine == their else mine / their if their else math.inf
                rows.append(
                    f"| {path.stem} | {tolerance:g} | {name} | {mine:.1e} | {their:.1e} | {ratio:.2g} | "
                    f"{run.evaluations / max(base.evaluations, 1):.2f} | {run.seconds / base.seconds:.2f} |"
                )
        return rows


def _sentence(path: Path, text: str) -> str:
    return f"| {path.stem} | | {text} | | | | | |"


def files(arguments: Sequence[Path], folder: Path) -> list[Path]:
    """Return the FMUs that arguments name; without any our own, built in a folder."""
    if arguments:
        return [file for path in arguments for file in (sorted(path.rglob("*.fmu")) if path.is_dir() else [path])]
    specs = (own_fmus.LINEAR, own_fmus.OSCILLATOR, own_fmus.THERMOSTAT, own_fmus.COUNTER)
    versions = ("1.0", "2.0", "3.0")
    return [own_fmus.build(s, folder / f"{s.name} {version}.fmu", version, "me") for s in specs for version in versions]


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("fmus", nargs="*", type=Path, help="FMUs and folders of FMUs (default: our own)")
    parser.add_argument("--tolerances", type=float, nargs="+", default=[1e-4, 1e-6])
    parser.add_argument("--solvers", nargs="+", choices=OURS, default=["CVODE"])
    parser.add_argument("--points", type=int, default=500, help="communication points (default 500)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of which the quickest counts (default 3)")
    options = parser.parse_args()
    print("| FMU | tolerance | solver | median error | FMPy's | ratio | evaluations over FMPy's | time over FMPy's |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        for path in files(options.fmus, Path(folder)):
            # a process each: FMUs crash, and some allow one instance only
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                work = (compare, path, options.tolerances, options.solvers, options.points, options.rounds)
                try:
                    rows = pool.submit(*work).result()
                except Exception as error:  # any FMU fails in its own way
                    rows = [_sentence(path, " ".join(str(error).split())[:90])]
            print("\n".join(rows), flush=True)


if __name__ == "__main__":
    main()
