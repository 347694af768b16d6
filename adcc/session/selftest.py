"""Can an FMU really save and restore its state? Its flags say what its maker meant; only trying tells.

The trial is made once for a test case, in a process that may die of it; its verdict is kept beside the unpacked FMU.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from adcc.errors import AdccError
from adcc.session.local import load_resources, open_testcase

#: How long the trial may take [s].
PATIENCE = 60.0
_YES, _NO = b"restores", b"does not restore"


def restores(resources: Path, state_dir: Path, engine: str) -> bool:
    """Tell whether the FMU of a test case survives being serialized and restored.

    Must be called in a process of one thread that holds no FMU yet.

    Parameters
    ----------
    resources : Path
        Folder of the test case, or its FMU.
    state_dir : Path
        Where FMUs are unpacked and the verdict is kept.
    engine : str
        What runs the FMU where the test case does not choose.

    Raises
    ------
    ResourcesError
        When the test case lacks something.
    """
    kept = state_dir / "fmu" / f"selftest-{load_resources(resources, engine).fingerprint[:32]}"
    with contextlib.suppress(OSError):
        return kept.read_bytes() == _YES
    verdict = _YES if _try(resources, state_dir, engine) else _NO
    with contextlib.suppress(OSError):  # then it is tried again
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")
        unfinished.write_bytes(verdict)
        unfinished.replace(kept)
    return verdict == _YES


def _try(resources: Path, state_dir: Path, engine: str) -> bool:
    """Make the trial in a child; a child that hangs is killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            signal.alarm(int(PATIENCE))  # its parent may be killed meanwhile
            os.dup2(writing, 3)
            os.closerange(4, 4096)  # locks and connections are the parent's
            os.write(3, _YES if _survives(resources, state_dir, engine) else _NO)
        os._exit(0)
    os.close(writing)
    readable, _, _ = select.select([reading], [], [], PATIENCE)
    said = os.read(reading, len(_NO)) if readable else b""
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return said == _YES


def _survives(resources: Path, state_dir: Path, engine: str) -> bool:
    case = open_testcase(resources, state_dir, engine)
    try:
        case.advance({})
        stored = case.state()
        case.advance({})
        case.restore(stored)
        case.advance({})
    except AdccError:  # what an FMU reports as an error is no danger to the process
        return True
    return True
