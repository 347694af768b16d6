"""Requests as they come in: read without a thread until they are whole, by deadlines for the head and for the body.

gunicorn's own incremental parser finds where a request ends. What has come is then read again by gunicorn's worker,
from memory or a temporary file, so that a thread never waits for a slow client.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import tempfile
import time
from collections.abc import Callable
from typing import Any

from gunicorn.asgi.parser import ParseError, PythonProtocol
from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

from trivium.errors import BusyError

#: The slowest bodies that are waited for, beyond the time for a head: without a thread, and in one [bytes/s].
_SLOWEST, _SLOWEST_LARGE = 1024, 64 * 1024
#: How much is written before the clock of a client that reads slowly starts again [bytes].
_SLICE = 256 * 1024
#: How much of a request is held in memory; beyond it in a temporary file [bytes].
_IN_MEMORY = 64 * 1024
#: How much is read at a time [bytes].
_CHUNK = 64 * 1024
_LINE = re.compile(rb"([A-Z]+) (/[!-~]*?)(?:\?[!-~]*)? HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?=\r\n|$)")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Peer(socket.socket):
    """The socket of a client, with a deadline for whatever a thread waits for.

    Parameters
    ----------
    accepted : socket.socket
        Belongs to this object from now on.
    patience : float
        How long the client may take to send something, or to take a part of a reply [s].
    """

    def __init__(self, accepted: socket.socket, patience: float) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self._patience = patience
        #: When the client must have sent all [s, monotonic].
        self.due = float("inf")

    def setblocking(self, flag: bool, /) -> None:
        """Wait for the client, as long as it may take, or not at all."""
        self.settimeout(self._patience if flag else 0.0)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive; a client that is too slow counts as one that went away."""
        if self.due < float("inf") and self.gettimeout():
            self.settimeout(min(self._patience, max(self.due - time.monotonic(), 1e-3)))
        try:
            return super().recv(size, flags)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client sent nothing for too long") from error

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send all; a client that takes too long to read a part counts as one that went away."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _SLICE):
            try:
                super().sendall(view[start : start + _SLICE], flags)
            except TimeoutError as error:
                raise ConnectionResetError(errno.ECONNRESET, "the client read nothing for too long") from error


