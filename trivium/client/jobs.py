"""Jobs at a server: submitted, watched, cancelled, their results fetched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from trivium.client.connection import Connections, Response
from trivium.errors import JobError, NotFoundError

#: First and longest pause between two questions how far a job is [s].
_PAUSES = (0.1, 2.0)
#: Bytes of a file that are fetched at a time.
_BLOCK = 16 * 2**20
_ENDED = ("Success", "Error", "Cancelled")


class Job:
    """A job at a server; made by `Client.submit` and `Client.job`.

    Parameters
    ----------
    connections : Connections
    task_id : str

    Attributes
    ----------
    task_id : str
    """

    def __init__(self, connections: Connections, task_id: str) -> None:
        self._connections, self.task_id = connections, task_id

    def __repr__(self) -> str:
        return f"Job({self.task_id} at {self._connections.url})"

    def status(self) -> dict[str, Any]:
        """Return how far it is: ``status``, ``message``, ``progress``, ``counts``, ``error`` and more.

        Raises
        ------
        NotFoundError
            When there is no such job.
        """
        return dict(self._get("status").json())

    def wait(
        self, progress: Callable[[dict[str, Any]], object] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Wait until the job has ended, and return its status.

        Parameters
        ----------
        progress : callable, optional
            Called with the status whenever that has changed.
        timeout : float, optional
            How long to wait [s]; default: as long as it takes.

        Raises
        ------
        JobError
            When the job ended with an error or was cancelled; it says why.
        TimeoutError
            When it has not ended by then; it goes on.
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        pause, reported = _PAUSES[0], None
        while True:
            status = self.status()
            if progress is not None and status != reported:
                progress(status)
                reported = status
            if status["status"] in _ENDED:
                break
            if time.monotonic() + pause > deadline:
                raise TimeoutError(f"the job {self.task_id} has not ended within {timeout:g} s: {status['message']}")
            time.sleep(pause)
            pause = min(2.0 * pause, _PAUSES[1])
        if status["status"] != "Success":
            raise JobError(f"the job {self.task_id}: {status['error'] or status['message']}")
        return status

    def cancel(self) -> dict[str, Any]:
        """End the job; one that has ended stays as it is. Return its status."""
        path = f"/api/run/cancel/{quote(self.task_id, safe='')}"
        return dict(self._connections.request("POST", path, {}).json())

    def log(self) -> str:
        """Return what the job wrote."""
        return str(self._get("logs").body, "utf-8", "replace")

    def results(self) -> dict[str, Any]:
        """Return the figures of the job's end."""
        return dict(self._get("results").json()["payload"]["results"])

    def files(self) -> dict[str, int | None]:
        """Return the result files, and how long they are [bytes]; None for one that is not there any more."""
        return dict(self._get("results").json()["payload"]["files"])

    def download(self, name: str, path: Path | str) -> Path:
        """Fetch a result file, a block at a time.

        Parameters
        ----------
        name : str
            One of `files`.
        path : path
            Where to write it; a folder, which is made, takes the file's own name.

        Raises
        ------
        NotFoundError
            When there is no such file.
        """
        size = self.files().get(name)
        if size is None:
            raise NotFoundError(f"The job {self.task_id} has no result file {name}.")
        target = Path(path)
        if target.is_dir():
            target = target / name.rpartition("/")[2]
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.unfinished")
        try:
            with unfinished.open("wb") as file:
                for block in self._blocks(name, size):
                    file.write(block)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return target

    def runs(
        self,
        select: Mapping[str, float | tuple[float, float] | Sequence[float]] | None = None,
        variables: Sequence[str] = (),
        *,
        case: str = "",
        failed: bool = False,
        limit: int = 1000,
        offset: int = 0,
    ) -> dict[str, Any]:
        """Return some runs of a sweep.

        Parameters
        ----------
        select : Mapping, optional
            By parameter or metric: a value, a list of values, or a pair of ends.
        variables : sequence of str
            Whose trajectories are wanted.
        case : str
            Of a study with several cases: the name of one.
        failed : bool
            Whether runs are chosen that failed, in place of those that are done.
        limit, offset : int
            How many runs at most, and how many to pass over first.

        Returns
        -------
        dict
            ``total``, ``run``, ``parameters`` and ``metrics`` (columns by name), with variables also ``time`` and
            ``trajectories`` [run, time]; of failed runs ``reasons`` too.

        Raises
        ------
        InvalidValueError
            Naming what there is not.
        """
        query: list[tuple[str, object]] = [("limit", limit), ("offset", offset)]
        query += [("select", f"{name}={_written(value)}") for name, value in (select or {}).items()]
        query += [("variable", name) for name in variables]
        query += [("failed", "true")] if failed else []
        query += [("case", case)] if case else []
        return dict(self._get("results", f"/selection?{urlencode(query)}").json()["payload"])

    def _get(self, part: str, query: str = "", **headers: str) -> Response:
        path = f"/api/run/{part}/{quote(self.task_id, safe='')}{query}"
        return self._connections.request("GET", path, headers=headers)

    def _blocks(self, name: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, _BLOCK):
            end = min(start + _BLOCK, size) - 1
            yield self._get("results", f"/{quote(name)}", Range=f"bytes={start}-{end}").body


def _written(value: float | tuple[float, float] | Sequence[float]) -> str:
    """Return a choice as the server reads it."""
    if isinstance(value, tuple):
        low, high = value
        return f"{float(low)!r}:{float(high)!r}"
    if isinstance(value, Sequence):
        return ",".join(repr(float(number)) for number in value)
    return repr(float(value))
