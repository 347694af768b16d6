"""A Dask scheduler and workers as somebody would start them by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType


class DaskCluster:
    """Starts a scheduler and workers; all end with the block.

    Parameters
    ----------
    folder : Path
        Of their files; not used by another one.
    workers : int
    """

    def __init__(self, folder: Path, workers: int = 2) -> None:
        folder.mkdir()
        file = folder / "scheduler.json"
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        own = ["--no-dashboard", "--scheduler-file", str(file)]

        def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *arguments, *own]
            nothing = subprocess.DEVNULL
            return subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing, cwd=Path.cwd())

        self._file, self._start = file, start
        self._worker = ["--nthreads", "1", "--local-directory", str(folder), "--death-timeout", "300"]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._begin(workers, "0")

    def restart(self, workers: int = 2) -> None:
        """Kill the scheduler, and start another one at its address, with workers of its own."""
        self.scheduler.kill()
        self.scheduler.wait()
        self._file.unlink()
        self._begin(workers, self.address.rpartition(":")[2])

    def _begin(self, workers: int, port: str) -> None:
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        self._processes.append(self.scheduler)
        deadline = time.monotonic() + 300
        while not self._file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        self._processes += [self._start("worker", *self._worker) for _ in range(workers)]

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(300)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
