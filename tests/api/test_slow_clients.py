"""Clients that are slow, or many at one session: all others are answered."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import PATIENCE
from tests.server import Server
from tests.trap_fmu import PLANT_TRAP, Trap

HEAD = b"POST /advance HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UNFINISHED = {
    "silent": b"",
    "request line": b"GET /health/li",
    "head": b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: ",
    "body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n{",
}
SELECT = "/testcases/AlphaDataCenterCooling_Gym/select"
SLOW = {PLANT_TRAP: int(Trap.SLOW)}  # 0.64 s a step


@pytest.fixture(scope="module")
def server(small_resources, tmp_path_factory):
    variables = {"TRIVIUM_THREADS": "4", "TRIVIUM_READ_TIMEOUT": "2", "TRIVIUM_WAIT_TIMEOUT": "3600"}
    with Server(small_resources, tmp_path_factory.mktemp("slow"), **variables) as running:
        yield running


@pytest.fixture
def connect(server):
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE))


@pytest.mark.parametrize("kind", UNFINISHED)
def test_unfinished_requests_hold_no_thread(server, connect, kind):
    sockets = [connect() for _ in range(50)]
    for sock in sockets:
        sock.sendall(UNFINISHED[kind])
    for path in ("/health/live", "/health/ready", "/metrics", "/version"):
        connection = server.connect()
        connection.request("GET", path)
        assert connection.getresponse().status == 200
        connection.close()
    assert server.request("POST", "/advance", {})[0] == 200


@pytest.mark.parametrize("kind", ["request line", "head", "body", "chunk"])
def test_an_unfinished_request_has_an_end_though_bytes_keep_coming(connect, kind):
    sock = connect()
    sock.sendall(UNFINISHED[kind])
    sock.settimeout(0.2)
    deadline, reply = time.monotonic() + PATIENCE, b""
    while True:
        assert time.monotonic() < deadline
        try:
            sock.sendall(b" ")
            data = sock.recv(1000)
        except TimeoutError:
            continue
        except ConnectionError:
            break
        if not data:
            break
        reply += data
    # who still sends while the reply comes may lose it
    assert not reply or b" 408 " in reply.splitlines()[0]


def test_what_comes_in_pieces_and_what_comes_at_once_is_answered(server, connect):
    body = b'{"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1}'
    request = (
        b"PUT /results HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    whole = request % len(body) + body
    sock = connect()
    for byte in whole:
        sock.sendall(bytes([byte]))
    assert _replies(sock, 1) == [200]
    sock.sendall(3 * whole + b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert _replies(sock, 4) == [200, 200, 200, 200]
    assert sock.recv(1) == b""


def test_a_client_that_waits_to_send_its_body_is_asked_for_it(connect):
    sock = connect()
    sock.sendall(HEAD + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
    sock.sendall(b"{}")
    data = b""
    while b"HTTP/1.1 200" not in data:
        data += sock.recv(1000)


def test_bodies_of_all_sizes_come_whole(server):
    for size in (10, 70_000, 1_000_000):
        status, reply, _ = server.request("POST", "/advance", raw=b'{"x": "' + b"a" * size + b'"}')
        assert (status, reply["message"][:13]) == (400, "Unexpected in")
    assert server.request("POST", "/advance", raw=b" " * 3_000_000)[0] == 413


def test_many_clients_of_one_session_leave_threads_to_others(trap_resources, tmp_path):
    variables = {"TRIVIUM_THREADS": "4", "TRIVIUM_WAIT_TIMEOUT": "3600"}
    with Server(trap_resources(), tmp_path, **variables) as server, ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(server.request, "POST", "/advance", SLOW) for _ in range(9)]
        other = server.request("POST", SELECT)[1]["testid"]
        assert server.request("PUT", f"/step/{other}", {"step": 1})[0] == 200  # the data lasts for long then
        while not all(each.done() for each in asked):
            assert server.request("GET", "/health/live")[0] == 200
            assert server.request("POST", f"/advance/{other}", {})[0] == 200
            assert server.request("GET", "/sessions")[0] == 200
        assert [each.result()[0] for each in asked] == 9 * [200]
        assert _time(server) == 9 * 300


def test_a_request_that_waits_too_long_for_its_session_is_refused_and_not_done(trap_resources, tmp_path):
    with Server(trap_resources(), tmp_path, TRIVIUM_WAIT_TIMEOUT="1") as server, ThreadPoolExecutor(8) as pool:
        deadline, replies = time.monotonic() + PATIENCE, []
        while not (refused := [each for each in replies if each[0] == 503]):
            assert time.monotonic() < deadline
            asked = [pool.submit(server.request, "POST", "/steps", {"steps": 4, "action": SLOW}) for _ in range(8)]
            replies += [each.result() for each in asked]
        _, body, headers = refused[0]
        assert "come again" in body["message"]
        assert int(headers["Retry-After"]) > 0
        done = 4 * sum(each[0] == 200 for each in replies)
        assert _time(server) == done * 300


def _time(server: Server) -> float:
    """Return where the default session stands [s]."""
    listing = server.request("GET", "/sessions")[1]["payload"]
    return next(each["time"] for each in listing if each["testid"].startswith("default-"))


def _replies(sock: socket.socket, count: int) -> list[int]:
    """Read replies with a length; return their statuses."""
    statuses = []
    with sock.makefile("rb", buffering=0) as file:
        for _ in range(count):
            statuses.append(int(file.readline().split()[1]))
            length = 0
            while (line := file.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = b""
            while len(body) < length:
                body += file.read(length - len(body))
            json.loads(body)
    return statuses
