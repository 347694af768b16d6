"""The clock of one who waits for a host: by it, and not by what the host writes, a host is found out to be hung.

A process that was stopped (SIGSTOP, a frozen cgroup, a file system that does not answer) cannot record that it is busy.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from trivium.process import resident
from trivium.session.folder import Folder, Status

#: How often one who waits looks whether the host is well [s].
LOOK = 0.1
#: Waits until a socket can be read from or written to, by a ``select.POLL*``.
Ready = Callable[[int], None]


class HungError(Exception):
    """A host that hangs, or has grown beyond the limit.

    Parameters
    ----------
    why : str
        In words for the client.
    status : Status
        Its last.
    """

    def __init__(self, why: str, status: Status) -> None:
        super().__init__(why)
        self.status = status


class Watch:
    """Looks after a host while somebody waits for it.

    Parameters
    ----------
    folder : Folder
    patience : float
        How long a host may be without progress [s]; more for a long sub-step, see `Status`.
    memory : int
        Most memory that it may have [bytes].
    """

    def __init__(self, folder: Folder, patience: float, memory: int) -> None:
        self._folder, self._patience, self._memory = folder, patience, memory
        self._last: Status | None = None
        self._since = time.monotonic()

    def look(self) -> Status | None:
        """Return who serves the session now.

        Raises
        ------
        HungError
            When it has made no progress for too long, by its own account or since this watch began, or has grown too
            large.
        """
        status, now = self._folder.serving(), time.monotonic()
        if status != self._last:
            self._last, self._since = status, now
        if status is None:
            return None
        limit = self._patience + status.allowed
        still = now - (min(self._since, status.busy_since) if status.busy_since else self._since)
        if still > limit:
            raise HungError(f"the request took longer than {limit:g} s without progress and was ended", status)
        if resident(status.pid) > self._memory:
            raise HungError(f"the request needed more memory than {self._memory / 2**20:.0f} MiB and was ended", status)
        return status

    def ready(self, sock: socket.socket) -> Ready:
        """Return a function that waits for a socket to the host, and raises `HungError` as `look` does."""

        def wait(event: int) -> None:
            poll = select.poll()
            poll.register(sock, event)
            while not poll.poll(LOOK * 1e3):
                self.look()

        return wait
