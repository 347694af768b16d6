"""A kind of job for tests, and a worker that knows it.

``python -m tests.job_kinds worker <parent>`` is a worker; it starts ``python -m tests.job_kinds child`` for a job.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from trivium import entry_points
from trivium.jobs.child import leave
from trivium.jobs.kinds import Kind
from trivium.jobs.worker import work
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings


class Spec(BaseModel):
    """How many steps, of which length [s]; what goes wrong; before which steps the job waits for a file `open-<step>`."""

    steps: int = 20
    pause: float = 0.05
    wrong: Literal["", "raise", "die", "hang", "deaf", "outside", "diverge", "greedy", "fills"] = ""
    gates: list[int] = []


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Count, keeping each number on disk before the next; who counts stands beside it."""
    trace = recorder.folder / "trace"
    done = len(trace.read_text().splitlines()) if trace.exists() else 0
    helper = subprocess.Popen(["sleep", "600"])
    with (recorder.folder / "pids").open("a") as file:
        file.write(f"{os.getpid()} {helper.pid}\n")
    if spec.wrong == "die":
        os.abort()
    sys.stdout.write(f"counting from {done}\n")
    for k in range(done, spec.steps):
        while k in spec.gates and not (recorder.folder / f"open-{k}").exists():
            time.sleep(0.02)
        time.sleep(spec.pause)
        with trace.open("a") as file:
            file.write(f"{k} {os.getpid()} {time.monotonic()}\n")
            file.flush()
        recorder.progress(f"Iteration {k + 1} completed", (k + 1) / spec.steps, iterations_run=k + 1)
        if k == 2:
            go_wrong(spec.wrong)
    (recorder.folder / "answer.txt").write_text(str(sum(range(spec.steps))))
    if spec.wrong == "diverge":
        return Outcome({}, {}, "diverged", "it did not converge")
    path = "/etc/passwd" if spec.wrong == "outside" else recorder.folder / "answer.txt"
    return Outcome({"answer.txt": path, "deep/er": path}, {"sum": sum(range(spec.steps))})


def go_wrong(how: str) -> None:
    """Fail as some run might."""
    if how == "raise":
        raise ZeroDivisionError("by nothing")
    if how == "hang":
        time.sleep(600)
    if how == "greedy":  # in a process that it starts
        subprocess.run([sys.executable, "-c", f"import time; x = b'x' * {300 * 2**20}; time.sleep(600)"], check=False)
    if how == "fills":
        Path("filler").write_bytes(bytes(50 * 2**20))
        time.sleep(600)
    if how == "deaf":  # in native code that holds the interpreter: neither signals nor threads get a turn
        ctypes.PyDLL(None).sleep(600)


KIND = Kind("Count.", Spec, run, {})
entry_points._points("trivium.jobs")["count"] = EntryPoint("count", "tests.job_kinds:KIND", "trivium.jobs")

if __name__ == "__main__":
    if sys.argv[1] == "child":
        leave()
    work(Settings(), int(sys.argv[2]), "-m", "tests.job_kinds", "child")
