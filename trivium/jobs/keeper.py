"""Keeps a worker alive: `trivium worker`. It does nothing else, and so has nothing to die of.

``python -m trivium.jobs.keeper <parent>`` does so for a server, which gives it the settings as its environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from trivium.environment import ROOT, child_environment
from trivium.errors import SettingsError, TriviumError
from trivium.jobs.store import Store
from trivium.session.process import die_with
from trivium.settings import Settings

#: Time before a worker that died is replaced [s].
_PAUSE = 1.0


class Keeper:
    """Starts a worker, and another one when it dies, until it is told to stop.

    Parameters
    ----------
    settings : Settings
        Of the worker.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = child_environment(**settings.environment(), PYTHONPATH=str(ROOT))
        self._stopping = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None

    def stop(self, *_: object) -> None:
        """End the worker and then `run`."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.terminate()

    def run(self) -> None:
        """Keep a worker running."""
        command = [sys.executable, "-m", "trivium.jobs.worker", str(os.getpid())]
        while not self._stopping.is_set():
            self._worker = subprocess.Popen(command, env=self._environment)  # noqa: S603, ours
            if self._stopping.is_set():  # while it was started
                self._worker.terminate()
            code = self._worker.wait()
            if code == 0:
                break
            time.sleep(_PAUSE)


def keep(settings: Settings, parent: int | None = None) -> None:
    """Keep a worker running until SIGTERM or SIGINT.

    Parameters
    ----------
    settings : Settings
    parent : int, optional
        The process whose end ends this one.

    Raises
    ------
    TriviumError
        When the settings do not let a worker work.
    """
    if parent is not None:
        die_with(parent)
    if not settings.worker_jobs:
        raise SettingsError("TRIVIUM_WORKER_JOBS is 0: a worker would run nothing")
    Store(settings).close()
    keeper = Keeper(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, keeper.stop)
    keeper.run()


if __name__ == "__main__":
    try:
        keep(Settings(), int(sys.argv[1]))
    except TriviumError:
        sys.exit(1)  # the server gives the reason
