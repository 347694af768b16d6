"""Dask distributed: an embedded cluster of this machine, or a scheduler by its address; or this process alone.

Tasks go in one by one and come back as they end, in any order. A task that is lost, whether its process died or the
scheduler with it, comes back as lost; what to do about it is the caller's decision.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from trivium.engine.cluster import GUARD, SETTINGS, Cluster, prefork
from trivium.errors import EngineError
from trivium.extras import require

__all__ = ["GUARD", "Ended", "Engine", "ThisProcess", "cores", "prefork", "reporter"]

#: Topic of reports that must arrive even if the process of the task ends immediately.
_TOPIC = "trivium"
#: Most reports that are kept.
_MOST_REPORTS = 10_000
#: How long a scheduler that goes in the middle of a study is waited for, and how long it may take to leave one [s].
_RETURN, _LEAVE = 60.0, 20.0
#: How long the result of a task that ended may take to arrive [s].
_FETCH = 300.0
#: How often the workers are looked after while a result is waited for [s].
_LOOK = 5.0


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
        Whether it was lost: its process died, or its scheduler.
    error : BaseException or None
        What it raised.
    """

    item: Any
    result: Any = None
    lost: bool = False
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
    wait : float
        How long a scheduler and its first worker are waited for [s].

    Raises
    ------
    EngineError
        When there is no scheduler at the address, or no worker.
    MissingExtraError
    """

    def __init__(
        self,
        scheduler: str | None = None,
        workers: int | None = None,
        folder: str | None = None,
        *,
        wait: float = 20.0,
    ) -> None:
        dask, self._dask = require("dask", "sweep"), require("distributed", "sweep")
        self._scheduler, self._wait = scheduler, wait
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._flying: dict[str, tuple[Any, Any]] = {}
        self._reports: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._fetchers = ThreadPoolExecutor(1, "results")
        self._number = 0
        self._cluster: Cluster | None = None
        self._client: Any = None
        with contextlib.ExitStack() as stack:
            stack.enter_context(dask.config.set({**SETTINGS, **({"temporary-directory": folder} if folder else {})}))
            if scheduler is None:
                self._cluster = Cluster(workers or cores())
                stack.callback(self._cluster.close)
            try:
                self._client = self._connected(wait=True)
            except (OSError, TimeoutError) as error:
                raise EngineError(f"there is no Dask scheduler with workers at {scheduler}: {error}") from error
            self._stack = stack.pop_all()

    @property
    def workers(self) -> int:
        """Number of processes that run tasks now; at least 1."""
        if self._cluster is not None:
            return max(1, self._cluster.workers)
        try:
            return max(1, len(self._client.scheduler_info(n_workers=-1).get("workers", ())))
        except (OSError, TimeoutError):
            return 1

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

        Raises
        ------
        EngineError
            When the scheduler is gone and does not come back.
        """
        self._look_after()
        self._number += 1
        future = self._client.submit(function, *arguments, key=f"chunk-{self._number}", pure=False)
        self._flying[future.key] = (future, item)
        future.add_done_callback(self._done.put)

    def next(self, timeout: float) -> Ended | None:
        """Return a task that ended.

        Parameters
        ----------
        timeout : float
            How long to wait [s]; None is returned after it.

        Raises
        ------
        EngineError
            When the scheduler is gone and does not come back, or no worker starts any more.
        """
        try:
            future = self._done.get(timeout=timeout)
        except queue.Empty:
            self._look_after()
            return None
        _, item = self._flying.pop(future.key, (None, None))
        if item is None:  # it came back as lost when the scheduler went
            return None
        try:
            # a result whose process dies before it is fetched is computed again, and may then be lost as well
            return Ended(item, self._fetched(future))
        except (self._dask.KilledWorker, CancelledError, self._dask.comm.CommClosedError, TimeoutError) as error:
            return Ended(item, lost=True, error=error)
        except Exception as error:  # what the task raised
            return Ended(item, error=error)
        finally:
            future.release()

    def _fetched(self, future: Any) -> Any:
        """Return the result of a task; its worker is looked after meanwhile.

        Raises
        ------
        TimeoutError
            When it does not arrive.
        CancelledError
            When its scheduler is gone; one that was started anew knows nothing of the task.
        BaseException
            What the task raised.
        """
        if future.client is self._client:
            fetching = self._fetchers.submit(future.result, timeout=_FETCH)
            while not wait((fetching,), _LOOK).done:
                self._look_after()
            if future.client is self._client and self._client.status == "running":
                return fetching.result()
        raise CancelledError(f"the scheduler of {future.key} is gone")

    def reported(self, key: Any) -> Any:
        """Return the value that a task reported under a key, and forget it; None without one."""
        with self._lock:
            return self._reports.pop(key, None)

    def close(self) -> None:
        """End the processes of this machine."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=_LEAVE)
        self._stack.close()
        self._fetchers.shutdown(wait=False)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def _connected(self, *, wait: bool) -> Any:
        """Return a client of the scheduler; where asked to, of one that has a worker.

        Raises
        ------
        OSError, TimeoutError
            When there is none.
        """
        address = self._scheduler if self._cluster is None else self._cluster.dask
        client = self._dask.Client(address, timeout=f"{self._wait}s", direct_to_workers=True)
        try:
            if wait and self._cluster is None:
                client.wait_for_workers(1, timeout=self._wait)
            client.subscribe_topic(_TOPIC, self._receive)
        except BaseException:
            client.close()
            raise
        return client

    def _look_after(self) -> None:
        """Replace workers that stay away; connect again with a scheduler that was started anew."""
        if self._cluster is not None:
            self._cluster.watch()
        if self._client.status == "running":
            return
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=1)
        deadline = time.monotonic() + _RETURN
        while True:
            try:
                self._client = self._connected(wait=False)
                break
            except (OSError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise EngineError(f"the Dask scheduler is gone ({error})") from error
                time.sleep(1.0)
        for future, _ in self._flying.values():
            self._done.put(future)  # of the old client, which cancelled it

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


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
