"""Try an FMU with an engine, in processes of their own: a crash of the FMU is a finding, not the end.

What an FMU's flags say about its state does not count: some hang, crash or go on differently after a restore. So one
process steps it, saves its state and steps on; a second one restores that state and takes the same steps. They are new
interpreters, so it does not matter what the caller has loaded, or that an FMU allows one instance a process.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trivium.environment import child_environment
from trivium.errors import TriviumError
from trivium.model.contract import Model, Snapshot
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.registry import make

#: Steps that both processes take after the snapshot.
STEPS = 2
#: Length of a step where neither test case nor FMU proposes one [s].
DURATION = 300.0


@dataclass(frozen=True)
class Probe:
    """What was found about an FMU with an engine.

    Attributes
    ----------
    engine, interface : str
    steps : int
        Steps that were really simulated.
    step_ms : float
        Wall-clock time of a step, the median [ms].
    restore : {"exact", "inexact", "impossible"}
        Whether another process goes on from a saved state with the same numbers, with others, or not at all.
    difference : float
        Largest relative difference after the restore [1].
    reason : str
        Why a restore is impossible; empty otherwise.
    error : str
        Why the FMU could not be stepped; empty when it could.
    decided : bool
        False when a process died or hung: that may be no property of the FMU, so the finding is not to be stored.
    """

    engine: str
    interface: str
    steps: int = 0
    step_ms: float = 0.0
    restore: str = "impossible"
    difference: float = 0.0
    reason: str = ""
    error: str = ""
    decided: bool = True


@dataclass(frozen=True)
class _Task:
    """What a process does: make a model, start it or restore it, and step."""

    setup: Setup
    cache: Path
    step: float | None
    inputs: Mapping[str, float]
    snapshot: Snapshot | None = None


@dataclass(frozen=True)
class _Failure:
    """Why there are no findings, and whether that is certainly the FMU's own doing."""

    reason: str
    decided: bool


def probe(
    setup: Setup,
    cache: Path,
    inputs: Mapping[str, float] | None = None,
    *,
    step: float | None = None,
    restore: bool = True,
    timeout: float = 60.0,
) -> Probe:
    """Try an FMU.

    Parameters
    ----------
    setup : Setup
    cache : Path
        Where FMUs are unpacked.
    inputs : Mapping[str, float], optional
        Values of inputs; the others have their start values.
    step : float, optional
        Length of a step [s]; default: what the FMU proposes, else 300.
    restore : bool
        Whether the restore is tried too.
    timeout : float
        Longest time for each of the two processes [s].

    Returns
    -------
    Probe
        Never raises for what the FMU does.
    """
    probe = Probe(setup.engine, setup.interface or "cs")
    task = _Task(setup, cache, step, dict(inputs or {}))
    first = _in_child(task, timeout)
    if isinstance(first, _Failure):
        return replace(probe, error=first.reason, decided=first.decided)
    probe = replace(probe, steps=1 + STEPS, step_ms=1e3 * float(np.median(first["seconds"])))
    if first["snapshot"] is None:
        return replace(probe, reason=first["refused"] or "the FMU does not offer it")
    if not restore:
        return replace(probe, reason="not tried")
    second = _in_child(replace(task, snapshot=first["snapshot"]), timeout)
    if isinstance(second, _Failure):
        return replace(probe, reason=second.reason, decided=second.decided)
    expected, restored = np.array(first["outputs"]), np.array(second["outputs"])
    relative = np.abs(restored - expected) / np.maximum(np.abs(expected), 1e-6)
    difference = float(np.max(relative, initial=0.0))
    return replace(probe, restore="exact" if difference == 0 else "inexact", difference=difference)


def _in_child(task: _Task, timeout: float) -> dict[str, Any] | _Failure:
    """Run `_steps` in a new interpreter; return its findings, or what went wrong."""
    task.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="probe-", dir=task.cache) as folder:
        answer = Path(folder, "answer")
        Path(folder, "task").write_bytes(pickle.dumps((task, timeout)))
        command = [
            sys.executable,
            "-c",
            "import sys; from trivium.model.fmu.probe import child; child(sys.argv[1])",
            folder,
        ]
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                command,
                env=child_environment(PYTHONPATH=paths),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _Failure(f"no answer within {timeout:g} s", decided=False)
        if answer.exists():
            findings: dict[str, Any] | _Failure = pickle.loads(answer.read_bytes())  # noqa: S301 - our own process wrote it  # nosec B301
            return findings
        return _Failure(f"the process ended with {_ending(done.returncode)}", decided=False)


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def child(folder: str) -> None:
    """Do what a process of `probe` does: read the task of a folder and write the answer there."""
    task, timeout = pickle.loads(Path(folder, "task").read_bytes())  # noqa: S301 - our own process wrote it  # nosec B301
    signal.alarm(int(timeout) + 5)  # ends even if the caller is gone
    try:
        answer: dict[str, Any] | _Failure = _steps(task)
    except TriviumError as error:
        answer = _Failure(str(error), decided=True)
    written = Path(folder, "writing")
    written.write_bytes(pickle.dumps(answer))
    written.rename(Path(folder, "answer"))


def _steps(task: _Task) -> dict[str, Any]:
    model = make(task.setup, task.cache)
    step = task.step or model.experiment.step or DURATION
    start = model.experiment.start or 0.0
    values = np.array([task.inputs.get(v.name, v.start or 0.0) for v in model.inputs])
    snapshot, refused = None, ""
    if task.snapshot is None:
        model.initialize(start, values)
        model.step(step, values)
        if model.can_snapshot:
            try:
                snapshot = model.snapshot()
            except TriviumError as error:
                refused = str(error)
                model.initialize(start, values)
    else:
        model.restore(task.snapshot)
    outputs, seconds = zip(*(_timed(model, step, values) for _ in range(STEPS)), strict=True)
    model.close()
    return {"snapshot": snapshot, "refused": refused, "outputs": outputs, "seconds": seconds}


def _timed(model: Model, step: float, values: Any) -> tuple[list[float], float]:
    started = time.perf_counter()
    outputs = model.step(step, values).tolist()
    return outputs, time.perf_counter() - started
