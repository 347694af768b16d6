"""What an FMU says while it is called, kept for the error that may follow."""

from __future__ import annotations

import threading
from collections import deque

#: How many log messages an error carries at most.
MESSAGES = 20


class _Log(threading.local):
    """Each thread has its own messages: an FMU logs on the thread that called it."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque(maxlen=MESSAGES)


#: The last messages on this thread.
LOG = _Log()


def keep(status: int, message: bytes | None) -> None:
    """Keep a message of a status that is not OK."""
    if status != 0 and message is not None:
        LOG.messages.append(message.decode("utf-8", "replace").strip())
