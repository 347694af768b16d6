"""How processes of jobs start: the next one waits for its job and has loaded by then what jobs need."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

log = logging.getLogger("trivium.jobs.worker")

#: Time after the start of a process in which none is made to wait: that one needs the processor [s].
_CALM = 5.0


class _Waiting(NamedTuple):
    """A process without a job, and what it writes to: a file that has no name yet."""

    process: subprocess.Popen[bytes]
    log: int


class Launcher:
    """Starts processes of jobs, each the leader of a process group of its own; stdin is its lifeline.

    Parameters
    ----------
    child : sequence of str
        What Python is to run.
    environment : Mapping[str, str]
    folder : Path
        That of the folders of jobs.
    ahead : bool
        Whether a process waits for the next job.
    """

    def __init__(self, child: Sequence[str], environment: Mapping[str, str], folder: Path, *, ahead: bool) -> None:
        self._child, self._environment, self._folder = child, environment, folder
        self._ahead = ahead
        self._waiting: _Waiting | None = None
        self._started = time.monotonic()

    def start(self, words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
        """Have a process run a job.

        Parameters
        ----------
        words : sequence of str
            The first line of its lifeline; see `trivium.jobs.child`.
        folder : Path
            Of the job; what the process prints is appended to ``log.txt`` there.

        Raises
        ------
        OSError
            When it cannot be started.
        """
        self._started = time.monotonic()
        process = self._take(folder / "log.txt")
        if process is None:
            with (folder / "log.txt").open("ab") as file:
                process = self._begin(file)
        lifeline = process.stdin.fileno()  # type: ignore[union-attr]  # it is a pipe
        os.set_blocking(lifeline, False)
        with contextlib.suppress(OSError):  # it has ended, which its worker sees
            os.write(lifeline, " ".join(words).encode() + b"\n")
        return process

    def look(self) -> None:
        """Have a process wait for the next job, unless one does or one started just now."""
        if self._waiting is not None and self._waiting.process.poll() is not None:
            log.warning("the process that waited for a job ended with %d", self._waiting.process.returncode)
            self._started = time.monotonic()
            self.close()
        if self._waiting is not None or not self._ahead or time.monotonic() - self._started < _CALM:
            return
        try:
            file = os.open(self._folder, os.O_TMPFILE | os.O_WRONLY | os.O_APPEND, 0o600)
            self._waiting = _Waiting(self._begin(file), file)
        except OSError as error:
            log.warning("no process waits for the next job: %s", error)
            self._ahead = False

    def close(self) -> None:
        """End the process that waits."""
        if self._waiting is not None:
            process, file = self._waiting
            self._waiting = None
            os.close(file)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdin.close()  # type: ignore[union-attr]

    def _take(self, path: Path) -> subprocess.Popen[bytes] | None:
        """Return the process that waits, and give its log a name; None where there is none, or another has the name."""
        if self._waiting is None:
            return None
        process, file = self._waiting
        try:
            # with a folder given it is `linkat`, which follows the link that stands for the file
            os.link(f"/proc/self/fd/{file}", path, src_dir_fd=file, follow_symlinks=True)
        except OSError:  # an earlier attempt of the job wrote a log
            return None
        os.close(file)
        self._waiting = None
        return process

    def _begin(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603, arguments are ours
            [sys.executable, *self._child],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
            bufsize=0,
        )
