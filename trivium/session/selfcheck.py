"""Is the plant alive? Only a real step shows it: an FMU may load and describe itself, and fail when it is stepped."""

from __future__ import annotations

import time

import numpy as np

from trivium.errors import ModelError
from trivium.evaluation.testcase import TestCase
from trivium.model.fmu.fmu_model import FmuModel
from trivium.model.fmu.probe import probe
from trivium.session.proxy import SelfCheck


def self_check(case: TestCase) -> SelfCheck:
    """Step a twin of a test case from its start, twice over the same interval with a restore between.

    Where the FMU allows one instance a process it is stepped in a process of its own, with its inputs at their start
    values.

    Parameters
    ----------
    case : TestCase
        Stays as it is.

    Raises
    ------
    ModelError
        When the model fails.
    TriviumError
        When the step fails otherwise.
    """
    started = time.perf_counter()
    model = case.stepper.model
    if isinstance(model, FmuModel) and model.description.one_instance:
        findings = probe(model.setup, model.description.directory.parent)
        if findings.error:
            raise ModelError(findings.error)
        restore = "none" if findings.restore == "impossible" else findings.restore
        return SelfCheck(findings.steps, time.perf_counter() - started, restore, findings.difference)
    twin = case.twin()
    try:
        start = twin.time
        twin.advance()
        duration = twin.time - start
        model = twin.stepper.model
        if not model.can_snapshot:
            return SelfCheck(1, time.perf_counter() - started, "none", 0.0)
        before = model.snapshot()
        inputs = twin.stepper.last_inputs()
        first = model.step(duration, inputs)
        model.restore(before)
        second = model.step(duration, inputs)
    finally:
        twin.close()
    difference = float(np.max(np.abs(second - first) / np.maximum(np.abs(first), 1e-6), initial=0.0))
    return SelfCheck(3, time.perf_counter() - started, "exact" if difference == 0 else "inexact", difference)
