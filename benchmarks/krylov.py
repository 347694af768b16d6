"""``python -m benchmarks.krylov``: what `trivium.model.fmu.krylov` saves of a step, and what it costs.

The plant of a test case takes the recorded inputs of a day by Model Exchange and FMPy's CVODE, with its dense solver
and with GMRES, preconditioned by a kept Jacobian. Times are processor time; errors are relative to the largest value of
each output, against a run with a tolerance of 1e-9.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.environment import ROOT
from trivium.model.fmu import fmpy_me
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmu_model import Solving
from trivium.model.fmu.krylov import MOST_STATES
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources

START, DAY, STEP = 900_000.0, 86_400.0, 300.0


def run(
    description: FmuDescription, inputs: NDArray[np.float64], tolerance: float, *, dense: bool
) -> tuple[NDArray[np.float64], float]:
    """Return the outputs of all steps and the processor time of one [s]."""
    fmpy_me.MOST_STATES = 0 if dense else MOST_STATES
    model = fmpy_me.FmpyExchangeModel(description, Solving(tolerance))
    model.initialize(START, inputs[0])
    started = time.process_time()
    outputs = np.array([model.step(STEP, row) for row in inputs[1:]])
    seconds = (time.process_time() - started) / len(outputs)
    model.close()
    return outputs, seconds


def main() -> None:
    """Print a row for each tolerance and way."""
    resources = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Resources"
    with tempfile.TemporaryDirectory() as name:
        case = open_testcase(resources, Path(name))
        case.initialize(START + DAY, None, DAY)
        inputs = case.history_rows()[:, 1 : 1 + len(case.stepper.model.inputs)]
        case.close()
        description = read_fmu(Resources.load(resources).fmu, Path(name) / "fmu", "me")
        exact, _ = run(description, inputs, 1e-9, dense=True)
        scale = np.abs(exact).max(axis=0) + 1e-9
        print("| tolerance | linear solver | time of a step [ms] | largest error | root mean square error |")
        print("|---|---|--:|--:|--:|")
        for tolerance in (1e-4, 1e-6):
            for dense in (True, False):
                outputs, seconds = run(description, inputs, tolerance, dense=dense)
                error = (outputs - exact) / scale
                row = f"{1e3 * seconds:.1f} | {np.abs(error).max():.1e} | {np.sqrt(np.mean(error**2)):.1e}"
                print(f"| {tolerance:g} | {'dense' if dense else 'GMRES'} | {row} |")


if __name__ == "__main__":
    main()
