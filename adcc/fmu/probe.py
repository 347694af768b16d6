"""Try an FMU with an engine, in processes of their own: a crash of the FMU is a finding, not the end.

What an FMU's flags say about its state does not count: some hang, crash or go on differently after a restore. So one
process steps it, saves its state and steps on; a second one restores that state and takes the same steps.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from adcc.core.model import Model, Snapshot
from adcc.core.numbers import INTERVAL
from adcc.core.resources import Resources
from adcc.errors import AdccError

#: Steps that both processes take after the snapshot.
STEPS = 2


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
    """

    engine: str
    interface: str
    steps: int = 0
    step_ms: float = 0.0
    restore: str = "impossible"
    difference: float = 0.0
    reason: str = ""
    error: str = ""


def probe(resources: Resources, cache: Path, inputs: Mapping[str, float] | None = None, timeout: float = 60.0) -> Probe:
    """Try the FMU of a test case with its engine and interface.

    Parameters
    ----------
    resources : Resources
        Both ``engine`` and ``interface`` must be chosen.
    cache : Path
        Where FMUs are unpacked.
    inputs : Mapping[str, float], optional
        Values of inputs; the others have their start values.
    timeout : float
        Longest time for each of the two processes [s].

    Returns
    -------
    Probe
        Never raises for what the FMU does.
    """
    found = Probe(resources.engine, resources.interface or "cs")
    first = _in_child(resources, cache, dict(inputs or {}), None, timeout)
    if isinstance(first, str):
        return replace(found, error=first)
    found = replace(found, steps=1 + STEPS, step_ms=1e3 * float(np.median(first["seconds"])))
    if first["snapshot"] is None:
        return replace(found, reason=first["refused"] or "the FMU does not offer it")
    second = _in_child(resources, cache, dict(inputs or {}), first["snapshot"], timeout)
    if isinstance(second, str):
        return replace(found, reason=second)
    one, other = np.array(first["outputs"]), np.array(second["outputs"])
    difference = float(np.max(np.abs(other - one) / np.maximum(np.abs(one), 1e-6), initial=0.0))
    return replace(found, restore="exact" if difference == 0 else "inexact", difference=difference)


def _in_child(
    resources: Resources, cache: Path, inputs: dict[str, float], snapshot: Snapshot | None, timeout: float
) -> dict[str, Any] | str:
    """Run `_steps` in a new process; return its findings, or what went wrong."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, resources, cache, inputs, snapshot), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(timeout):
            return f"no answer within {timeout:g} s"
        findings: dict[str, Any] | str = ours.recv()
        return findings
    except EOFError:
        child.join(5)
        return f"the process ended with {_ending(child.exitcode)}"
    finally:
        child.kill()
        child.join()
        ours.close()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _child(pipe: Connection, *arguments: Any) -> None:
    try:
        pipe.send(_steps(*arguments))
    except AdccError as error:
        pipe.send(str(error))


def _steps(resources: Resources, cache: Path, inputs: dict[str, float], snapshot: Snapshot | None) -> dict[str, Any]:
    from adcc.fmu.registry import open_model

    model = open_model(resources, cache)
    values = np.array([inputs.get(v.name, v.start or 0.0) for v in model.inputs])
    taken, refused = None, ""
    if snapshot is None:
        model.initialize(0.0, values)
        model.step(INTERVAL, values)
        if model.can_snapshot:
            try:
                taken = model.snapshot()
            except AdccError as error:
                refused = str(error)
                model.initialize(0.0, values)
    else:
        model.restore(snapshot)
    outputs, seconds = zip(*(_timed(model, values) for _ in range(STEPS)), strict=True)
    model.close()
    return {"snapshot": taken, "refused": refused, "outputs": outputs, "seconds": seconds}


def _timed(model: Model, values: Any) -> tuple[list[float], float]:
    started = time.perf_counter()
    outputs = model.step(INTERVAL, values).tolist()
    return outputs, time.perf_counter() - started
