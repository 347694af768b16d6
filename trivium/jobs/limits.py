"""What a job may take: time, memory and disk, as the settings say."""

from __future__ import annotations

import time
from pathlib import Path

from trivium.process import session_memory
from trivium.settings import Settings
from trivium.space import Sizes

#: Time between two looks at a job [s].
_LOOK = 1.0


class Limits:
    """Limits of the jobs of a worker.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._time, self._memory = settings.job_time, settings.job_memory * 2**20
        self._disk = settings.job_disk * 2**20
        self._sizes = Sizes()
        self._looked: dict[int, float] = {}

    def excess(self, pid: int, folder: Path, started: float) -> str:
        """Return in a sentence what a job takes beyond its limits; empty while it does not.

        Parameters
        ----------
        pid : int
            Leader of the session of all its processes.
        folder : Path
        started : float
            When its process was started [s, monotonic].
        """
        now = time.monotonic()
        if now - self._looked.get(pid, 0.0) < _LOOK:
            return ""
        self._looked[pid] = now
        if self._time and now - started > self._time:
            return f"it took longer than {self._time} s, as long as a job may (TRIVIUM_JOB_TIME)"
        if self._memory and session_memory(pid) > self._memory:
            return f"it needed more memory than {self._memory >> 20} MiB, as much as a job may (TRIVIUM_JOB_MEMORY)"
        if self._disk and self._sizes.of(str(folder), lambda: [folder]) > self._disk:
            return f"it stored more than {self._disk >> 20} MiB, as much as a job may (TRIVIUM_JOB_DISK)"
        return ""

    def forget(self, pid: int) -> None:
        """Forget a process that ended: its number may be another one's soon."""
        self._looked.pop(pid, None)
