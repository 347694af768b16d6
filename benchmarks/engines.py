"""``python -m benchmarks.engines``: how fast every engine steps the plant, and how far they agree.

All simulate the same steps: a TestCase records the inputs (constant control inputs, its own boundary data), then each
engine steps the bare FMU over them. Differences are to the first row: of all temperatures, and of all powers in terms
of the largest power.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from trivium.errors import TriviumError
from trivium.evaluation.testcase import TestCase
from trivium.model.fmu.description import Interface
from trivium.model.fmu.fmu_model import FmuModel, Setup, Solving
from trivium.model.fmu.registry import make
from trivium.settings import Settings
from trivium.simulation.models import open_model
from trivium.simulation.resources import Resources

#: Engine, interface, a new solver every step.
ROWS: tuple[tuple[str, Interface, bool], ...] = (
    ("fmpy", "cs", False),
    ("pyfmi", "cs", False),
    ("fmpy", "me", False),
    ("pyfmi", "me", False),
    ("pyfmi", "me", True),
)
UNITS = {"temperature": ("K", "degC"), "power": ("W", "kW")}


def recorded(resources: Resources, cache: Path, start: float, steps: int) -> tuple[float, np.ndarray]:
    """Return the length of a step [s] and the inputs of many, as a TestCase has them."""
    fmpy = replace(resources, engine="fmpy", interface=None)
    with tempfile.TemporaryDirectory() as folder:
        case = TestCase.open(fmpy, open_model(fmpy, cache), Path(folder) / "history")
        case.initialize(start)
        for _ in range(steps):
            case.advance({})
        table = np.array(case.stepper.history.table())
        n_inputs = len(case.stepper.model.inputs)
        case.close()
    return float(table[-1, 0] - table[-2, 0]), table[-steps:, 1 : 1 + n_inputs]


def stepped(model: FmuModel, start: float, step: float, inputs: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Step a bare FMU; return the seconds of each step and the outputs."""
    model.initialize(start, inputs[0])
    model.step(step, inputs[0])  # away from the start values
    seconds, outputs = [], []
    for row in inputs:
        began = time.perf_counter()
        outputs.append(model.step(step, row))
        seconds.append(time.perf_counter() - began)
    return seconds, np.array(outputs)


def differences(model: FmuModel, first: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the largest difference of temperatures [K] and of powers, the latter relative to the largest power."""
    gap, size = np.abs(other - first).max(axis=0), np.abs(first).max(axis=0)
    of = {kind: [v.unit in units for v in model.outputs] for kind, units in UNITS.items()}
    power = size[of["power"]].max(initial=0.0) or 1.0
    return gap[of["temperature"]].max(initial=0.0), gap[of["power"]].max(initial=0.0) / power


def table(resources: Resources, cache: Path, arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Print a row an engine."""
    step, inputs = recorded(resources, cache, arguments.start, arguments.steps)
    say(f"{arguments.steps} steps of {step:g} s from {arguments.start:g} s, tolerance {arguments.tolerance:g}\n")
    say("| engine | ms a step | temperature [K] | power [1] |\n|---|--:|--:|--:|")
    first = None
    for engine, interface, restart in ROWS:
        name = f"{engine} {interface}{', restart' * restart}"
        setup = Setup(resources.fmu, engine, interface, Solving(arguments.tolerance, restart=restart))
        try:
            model = make(setup, cache)
            seconds, outputs = stepped(model, arguments.start, step, inputs)
        except TriviumError as error:
            say(f"| {name} | {str(error).split(';')[0]} | | |")
            continue
        first = outputs if first is None else first
        temperature, power = differences(model, first, outputs)
        say(f"| {name} | {1e3 * statistics.median(seconds):.2f} | {temperature:.1g} | {power:.1g} |")
        model.close()


def main() -> None:
    """Read the arguments and print the table."""
    settings = Settings()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--resources", type=Path, default=settings.resources)
    parser.add_argument("--start", type=float, default=300000.0)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    table(Resources.load(arguments.resources), settings.state_dir / "fmu", arguments, print)


if __name__ == "__main__":
    main()
