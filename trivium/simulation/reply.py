"""What a test case answers."""

from __future__ import annotations

from typing import Any, NamedTuple


class Reply(NamedTuple):
    """What a route answers: HTTP status, message, payload."""

    status: int
    message: str
    payload: Any
