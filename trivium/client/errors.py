"""From what a server answers to the error of trivium's tree that it stands for."""

from __future__ import annotations

import contextlib
import re
from email.message import Message
from typing import Any

import orjson

from trivium.errors import (
    BusyError,
    ConflictError,
    ContentTypeError,
    DamagedError,
    ForbiddenError,
    InvalidValueError,
    ModelError,
    NotFoundError,
    RateError,
    RequestError,
    StateError,
    StorageError,
    TokenError,
    TooLargeError,
    TriviumError,
    UnknownSessionError,
    UnreachableError,
)

#: How messages name the field that is wrong, the likeliest first.
_FIELDS = (
    re.compile(r"Invalid point name.* in parameter (?P<field>\w+)", re.DOTALL),
    re.compile(r"for (?:parameter|input) (?P<field>[^\s.]+)"),
    re.compile(r"Unexpected input variable: (?P<field>.+?)\.(?: Did you mean .+\?)?$"),
    re.compile(r"Unexpected name (?P<field>.+) in parameter start_values"),
    re.compile(r"Scenario parameter (?P<field>\w+) is"),
    re.compile(r"Invalid (?P<field>snapshot|testcase): "),
    re.compile(r"a (?P<field>step) of .* the simulation ends at"),
)
_CONFLICT = re.compile(r"The session stands at|This Idempotency-Key")


def error_of(status: int, headers: Message, body: bytes) -> TriviumError:
    """Return the error of a reply.

    Parameters
    ----------
    status : int
    headers : Message
    body : bytes
        The envelope; anything where a proxy answered.
    """
    reply: Any = None
    with contextlib.suppress(orjson.JSONDecodeError):
        reply = orjson.loads(body)
    if not isinstance(reply, dict):
        reply = {}
    if reply.get("errors"):  # BOPTEST's form of an unknown session
        return UnknownSessionError(str(reply["errors"][0].get("value")))
    message = str(reply.get("message") or f"The server answered {status}.")
    payload = reply.get("payload")
    if message == "Bad Request" and isinstance(payload, str):  # BOPTEST's form of a missing field
        return InvalidValueError(f"Bad input for parameter {payload}. It is missing.", payload)
    after = str(headers.get("Retry-After", ""))
    if status == 503:
        position = payload.get("queue_position", 0) if isinstance(payload, dict) else 0
        return BusyError(message, int(after) if after.isdecimal() else 0, int(position))
    if status == 429:
        return RateError(message, int(after) if after.isdecimal() else 0)
    if status in (400, 404):
        for pattern in _FIELDS:
            match = pattern.search(message)
            if match:
                return InvalidValueError(message, match["field"])
    if status == 409:
        if _CONFLICT.match(message):
            return ConflictError(message)
        how = headers.get("Session-Restored")
        return StateError(message) if how is None else DamagedError(message, lost=how == "lost")
    kinds: dict[int, type[TriviumError]] = {
        401: TokenError, 403: ForbiddenError, 404: NotFoundError, 413: TooLargeError, 415: ContentTypeError,
        500: ModelError, 502: UnreachableError, 504: UnreachableError, 507: StorageError,
    }  # fmt: skip
    error = kinds.get(status, RequestError if status < 500 else TriviumError)(message)
    error.status = status
    return error


def error_with(status: int, message: str) -> TriviumError:
    """Return the error of a step that failed among many; see `error_of`."""
    return error_of(status, Message(), orjson.dumps({"message": message}))
