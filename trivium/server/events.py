"""Server-sent events of a job: the reply of ``GET /api/run/status``, sent whenever it changes.

A stream holds a thread of the web worker that does nothing else, and none is longer than `LONGEST`: browsers'
``EventSource`` connects again by itself, and sends the id of the last event that it got, so that it does not get the
same event twice.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response

from trivium.errors import BusyError, TriviumError
from trivium.jobs.record import Job

#: Most streams of a web worker.
MOST = 64
#: Longest time of a stream; between two comments that keep the connection; between two looks at the job [s].
LONGEST, HEARTBEAT, LOOK = 300.0, 10.0, 0.5
#: When to come again: after a stream ended, and where there is no room for one [s].
_RETRY, _RETRY_AFTER = 2, 5


class Streams:
    """The streams of a web worker.

    Parameters
    ----------
    most : int
        How many there may be; less than its threads for streams, so that one more is refused and does not wait.
    """

    def __init__(self, most: int = MOST - 1) -> None:
        self._most = most
        self._room = threading.Semaphore(most)

    def open(self, look: Callable[[], Job], body: Callable[[Job], dict[str, Any]], last: str | None) -> Response:
        """Return a stream; or 204, which ends it for good, where the client has the last event already.

        Parameters
        ----------
        look : callable
            Returns the job as it is now.
        body : callable
            Returns the status of a job, as it is sent.
        last : str or None
            Id of the last event that the client got.

        Raises
        ------
        BusyError
            When there are as many streams as may be.
        NotFoundError, StoreError
            When the job cannot be looked at.
        """
        job = look()
        if job.state.ended and _id(body(job)) == last:
            return Response(status=204)
        return self.send(_events(look, body, last))

    def send(self, events: Iterator[bytes]) -> Response:
        """Return a stream of events.

        Raises
        ------
        BusyError
            When there are as many streams as may be.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError(
                f"{self._most} streams of events are open already, as many as there may be; ask "
                "GET /api/run/status, or come again later.",
                _RETRY_AFTER,
                1,
            )
        response = Response(events, content_type="text/event-stream; charset=utf-8")
        response.headers["X-Accel-Buffering"] = "no"  # a proxy is to hand on each event at once
        response.call_on_close(self._room.release)
        return response


def _events(look: Callable[[], Job], body: Callable[[Job], dict[str, Any]], last: str | None) -> Iterator[bytes]:
    end = time.monotonic() + LONGEST
    yield b"retry: %d\n\n" % (1000 * _RETRY)
    sent = time.monotonic()
    while time.monotonic() < end:
        try:
            job = look()
        except TriviumError:  # the client connects again, and gets the error then
            return
        status = body(job)
        if (name := _id(status)) != last:
            last, sent = name, time.monotonic()
            kind = b"end" if job.state.ended else b"progress"
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (name.encode(), kind, orjson.dumps(status))
        if job.state.ended:
            return
        if time.monotonic() - sent >= HEARTBEAT:
            sent = time.monotonic()
            yield b": still here\n\n"
        time.sleep(LOOK)


def _id(status: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(status)).hexdigest()[:16]
