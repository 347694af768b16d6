"""Is the plant alive? Only a real step shows it: an FMU may load and describe itself, and fail when it is stepped."""

from __future__ import annotations

import os
import pickle
import time

import numpy as np

from trivium.errors import ModelError, TriviumError
from trivium.evaluation.testcase import TestCase
from trivium.process import in_child
from trivium.session.proxy import SelfCheck

#: How long it may take [s].
PATIENCE = 30.0


def self_check(case: TestCase) -> SelfCheck:
    """Step a twin of a test case from its start, twice over the same interval with a restore between.

    It happens in a process of its own, so that whatever the FMU does, the session stays as it is.

    Parameters
    ----------
    case : TestCase

    Raises
    ------
    ModelError
        When the model fails, or its process does not survive it.
    Exception
        When the step fails otherwise.
    """
    # a process that an FMU with threads is forked into would lack them
    apart = _threads() > 1
    try:
        outcome = pickle.loads(in_child(lambda: _outcome(case, apart=apart), PATIENCE))  # noqa: S301 - our own process  # nosec B301
    except ChildProcessError as error:
        raise ModelError(f"a copy of the model does not survive a step: {error}") from error
    if isinstance(outcome, Exception):
        raise outcome
    assert isinstance(outcome, SelfCheck)  # noqa: S101 - there is nothing else
    return outcome


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _outcome(case: TestCase, *, apart: bool) -> bytes:
    try:
        return pickle.dumps(_stepped(case, apart=apart))
    except TriviumError as error:  # not all of them can be pickled
        return pickle.dumps(ModelError(str(error)))
    except Exception as error:
        return pickle.dumps(error)


def _stepped(case: TestCase, *, apart: bool) -> SelfCheck:
    started = time.perf_counter()
    twin = case.twin(apart=apart)
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
