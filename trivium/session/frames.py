"""Messages between processes, and what a session keeps in its folder: a JSON object followed by blocks of bytes.

``length of the JSON u32 | JSON, with "parts": lengths of the blocks | blocks``. On a socket the whole is preceded by
its length (u64). Nothing in it is code.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from typing import Any, BinaryIO

import numpy as np
import orjson

from trivium import errors
from trivium.errors import StorageError, TriviumError
from trivium.model.linearization import Linearization
from trivium.model.variable import Variable
from trivium.protocol import Advanced, Alarm, Columns, Indicators, Initialized, Override, Steps
from trivium.session.patience import Ready
from trivium.session.proxy import HostState, SelfCheck
from trivium.table import Table

Block = bytes | memoryview

_LENGTH = struct.Struct("<I")
_TOTAL = struct.Struct("<Q")
#: Size of the checksum that `trivium.session.folder.sealed` puts before a frame [bytes].
SEAL = 4
#: Messages beyond this are received into a file [bytes].
_SPOOLED = 8 * 2**20
#: Marks the objects of JSON that are other values; no client can send such a name back to us.
_MARK = "\0"


class FrameError(ValueError):
    """Bytes that are no frame."""


class GoneError(Exception):
    """The other side of a socket ended before its message was complete."""


def pack(head: Mapping[str, Any], parts: Sequence[Block] = (), *, verbatim: bool = False) -> bytes:
    """Return an object and its blocks as bytes.

    Parameters
    ----------
    head : Mapping
    parts : sequence of bytes
    verbatim : bool
        Keep what JSON has no word for (NaN, infinity), as a client's request may hold it.
    """
    message = {**head, "parts": [len(part) for part in parts]}
    text = json.dumps(message).encode() if verbatim else orjson.dumps(message)
    return b"".join((_LENGTH.pack(len(text)), text, *parts))


def unpack(data: Block) -> tuple[dict[str, Any], list[memoryview]]:
    """Return what `pack` was given; the blocks are views on the data.

    Raises
    ------
    FrameError
        When the bytes are nothing that `pack` returned.
    """
    with _whole():
        view = memoryview(data)
        (length,) = _LENGTH.unpack_from(view)
        at = _LENGTH.size + length
        text = bytes(view[_LENGTH.size : at])
        try:
            head: dict[str, Any] = orjson.loads(text)
        except orjson.JSONDecodeError:
            head = json.loads(text)
        sizes = head.pop("parts")
        if min(sizes, default=0) < 0 or at + sum(sizes) != len(view):
            raise ValueError("the blocks have other sizes than their frame says")
        parts = []
        for size in sizes:
            parts.append(view[at : at + size])
            at += size
        return head, parts


def head_of(file: BinaryIO) -> dict[str, Any]:
    """Return the object that a sealed file begins with, without its blocks; what it says is not verified.

    Raises
    ------
    FrameError
        When there is none.
    """
    with _whole():
        file.seek(SEAL)
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        head: dict[str, Any] = orjson.loads(file.read(length))
        return head


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Translate whatever is raised while a frame is read, but for the errors that it holds."""
    try:
        yield
    except TriviumError:
        raise
    except Exception as error:
        raise FrameError(f"a frame cannot be read: {type(error).__name__}: {error}") from error


