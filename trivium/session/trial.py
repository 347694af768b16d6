"""Can an FMU really save and restore its state? Its flags show what its maker meant; only a trial shows what it does.

The trial is made once for a test case, in processes that may die of it; what it found is kept beside the unpacked FMU.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trivium.errors import TriviumError
from trivium.evaluation.testcase import TestCase
from trivium.session.frames import Block, pack, unpack
from trivium.session.process import die_with
from trivium.storage import replace_file

#: How long each half of the trial may take [s].
PATIENCE = 30.0
#: Over how many control steps a restored plant is compared with one that was not.
STEPS = 3


@dataclass(frozen=True)
class Trial:
    """What was found.

    Attributes
    ----------
    survives : bool
        Whether the process lives on after a restore.
    exact_here, exact_elsewhere : bool
        Whether a plant that is restored goes on bit by bit, in the process that saved it and in another one.
    decided : bool
        False when a process died or hung: that may be no property of the FMU, so the trial is repeated next time.
    """

    survives: bool
    exact_here: bool
    exact_elsewhere: bool
    decided: bool = True


def trial(case: TestCase, origin: str, state_dir: Path) -> Trial:
    """Return how the FMU of a test case takes being serialized and restored.

    Must be called in a process of one thread that has no instance of the FMU yet.

    Parameters
    ----------
    case : TestCase
        At its beginning; stays there.
    origin : str
        See `trivium.simulation.state.origin`.
    state_dir : Path
        Where FMUs are unpacked and the finding is kept.
    """
    path = state_dir / "fmu" / f"trial-{origin[:32]}"
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Trial(**json.loads(path.read_bytes()))
    outcome = _try(case)
    if outcome.decided:
        with contextlib.suppress(TriviumError):  # then it is tried again
            replace_file(path, json.dumps(asdict(outcome)).encode())
    return outcome


def _try(case: TestCase) -> Trial:
    saved = _in_child(lambda: _save(case))
    if saved is None:
        return Trial(survives=False, exact_here=False, exact_elsewhere=False, decided=False)
    _, blocks = unpack(saved)
    if not blocks:  # it reported an error, which is no danger to the process
        return Trial(survives=True, exact_here=False, exact_elsewhere=False)
    state, rows, expected, here = blocks
    elsewhere = _in_child(lambda: _restore(case, bytes(state), rows))
    survives = elsewhere is not None
    return Trial(survives, bytes(here) == bytes(expected), elsewhere == bytes(expected), decided=survives)


def _save(case: TestCase) -> bytes:
    """Save, go on, come back, go on again."""
    try:
        case.advance()
        state, rows = case.state(), case.history_rows().tobytes()
        expected = _go_on(case)
        case.set_state(state)
        return pack({}, [state, rows, expected, _go_on(case)])
    except TriviumError:
        return pack({})


def _restore(case: TestCase, state: bytes, rows: Block) -> bytes:
    try:
        case.set_history(np.frombuffer(rows).reshape(-1, len(case.stepper.history.columns)))
        case.set_state(state)
        return _go_on(case)
    except TriviumError:
        return b""


def _go_on(case: TestCase) -> bytes:
    before = len(case.stepper.history)
    for _ in range(STEPS):
        case.advance()
    return case.history_rows(before).tobytes()


def _in_child(work: Callable[[], bytes]) -> bytes | None:
    """Return what work returns in a child; None when the child dies of it or hangs."""
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            die_with(parent)
            signal.alarm(int(PATIENCE))
            data = memoryview(work())
            while data:
                data = data[os.write(writing, data) :]
            code = 0
        os._exit(code)
    os.close(writing)
    parts, readable = [], [reading]
    while readable:
        readable, _, _ = select.select([reading], [], [], PATIENCE)
        part = os.read(reading, 2**20) if readable else b""
        if not part:
            break
        parts.append(part)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        if not readable:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return b"".join(parts) if status == 0 else None
