"""Connections to a server: kept alive, shared by threads, and asked again when that does no harm.

A request that changes a session carries an Idempotency-Key, so it may be sent again: the server does it once and gives
the second the reply of the first. `http.client` is used as it is: a step takes longer through urllib3, and much longer
through requests (docs/benchmarks.md).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import orjson

from trivium.client.errors import error_of
from trivium.errors import InvalidValueError, UnreachableError
from trivium.process import readable

#: How a request may be sent again when its reply did not come: it only reads (or does the same again), it carries a
#: key, or not at all.
Again = Literal["safe", "keyed", "never"]
#: First and longest pause before a request is sent again [s].
PAUSES = (0.05, 2.0)
#: What proxies answer when the server behind them does not.
_GATEWAY = (502, 504)
#: Come again later: there is no room, or it was too often.
_LATER = (503, 429)


class Response(NamedTuple):
    """What came back.

    Attributes
    ----------
    status : int
    headers : http.client.HTTPMessage
    body : bytes
    """

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Return the body."""
        return orjson.loads(self.body)


class Connections:
    """Connections to one server, kept alive; any thread may use them.

    Parameters
    ----------
    url : str
        Address of the server, ``http`` or ``https``, with a path where it is not at the root.
    timeout : float
        How long a reply may take [s].
    patience : float
        How long to go on asking a server that is away or busy [s]; 0 asks once.
    token : str, optional
        For a server that asks for one.

    Raises
    ------
    InvalidValueError
        When that is no address.
    """

    def __init__(self, url: str, timeout: float, patience: float, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidValueError(f"Invalid value {url} for parameter url. It must be like http://host:port.", "url")
        self.url = url.rstrip("/")
        self._make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._root = parts.hostname, parts.port, parts.path.rstrip("/")
        self._timeout, self._patience = timeout, patience
        self._always = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._idle: list[http.client.HTTPConnection] = []
        self._owner = os.getpid()

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        again: Again = "safe",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request until there is a reply, and return it.

        Parameters
        ----------
        method, path : str
        body : Mapping, optional
            Sent as JSON.
        again : {"safe", "keyed", "never"}
            What to do when the connection breaks before the reply.
        headers : Mapping[str, str], optional

        Raises
        ------
        UnreachableError
            When there was no reply within the patience.
        TriviumError
            What the server answered.
        """
        data = None if body is None else _json(body)
        sent = dict(self._always)
        if data is not None:
            sent["Content-Type"] = "application/json"
        if again == "keyed":
            sent["Idempotency-Key"] = os.urandom(16).hex()
        sent |= headers or {}
        deadline, pause, failed = time.monotonic() + self._patience, PAUSES[0], 0
        while True:
            wait = pause * random.uniform(0.5, 1.0)  # noqa: S311, spreads clients, hides nothing
            try:
                response = self._once(method, path, data, sent)
            except _LostError as lost:
                problem: Exception = UnreachableError(f"{self.url} does not answer: {lost.__cause__!r}")
                repeat = again != "never" or not lost.sent
            else:
                if response.status < 400:
                    return response
                problem = error_of(response.status, response.headers, response.body)
                repeat = response.status in _LATER or (response.status in _GATEWAY and again != "never")
                if response.status in _LATER:
                    wait = max(wait, _retry_after(response.headers))
                elif response.status == 500 and again == "keyed":
                    # nothing was done; a process that somebody killed is no fault of the plant, so once more
                    failed += 1
                    repeat = failed == 1
            if not repeat or time.monotonic() + wait > deadline:
                raise problem
            time.sleep(wait)
            pause = min(2.0 * pause, PAUSES[1])

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _once(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Response:
        connection = self._take()
        sent = False
        try:
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(method, self._root + path, data, dict(headers))
            reply = connection.getresponse()
            response = Response(reply.status, reply.headers, reply.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _LostError(sent) from error
        except BaseException:  # a reply that is still to come must not be taken for that of the next request
            connection.close()
            raise
        self._idle.append(connection)
        return response

    def _take(self) -> http.client.HTTPConnection:
        """Return a connection that is free: one that is open still, or a new one."""
        if self._owner != os.getpid():  # after a fork they belong to the parent
            self._idle, self._owner = [], os.getpid()
        with contextlib.suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.sock is not None and not readable(connection.sock, 0):
                    return connection
                connection.close()  # the server has closed it
        return self._make(self._host, self._port, timeout=self._timeout)


class _LostError(Exception):
    """A request without a reply, and whether the server may have received it."""

    def __init__(self, sent: bool) -> None:
        super().__init__()
        self.sent = sent


def _json(body: Mapping[str, Any]) -> bytes:
    """Return a body; NaN and infinity stay what they are, so that the server can refuse them by name."""
    data = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in data:  # None, or what orjson makes of them: an input would silently keep its value
        return json.dumps(body, default=lambda array: array.tolist()).encode()
    return data


def _retry_after(headers: http.client.HTTPMessage) -> float:
    try:
        return max(float(headers.get("Retry-After", "0")), 0.0)
    except ValueError:  # a date: the pause will do
        return 0.0