def send(sock: socket.socket, data: bytes, ready: Ready | None = None) -> None:
    """Send what `pack` made.

    Parameters
    ----------
    sock : socket.socket
    data : bytes
    ready : Callable, optional
        Waits until the socket can take more; by default the socket's own timeout is how long the other side may take.

    Raises
    ------
    GoneError
        When the other side is gone.
    """
    message = _TOTAL.pack(len(data)) + data
    try:
        if ready is None:
            sock.sendall(message)
            return
        left = memoryview(message)
        while left:
            try:
                left = left[sock.send(left, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                ready(select.POLLOUT)
    except OSError as error:
        raise GoneError(str(error)) from error


def receive(sock: socket.socket, ready: Ready | None = None) -> Block:
    """Return the next message; a large one is mapped from a file without a name.

    Parameters
    ----------
    sock : socket.socket
    ready : Callable, optional
        Waits until the socket has more; by default the socket's own timeout is how long the other side may take.

    Raises
    ------
    GoneError
        When the other side is gone.
    StorageError
        When there is no space for a large one; the connection cannot be used any more.
    """
    head = bytearray(_TOTAL.size)
    _fill(sock, memoryview(head), ready)
    (total,) = _TOTAL.unpack(head)
    if total > _SPOOLED:
        try:
            with tempfile.TemporaryFile() as file:
                os.posix_fallocate(file.fileno(), 0, total)  # what is mapped must be there
                data = memoryview(np.memmap(file, dtype=np.uint8, mode="r+", shape=(total,)).data)
        except OSError as error:
            raise StorageError(f"there is no space for a message of {total} bytes: {error.strerror}") from error
    else:
        data = memoryview(bytearray(total))
    _fill(sock, data, ready)
    return data


def _fill(sock: socket.socket, view: memoryview, ready: Ready | None) -> None:
    flags = 0 if ready is None else socket.MSG_DONTWAIT
    while view:
        try:
            count = sock.recv_into(view, 0, flags)
        except BlockingIOError as error:
            if ready is None:
                raise GoneError(str(error)) from error
            ready(select.POLLIN)
            continue
        except OSError as error:
            raise GoneError(str(error)) from error
        if not count:
            raise GoneError("the connection was closed")
        view = view[count:]


#: Classes of values, by name; each is made again from what its `__getnewargs__` returned.
_VALUES = {
    kind.__name__: kind
    for kind in (
        Initialized,
        Advanced,
        Alarm,
        Steps,
        Override,
        Columns,
        Indicators,
        Linearization,
        Table,
        Variable,
        HostState,
        SelfCheck,
    )
}
#: Kinds of JSON that may hold other values.
_NESTED = (dict, list)
_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS


def pack_value(value: Any, restored: str = "") -> bytes:
    """Return a value of the protocol as bytes; its arrays stay arrays, all else becomes JSON.

    Parameters
    ----------
    value : Any
    restored : str
        How the session was brought back.
    """
    arrays: list[np.ndarray[Any, Any]] = []

    def encoded(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            arrays.append(part)
            return {_MARK: "array", "index": len(arrays) - 1}
        if isinstance(part, np.generic):
            return part.item()
        if isinstance(part, Variable):
            return {_MARK: "Variable", "args": astuple(part)}
        if isinstance(part, TriviumError):
            return {_MARK: "error", **_error_head(part)}
        return {_MARK: type(part).__name__, "args": part.__getnewargs__()}

    text = orjson.dumps(value, default=encoded, option=_OPTIONS)
    shapes = [[array.dtype.str, array.shape] for array in arrays]
    return pack({"arrays": shapes, "restored": restored}, [text, *(array.tobytes() for array in arrays)])


def unpack_value(data: Block) -> tuple[Any, str]:
    """Return the value that bytes hold, and how the session was brought back.

    Raises
    ------
    TriviumError
        The error that they hold.
    FrameError
        When they are nothing that `pack_value` or `pack_error` returned.
    """
    head, parts = unpack(data)
    with _whole():
        if "error" in head:
            raise _error(head)
        shapes = zip(head["arrays"], parts[1:], strict=True)
        arrays = [np.frombuffer(part, dtype=kind).reshape(shape) for (kind, shape), part in shapes]
        return _decoded(orjson.loads(parts[0]), arrays), head["restored"]


def _decoded(value: Any, arrays: Sequence[np.ndarray[Any, Any]]) -> Any:
    """Return a value whose parts are made again."""
    if isinstance(value, list):
        return [_decoded(part, arrays) if isinstance(part, _NESTED) else part for part in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_MARK)
    if kind is None:
        return {name: _decoded(part, arrays) if isinstance(part, _NESTED) else part for name, part in value.items()}
    if kind == "array":
        return arrays[value["index"]]
    if kind == "error":
        return _error(value)
    return _VALUES[kind](*_decoded(value["args"], arrays))


def pack_error(error: TriviumError) -> bytes:
    """Return an error as bytes, whatever it holds: the one who waits for a reply gets one."""
    return pack(_error_head(error), verbatim=True)


def _error_head(error: TriviumError) -> dict[str, Any]:
    """Return an error as what JSON can hold, in valid Unicode."""
    name, about = type(error).__name__, vars(error)
    try:
        text = json.dumps({"message": str(error), "about": about}, default=str, skipkeys=True, ensure_ascii=False)
    except Exception as fault:  # an attribute that contains itself, a text that cannot be made
        name = TriviumError.__name__
        text = json.dumps({"message": f"an error that cannot be sent: {type(fault).__name__}", "about": {}})
    return {"error": name, **json.loads(text.encode("utf-8", "replace"))}


def _error(head: Mapping[str, Any]) -> TriviumError:
    kind = getattr(errors, head["error"], TriviumError)
    error: TriviumError = kind.__new__(kind)
    Exception.__init__(error, head["message"])
    vars(error).update(head["about"])
    return error
