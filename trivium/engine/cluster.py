"""A Dask cluster of this machine whose workers are replaced when they stay away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from typing import Any

from trivium.errors import EngineError
from trivium.extras import require
from trivium.process import end_process, is_stopped, process_start

log = logging.getLogger(__name__)

#: Error for a script that starts processes when it is imported.
GUARD = (
    "processes cannot be started from a script that does its work when it is imported, because each process imports "
    'the script: put the work under if __name__ == "__main__":'
)
#: Dask's settings, for as long as there is a cluster: it reads some of them when a worker goes or comes.
SETTINGS: dict[str, Any] = {
    # workers come from a process that has imported once what each of them needs; see `prefork`
    "distributed.worker.multiprocessing-method": "forkserver",
    # report a task whose process died to the caller at once instead of trying it on other workers
    "distributed.scheduler.allowed-failures": 0,
    # a worker has the task that it runs and no other, which would be lost with it
    "distributed.scheduler.worker-saturation": 1.0,
    # Dask would give a worker up for good that is not back in time; `Cluster` replaces it
    "distributed.deploy.lost-worker-timeout": "1000 days",
    # a worker is ended when it sent nothing for so long; less might end one whose native code holds the interpreter
    "distributed.scheduler.worker-ttl": "1 minute",
    "distributed.admin.tick.limit": "1h",
    # an FMU that leaks is no reason to wait for memory that nobody will free
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
}
#: How long a worker may be away before it is replaced, first and at most [s]: it doubles while none comes.
_AWAY, _MOST_AWAY = 20.0, 300.0
#: How often workers are replaced in vain before the cluster is given up.
_ATTEMPTS = 6
#: How long a worker may be stopped by a signal before it is ended [s].
_STOPPED = 20.0
#: How long a worker may take to end [s].
_ENDING = 15.0


def prefork(*modules: str) -> None:
    """Start the process that workers of this machine are forked from, unless there is one, and do not wait for it.

    Parameters
    ----------
    modules : str
        What it imports.
    """
    dask, distributed = require("dask", "sweep"), require("distributed", "sweep")
    with dask.config.set(SETTINGS):
        context = distributed.utils.get_mp_context()  # the first time it sets a list of modules of its own
    context.set_forkserver_preload(["distributed", *modules])
    with _sigint_blocked():
        forkserver.ensure_running()


class Cluster:
    """Worker processes of this machine, and their scheduler.

    Parameters
    ----------
    workers : int

    Raises
    ------
    EngineError
        When the processes do not start.
    """

    def __init__(self, workers: int) -> None:
        dask = require("distributed", "sweep")
        prefork()
        try:
            with _sigint_blocked():
                self.dask = dask.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",  # without one, a port is open to all networks
                    worker_dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL + 1,  # a report that meets a closed client is no fault
                )
        except RuntimeError as error:
            raise EngineError(f"the processes that run tasks did not start ({error}); {GUARD}") from error
        self._size = workers
        self._away = _AWAY
        self._attempts = 0
        self._since: float | None = None
        self._replacing: threading.Thread | None = None
        self._stopped: dict[int, float] = {}  # workers that are stopped: since when

    @property
    def workers(self) -> int:
        """Number of workers that are there now."""
        return len(self.dask.scheduler.workers)

    def watch(self) -> None:
        """Replace workers that have been away or stopped for too long; to be called now and then.

        Raises
        ------
        EngineError
            When they were replaced several times, and none came.
        """
        self._end_stopped()
        if self.workers >= self._size:
            self._since, self._away, self._attempts = None, _AWAY, 0
            return
        now = time.monotonic()
        if self._since is None or (self._replacing is not None and self._replacing.is_alive()):
            self._since = now
        elif now - self._since > self._away:
            if self._attempts == _ATTEMPTS and not self.workers:
                raise EngineError(f"no worker process starts, though it was tried {_ATTEMPTS} times")
            self._attempts = min(self._attempts + 1, _ATTEMPTS)
            self._since, self._away = now, min(2 * self._away, _MOST_AWAY)
            self._replacing = threading.Thread(target=self._replace, name="workers", daemon=True)
            self._replacing.start()

    def close(self) -> None:
        """End the processes, also those that do not end when asked to."""
        processes = [(nanny.pid, process_start(nanny.pid)) for nanny in self.dask.workers.values() if nanny.pid]
        with contextlib.suppress(Exception):  # Dask cannot close what it lost
            self.dask.close(timeout=2 * _ENDING)
        for pid, started in processes:
            if started and process_start(pid) == started:
                os.kill(pid, signal.SIGKILL)

    def _end_stopped(self) -> None:
        """End workers that were stopped; their tasks are lost then, and they are started anew."""
        now = time.monotonic()
        stopped = [nanny.pid for nanny in list(self.dask.workers.values()) if nanny.pid and is_stopped(nanny.pid)]
        self._stopped = {pid: self._stopped.get(pid, now) for pid in stopped}
        for pid, since in self._stopped.items():
            if now - since > _STOPPED:
                log.warning("a process that runs tasks (%d) has been stopped for %d s; it is ended", pid, now - since)
                end_process(pid, process_start(pid), patience=0.0)

    def _replace(self) -> None:
        with contextlib.suppress(Exception):  # those that are still away are replaced the next time
            self.dask.sync(self._replaced)

    async def _replaced(self) -> None:
        present = {worker.name for worker in self.dask.scheduler.workers.values()}
        for name in [name for name in self.dask.workers if name not in present]:
            nanny = self.dask.workers.pop(name)
            pid = nanny.pid or 0
            started = process_start(pid)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(nanny.close(timeout=_ENDING / 3), _ENDING)
            if started and process_start(pid) == started:
                os.kill(pid, signal.SIGKILL)
        await self.dask  # starts what is missing


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block Ctrl-C, which a terminal sends to all of its processes, in threads that start here and their processes.

    The threads of Dask that start workers begin here, so workers that replace dead ones do not receive it either.
    This process receives it afterwards and ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    with contextlib.suppress(OSError):
        resource_tracker.ensure_running()  # Python 3.11 unblocks Ctrl-C in the thread that starts it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