class _Received(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """What was received, and after it what the socket still brings."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._spool: Any = None

    def hold(self, spool: Any) -> None:
        """Read this file first."""
        spool.seek(0)
        self._spool = spool

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece."""
        if self._spool is not None:
            data: bytes = self._spool.read(max(size_hint or 0, self.mxchunk))
            if data:
                return data
            self.drop()
        return bytes(super().chunk(size_hint))

    def rest(self) -> bytes:
        """Return what came behind the request, such as the next one."""
        data = bytes(self.take_buffered())
        if self._spool is not None:
            data += self._spool.read()
            self.drop()
        return data

    def drop(self) -> None:
        """Forget what is held."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection with the request that is coming in.

    Parameters
    ----------
    config : Any
        gunicorn's.
    sock : Peer
    client, server : Any
        Addresses.
    patience : float
        How long the head may take, and the body, which may take longer the larger it is [s].
    largest : int
        Largest body that is read without a thread [bytes].
    """

    def __init__(self, config: Any, sock: Peer, client: Any, server: Any, patience: float, largest: int) -> None:
        super().__init__(config, sock, client, server)
        self._patience, self._largest = patience, largest
        #: What is to be done when its request has been answered.
        self.release: Callable[[], None] | None = None
        #: Why its request is refused, where it is.
        self.refusal: BusyError | None = None
        self.parser = get_parser(config, sock, client)
        self.parser.unreader = self._received = _Received(sock)
        self.initialized = self.data_ready = True  # to gunicorn, which would wait for data in a thread
        self._begin(patience)

    def _begin(self, silence: float) -> None:
        """Wait for a request, whose first byte may take some time [s]."""
        self._scan: Any = None
        self._spool: Any = None
        #: Of the request; empty where there is no whole one. The address is without a query.
        self.method, self.path = "", ""
        #: How much of the request has come [bytes].
        self.held = 0
        self._head = False
        self._now = time.monotonic()
        #: When the next thing must have come, and all of it [s, monotonic].
        self.silent_until, self.due = self._now + silence, float("inf")

    def _scanner(self) -> Any:
        """Return what finds the end of a request that comes in pieces, or is not of the usual form."""
        config = self.cfg
        return PythonProtocol(
            limit_request_line=config.limit_request_line,
            limit_request_fields=config.limit_request_fields,
            limit_request_field_size=config.limit_request_field_size,
            permit_unconventional_http_method=config.permit_unconventional_http_method,
            permit_unconventional_http_version=config.permit_unconventional_http_version,
            proxy_protocol=config.proxy_protocol,
            on_headers_complete=self._on_head,
        )

    def again(self, silence: float) -> bool:
        """Wait for the next request; return whether it has come already."""
        data = self._received.rest()
        self._begin(silence)
        self.sock.due = float("inf")
        return bool(data) and self._feed(data)

    def read(self) -> bool:
        """Take what has come without waiting; return whether the request is whole, or is a thread's to read on.

        Raises
        ------
        ConnectionError
            When the client went away.
        """
        try:
            data = socket.socket.recv(self.sock, _CHUNK)
        except (BlockingIOError, InterruptedError):
            return False
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "the client went away")
        return self._feed(data)

    def _feed(self, data: bytes) -> bool:
        self._now = time.monotonic()
        if not self.held:
            self.due = self._now + self._patience
        self.silent_until = self._now + self._patience
        if not self.held and (short := _short(data)) is not None:
            self.method, self.path = short
            self.held = len(data)
            self.sock.due = self.due
            self._received.unread(data)
            return True
        if self._spool is None:
            self._spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115, closed by `drop`
            self._scan = self._scanner()
        self._spool.write(data)
        self.held += len(data)
        try:
            self._scan.feed(data)
            whole = self._scan.is_complete
        except ParseError:  # gunicorn refuses it in its words
            self.sock.due = self._now
            return self._hand_over()
        if whole:
            return self._hand_over()
        if self.large:
            self.sock.due = self.due + (self._scan.content_length or self._largest) / _SLOWEST_LARGE
            return self._hand_over()
        return False

    def _on_head(self) -> bool:
        """Allow the body its time, once it is known how long it is."""
        self._head = True
        self.method = self._scan.method.decode("latin-1")
        self.path = self._scan.path.decode("latin-1").partition("?")[0]
        self.due = self._now + self._patience
        length = self._largest if self._scan.is_chunked else self._scan.content_length or 0
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in self._scan.headers)
        if expects and length and not self.large:  # each would wait for the other
            with contextlib.suppress(OSError):
                self.sock.send(_CONTINUE)
        return False

    def _hand_over(self) -> bool:
        self._received.hold(self._spool)
        return True

    @property
    def large(self) -> bool:
        """Whether the body is larger than is held here: a thread for large bodies reads on, or refuses it."""
        if not self._head:
            return False
        length = self._scan.content_length or 0
        return not self._scan.is_complete and max(length, self.held - _CHUNK) > self._largest

    def late(self, now: float) -> bool:
        """Return whether the client has taken too long."""
        return now > min(self.silent_until, self.due + (self.held / _SLOWEST if self._head else 0.0))

    def drop(self) -> None:
        """Close the connection, and forget what came."""
        if self._spool is not None:
            self._spool.close()
        self._received.drop()
        self.close()


def _short(data: bytes) -> tuple[str, str] | None:
    """Return method and address of data that is one whole request of the usual form, as nearly all are.

    What looks like one and is none is refused by gunicorn's parser; at worst a thread waits for its deadline.
    """
    head, end, body = data.partition(b"\r\n\r\n")
    line = _LINE.match(head)
    fields = head.lower()
    if not end or line is None or b"transfer-encoding" in fields or b"expect" in fields:
        return None
    lengths = _LENGTH.findall(fields)
    if len(lengths) != fields.count(b"content-length") or len(lengths) > 1:
        return None
    if len(body) != (int(lengths[0]) if lengths else 0):
        return None
    return line[1].decode(), line[2].decode()
