"""Run a case and die at a write of its record: ``python -m tests.unit.coupling.killed <folder> <write> <where>``."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from tests.unit.coupling.cases import run
from trivium.coupling import evaluation
from trivium.coupling.record import Record


def main(folder: Path, write: int, where: str) -> None:
    """Die before, in or after the write of this number, from 1."""
    evaluation._DEAR = -1.0  # every evaluation is a write of its own
    real = Record._transaction
    count = 0

    def die(here: str) -> None:
        if (count, where) == (write, here):
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def transaction(self):
        nonlocal count
        count += 1
        die("before")
        with real(self):
            yield
            die("in")
        die("after")

    Record._transaction = transaction
    run(folder, json.loads((folder / "case.json").read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
