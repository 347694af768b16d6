"""What an FMU says while it is called, kept for the error that may follow."""

from __future__ import annotations

import threading
from collections import deque

#: How many log messages an error carries at most.
MESSAGES = 20

# Each thread has its own messages: an FMU logs on the thread that called it.
_log = threading.local()


def messages() -> deque[str]:
    """Return the last messages on this thread."""
    kept: deque[str] | None = getattr(_log, "messages", None)
    if kept is None:
        kept = _log.messages = deque(maxlen=MESSAGES)
    return kept


def keep(status: int, message: bytes | None) -> None:
    """Keep a message of a status that is not OK."""
    if status != 0 and message is not None:
        messages().append(message.decode("utf-8", "replace").strip())
