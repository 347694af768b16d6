"""What processes tell each other, and what a session keeps in its folder: a JSON object followed by blocks of bytes.

``length of the JSON u32 | JSON, with "parts": lengths of the blocks | blocks``. On a socket the whole is preceded by
its length (u64). Nothing in it is code.
"""

from __future__ import annotations

import json
import socket
import struct
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from trivium import errors
from trivium.errors import TriviumError
from trivium.simulation.testcase import Reply

Block = bytes | memoryview

_LENGTH = struct.Struct("<I")
_TOTAL = struct.Struct("<Q")
#: Messages beyond this are received into a file [bytes].
_SPOOLED = 8 * 2**20
#: Stands for an array in a payload; no client can send such a name back to us.
_ARRAY = "\0array"


class GoneError(Exception):
    """The other side of a socket ended before it had said all."""


def pack(head: Mapping[str, Any], parts: Sequence[Block] = (), *, verbatim: bool = False) -> bytes:
    """Return an object and its blocks as bytes.

    Parameters
    ----------
    head : Mapping
    parts : sequence of bytes
    verbatim : bool
        Keep what JSON has no word for (NaN, infinity), as a client's request may hold it.
    """
    whole = {**head, "parts": [len(part) for part in parts]}
    text = json.dumps(whole).encode() if verbatim else orjson.dumps(whole)
    return b"".join((_LENGTH.pack(len(text)), text, *parts))


def unpack(data: Block) -> tuple[dict[str, Any], list[memoryview]]:
    """Return what `pack` was given; the blocks are views on the data."""
    view = memoryview(data)
    (length,) = _LENGTH.unpack_from(view)
    at = _LENGTH.size + length
    text = bytes(view[_LENGTH.size : at])
    try:
        head: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        head = json.loads(text)
    parts = []
    for size in head.pop("parts"):
        parts.append(view[at : at + size])
        at += size
    return head, parts


def send(sock: socket.socket, data: bytes) -> None:
    """Send what `pack` made.

    Raises
    ------
    GoneError
        When the other side is gone.
    """
    try:
        sock.sendall(_TOTAL.pack(len(data)) + data)
    except OSError as error:
        raise GoneError(str(error)) from error


def receive(sock: socket.socket) -> Block:
    """Return the next message; a large one is mapped from a file without a name.

    Raises
    ------
    GoneError
        When the other side is gone.
    """
    head = bytearray(_TOTAL.size)
    _fill(sock, memoryview(head))
    (total,) = _TOTAL.unpack(head)
    if total > _SPOOLED:
        with tempfile.TemporaryFile() as file:
            file.truncate(total)
            data = memoryview(np.memmap(file, dtype=np.uint8, mode="r+", shape=(total,)).data)
    else:
        data = memoryview(bytearray(total))
    _fill(sock, data)
    return data


def _fill(sock: socket.socket, view: memoryview) -> None:
    while view:
        try:
            count = sock.recv_into(view)
        except OSError as error:
            raise GoneError(str(error)) from error
        if not count:
            raise GoneError("the connection was closed")
        view = view[count:]


class Answer(Reply):
    """A reply that knows how its session was brought back when its host started; see docs/sessions.md."""

    restored = ""


def pack_reply(reply: Reply, restored: str = "") -> bytes:
    """Return a reply as bytes; arrays in its payload stay arrays, all else becomes JSON."""
    arrays: list[np.ndarray[Any, Any]] = []
    payload = _lifted(reply.payload, arrays)
    text = orjson.dumps(payload, option=orjson.OPT_SERIALIZE_NUMPY)
    told = [[array.dtype.str, array.shape] for array in arrays]
    head = {"status": reply.status, "message": reply.message, "arrays": told, "restored": restored}
    return pack(head, [text, *(array.tobytes() for array in arrays)])


def _lifted(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Return a payload with the arrays in its objects replaced by their places in a list."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    if isinstance(value, dict):
        return {name: one if isinstance(one, float) else _lifted(one, arrays) for name, one in value.items()}
    return value


def _lowered(value: Any, arrays: Sequence[np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {name: _lowered(one, arrays) for name, one in value.items()}
    return value


def pack_error(error: TriviumError) -> bytes:
    """Return an error as bytes."""
    return pack({"error": type(error).__name__, "message": str(error), "about": vars(error)})


def unpack_reply(data: Block) -> Answer:
    """Return the reply that bytes hold.

    Raises
    ------
    TriviumError
        The error that they hold.
    """
    head, parts = unpack(data)
    if "error" in head:
        raise _error(head)
    payload = orjson.loads(parts[0])
    if head["arrays"]:
        told = zip(head["arrays"], parts[1:], strict=True)
        payload = _lowered(payload, [np.frombuffer(part, dtype=kind).reshape(shape) for (kind, shape), part in told])
    answer = Answer(head["status"], head["message"], payload)
    answer.restored = head["restored"]
    return answer


def _error(head: Mapping[str, Any]) -> TriviumError:
    kind = getattr(errors, head["error"], TriviumError)
    error: TriviumError = kind.__new__(kind)
    Exception.__init__(error, head["message"])
    vars(error).update(head["about"])
    return error
