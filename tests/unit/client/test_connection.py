"""When a request is sent again, and when not: against a server that does what the test says, byte by byte."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.server import free_port
from trivium.client import Client
from trivium.client import connection as module
from trivium.client.connection import Connections
from trivium.errors import BusyError, InvalidValueError, ModelError, RequestError, UnreachableError

Move = Callable[[socket.socket], bool]


def reply(status: int = 200, *, close: bool = False, **headers: str) -> Move:
    """Answer; then keep the connection, or close it without having said so."""

    def move(sock: socket.socket) -> bool:
        body = json.dumps({"status": status, "message": "told", "payload": None}).encode()
        lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return not close

    return move


def drop(_: socket.socket) -> bool:
    """Close the connection without an answer."""
    return False


def half(sock: socket.socket) -> bool:
    """Close the connection in the middle of the answer."""
    sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status"')
    return False


class Script:
    """A server that makes a move for each request it gets, and keeps the requests."""

    def __init__(self, *moves: Move) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self._moves = list(moves)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._moves:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with sock, sock.makefile("rb") as lines:
                while self._moves and (line := lines.readline()):
                    headers = {}
                    while (header := lines.readline().decode().strip()) != "":
                        name, _, value = header.partition(": ")
                        headers[name] = value
                    self.requests.append(
                        (line.decode().strip(), headers, lines.read(int(headers.get("Content-Length", 0))))
                    )
                    if not self._moves.pop(0)(sock):
                        break
        self._listener.close()

    def close(self) -> None:
        """Wait for nobody any more."""
        self._moves.clear()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def keys(self) -> list[str | None]:
        self._thread.join(300)
        return [headers.get("Idempotency-Key") for _, headers, _ in self.requests]


class Clock:
    """A time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def to() -> Iterator[Callable[..., Connections]]:
    """Make connections; they are closed in the end."""
    made: list[Connections] = []
    scripts: list[Script] = []

    def make(script: Script | str, patience: float = 60.0) -> Connections:
        if isinstance(script, Script):
            scripts.append(script)
        made.append(Connections(script if isinstance(script, str) else script.url, timeout=5.0, patience=patience))
        return made[-1]

    yield make
    for one in (*made, *scripts):
        one.close()


@pytest.mark.parametrize("failure", [drop, half, reply(502), reply(504)])
def test_a_request_with_a_key_is_sent_again_with_the_same_key(to, failure):
    script = Script(failure, failure, reply())
    assert to(script).request("POST", "/advance", {"a": 1}, again="keyed").json()["message"] == "told"
    first, *others = script.keys()
    assert first
    assert others == [first, first]
    assert len({body for _, _, body in script.requests}) == 1


def test_what_a_client_makes_says_where_it_is():
    with Client("http://127.0.0.1:5999") as client:
        shown = [repr(client), repr(client.session("abc")), repr(client.job("t1"))]
    place = "http://127.0.0.1:5999"
    assert shown == [f"Client({place})", f"Session(abc at {place})", f"Job(t1 at {place})"]


def test_every_request_has_a_key_of_its_own(to):
    script = Script(reply(), reply())
    of = to(script)
    of.request("POST", "/advance", {}, again="keyed")
    of.request("POST", "/advance", {}, again="keyed")
    assert len(set(script.keys())) == 2
    assert script.connections == 1


def test_a_request_that_reads_is_sent_again_without_a_key(to):
    script = Script(drop, reply())
    assert to(script).request("GET", "/name").status == 200
    assert script.keys() == [None, None]


@pytest.mark.parametrize("failure", [drop, half])
def test_a_request_that_must_not_be_repeated_is_not(to, failure):
    script = Script(failure, reply())
    with pytest.raises(UnreachableError, match="does not answer"):
        to(script).request("POST", "/select", {}, again="never")
    assert len(script.requests) == 1


def test_a_connection_that_the_server_closed_is_not_used(to):
    script = Script(reply(close=True), reply())
    of = to(script)
    of.request("GET", "/name")
    (kept,) = of._idle
    select.select([kept.sock], [], [])  # the end of the connection has arrived
    assert of.request("POST", "/select", {}, again="never").status == 200
    assert (len(script.requests), script.connections) == (2, 2)


def test_who_is_told_to_come_again_comes_again_then(to, clock):
    script = Script(reply(503, Retry_After="5"), reply(503), reply())
    assert to(script).request("POST", "/select", {}, again="never").status == 200
    assert clock.pauses[0] >= 5.0
    assert clock.pauses[1] < 5.0


def test_patience_ends_before_the_time_to_come_again(to):
    script = Script(reply(503, Retry_After="50"))
    with pytest.raises(BusyError) as caught:
        to(script, patience=10.0).request("POST", "/select", {}, again="never")
    assert caught.value.retry_after == 50
    assert len(script.requests) == 1


def test_a_server_that_is_away_is_asked_until_the_patience_ends(to, clock):
    with pytest.raises(UnreachableError, match="Connection refused"):
        to(f"http://127.0.0.1:{free_port()}", patience=20.0).request("POST", "/select", again="never")
    assert 15.0 < sum(clock.pauses) <= 20.0
    assert clock.pauses[0] < 0.1 < clock.pauses[-1]


def test_a_failure_of_the_plant_is_tried_once_more(to):
    script = Script(reply(500), reply())
    to(script).request("POST", "/advance", {}, again="keyed")
    first, second = script.keys()
    assert first == second
    script = Script(reply(500), reply(500), reply())
    with pytest.raises(ModelError):
        to(script).request("POST", "/advance", {}, again="keyed")
    assert len(script.requests) == 2


def test_what_is_refused_is_not_sent_again(to):
    script = Script(reply(400), reply())
    with pytest.raises(RequestError, match="told"):
        to(script).request("POST", "/advance", {}, again="keyed")
    assert len(script.requests) == 1


def test_numbers_that_json_has_not_are_sent_as_they_are(to):
    script = Script(reply(), reply())
    of = to(script)
    of.request("POST", "/advance", {"a": float("nan"), "b": None})
    of.request("POST", "/advance", {"a": 0.1, "b": float("inf")})
    script.keys()
    assert [body for _, _, body in script.requests] == [b'{"a": NaN, "b": null}', b'{"a": 0.1, "b": Infinity}']


def test_a_forked_process_opens_connections_of_its_own(to):
    script = Script(reply(), reply())
    of = to(script)
    of.request("GET", "/name")
    child = os.fork()
    if child == 0:  # the second move is for a second connection
        os._exit(0 if of.request("GET", "/name").status == 200 else 1)
    of.close()  # ends the first connection, so that the script takes the next
    assert os.waitpid(child, 0)[1] == 0
    script.keys()
    assert script.connections == 2


@pytest.mark.parametrize("url", ["", "localhost:5000", "ftp://localhost", "http://"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InvalidValueError, match="url"):
        Connections(url, 1.0, 0.0)


def test_an_address_with_a_path_goes_before_the_routes(to):
    script = Script(reply())
    to(script.url + "/plant/").request("GET", "/name")
    script.keys()
    assert script.requests[0][0] == "GET /plant/name HTTP/1.1"
