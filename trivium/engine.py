"""Dask distributed: an embedded cluster of this machine, or a scheduler by its address; or this process alone.

Tasks go in one by one and come back as they end, in any order. A task whose process dies comes back as lost; what to
do about it is the caller's decision.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Any

from trivium.errors import EngineError
from trivium.extras import require

#: Topic of reports that must arrive even if the process of the task ends immediately.
_TOPIC = "trivium"
#: Most reports that are kept.
_MOST_REPORTS = 10_000
#: Error for a script that starts processes when it is imported.
GUARD = (
    "processes cannot be started from a script that does its work when it is imported, because each process imports "
    'the script: put the work under if __name__ == "__main__":'
)


@dataclass(frozen=True)
class Ended:
    """A task that ended.

    Attributes
    ----------
    item : Any
        What was submitted.
    result : Any
        What it returned; None where it was lost or failed.
    lost : bool
        Whether its process died.
    returned : bool
        Whether it had returned before its process died, of another task, with the result.
    error : BaseException or None
        What it raised.
    """

    item: Any
    result: Any = None
    lost: bool = False
    returned: bool = False
    error: BaseException | None = None


class Engine:
    """Processes that run tasks.

    Parameters
    ----------
    scheduler : str, optional
        Address as ``tcp://host:8786``; default: processes of this machine.
    workers : int, optional
        How many processes of this machine; default: one a core.
    folder : str, optional
        For Dask's own files.

    Raises
    ------
    EngineError
        When there is no scheduler at the address, or no worker.
    MissingExtraError
    """

    def __init__(self, scheduler: str | None = None, workers: int | None = None, folder: str | None = None) -> None:
        dask, self._dask = require("dask", "sweep"), require("distributed", "sweep")
        settings = {
            # report a task whose process died to the caller at once instead of trying it on other workers
            "distributed.scheduler.allowed-failures": 0,
            "distributed.admin.tick.limit": "1h",
            "distributed.worker.memory.terminate": False,
            **({"temporary-directory": folder} if folder else {}),
        }
        self._cluster: Any = None
        with dask.config.set(settings):
            try:
                if scheduler is None:
                    with _sigint_blocked():
                        self._cluster = self._dask.LocalCluster(
                            n_workers=workers or cores(),
                            threads_per_worker=1,
                            dashboard_address="127.0.0.1:0",  # without one, a port is open to all networks
                            worker_dashboard_address="127.0.0.1:0",
                            silence_logs=logging.CRITICAL + 1,  # a report that meets a closed client is no fault
                        )
                self._client = self._dask.Client(self._cluster or scheduler, timeout="20s", direct_to_workers=True)
                if scheduler is not None:
                    self._client.wait_for_workers(1, timeout=20)
            except RuntimeError as error:  # raised where processes of this machine do not come up
                if self._cluster is not None:
                    self._cluster.close()
                raise EngineError(f"the processes that run tasks did not start ({error}); {GUARD}") from error
            except (OSError, TimeoutError) as error:
                if self._cluster is not None:
                    self._cluster.close()
                raise EngineError(f"there is no Dask scheduler with workers at {scheduler}: {error}") from error
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._flying: dict[str, tuple[Any, Any]] = {}
        self._reports: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._number = 0
        self._client.subscribe_topic(_TOPIC, self._receive)

    @property
    def workers(self) -> int:
        """Number of processes that run tasks now."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    @property
    def in_flight(self) -> int:
        """Number of tasks that were submitted and did not come back yet."""
        return len(self._flying)

    def submit(self, function: Callable[..., Any], item: Any, *arguments: Any) -> None:
        """Submit a task.

        Parameters
        ----------
        function : callable
        item : Any
            Comes back with the result.
        arguments : Any
            Of the function.
        """
        self._number += 1
        future = self._client.submit(function, *arguments, key=f"chunk-{self._number}", pure=False)
        self._flying[future.key] = (future, item)
        future.add_done_callback(lambda future: self._done.put((future, future.status)))

    def next(self, timeout: float) -> Ended | None:
        """Return a task that ended.

        Parameters
        ----------
        timeout : float
            How long to wait [s]; None is returned after it.

        Raises
        ------
        EngineError
            When the scheduler is gone.
        """
        try:
            future, status = self._done.get(timeout=timeout)
        except queue.Empty:
            if self._client.status not in ("running", "connecting"):
                raise EngineError("the Dask scheduler is gone") from None
            return None
        _, item = self._flying.pop(future.key)
        try:
            if future.status == "cancelled":
                raise EngineError("the Dask scheduler is gone, or its tasks were cancelled")
            # a result whose process dies before it is fetched is computed again, and may then be lost as well
            return Ended(item, future.result())
        except EngineError:
            raise
        except self._dask.KilledWorker as error:
            return Ended(item, lost=True, returned=status in ("finished", "lost"), error=error)
        except (CancelledError, self._dask.comm.CommClosedError) as error:
            raise EngineError("the Dask scheduler is gone") from error
        except Exception as error:  # what the task raised
            return Ended(item, error=error)
        finally:
            future.release()

    def reported(self, key: Any) -> Any:
        """Return the value that a task reported under a key, and forget it; None without one."""
        with self._lock:
            return self._reports.pop(key, None)

    def close(self) -> None:
        """End the processes of this machine."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _receive(self, event: tuple[float, Any]) -> None:
        _, message = event
        with self._lock:
            self._reports[message["key"]] = message["value"]
            if len(self._reports) > _MOST_REPORTS:
                self._reports.popitem(last=False)


class ThisProcess:
    """The calling process as an engine: a task runs when the next one that ends is asked for.

    It has the methods of `Engine`. Nothing can be stopped, and a task that kills its process kills this one.
    """

    workers = 1

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[..., Any], Any, tuple[Any, ...]]] = deque()
        self._reports: dict[Any, Any] = {}

    @property
    def in_flight(self) -> int:
        """Number of tasks that were submitted and did not come back yet."""
        return len(self._waiting)

    def submit(self, function: Callable[..., Any], item: Any, *arguments: Any) -> None:
        """Submit a task; see `Engine.submit`."""
        self._waiting.append((function, item, arguments))

    def next(self, _timeout: float) -> Ended | None:
        """Run a task and return how it ended."""
        function, item, arguments = self._waiting.popleft()
        _LOCAL.reports = self._reports
        try:
            return Ended(item, function(*arguments))
        except Exception as error:  # what the task raised
            return Ended(item, error=error)
        finally:
            del _LOCAL.reports

    def reported(self, key: Any) -> Any:
        """Return the value that a task reported under a key, and forget it; None without one."""
        return self._reports.pop(key, None)

    def close(self) -> None:
        """Forget the tasks that did not run."""
        self._waiting.clear()


#: The reports of tasks that run in this process.
_LOCAL = threading.local()


def reporter() -> Callable[[Any, Any], None]:
    """Return a function by which the calling task can report a value under a key, also from other threads."""
    reports: dict[Any, Any] | None = getattr(_LOCAL, "reports", None)
    if reports is not None:
        return reports.__setitem__
    from distributed import get_worker

    worker = get_worker()
    return lambda key, value: worker.log_event(_TOPIC, {"key": key, "value": value})


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


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
