"""``python -m benchmarks.slow_clients``: how long a probe and the steps of others take beside slow and many clients.

1,000 connections hold requests that are never whole, and send a byte now and then; 50 clients step one session; one
client steps another. Clients have processes of their own, on the same cores as the server.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import resource
import socket
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from tests.server import Server
from trivium.environment import ROOT

SELECT = "/testcases/AlphaDataCenterCooling_Gym/select"
JSON = {"Content-Type": "application/json"}
#: What comes of a request before it stops: of its line, its head, its body, and nothing.
UNFINISHED = (
    b"GET /heal",
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX: ",
    b"POST /advance HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{",
    b"",
)


def slow(port: int, count: int) -> None:
    """Keep unfinished requests open, and open others where the server ends them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, 2 * (resource.getrlimit(resource.RLIMIT_NOFILE)[1],))
    sockets: dict[int, socket.socket] = {}
    while True:
        for number in range(count):
            try:
                if number not in sockets:
                    sockets[number] = socket.create_connection(("127.0.0.1", port))
                    sockets[number].sendall(UNFINISHED[number % len(UNFINISHED)])
                elif number % len(UNFINISHED) < 3:
                    sockets[number].sendall(b" ")
            except OSError:
                sockets.pop(number, None)
        time.sleep(1.0)


def busy(port: int, testid: str, clients: int) -> None:
    """Step one session from many clients."""

    def step() -> None:
        for _ in times(port, "POST", f"/steps/{testid}", b'{"steps": 200}', lambda: True):
            pass

    for _ in range(clients - 1):
        Thread(target=step, daemon=True).start()
    step()


def times(port: int, method: str, path: str, body: bytes | None, go_on: Callable[[], bool]) -> list[float]:
    """Send a request again and again on one connection; return how long each took [s]."""
    connection, spent = http.client.HTTPConnection("127.0.0.1", port, timeout=600), []
    while go_on():
        started = time.perf_counter()
        connection.request(method, path, body, JSON if body else {})
        response = connection.getresponse()
        response.read()
        if response.status not in (200, 503):
            raise RuntimeError(f"{path}: {response.status}")
        spent.append(time.perf_counter() - started)
        time.sleep(0.005)
    return spent


def measure(port: int, method: str, path: str, body: bytes | None, seconds: float, sender: Connection) -> None:
    """Send how long requests take."""
    end = time.monotonic() + seconds
    sender.send(times(port, method, path, body, lambda: time.monotonic() < end))


def measured(port: int, testid: str, seconds: float) -> dict[str, Any]:
    """Return the times of probes and of steps, measured at once [s]."""
    pipes, processes = {}, []
    for name, method, path, body in (
        ("/health/live", "GET", "/health/live", None),
        ("step of another session", "POST", f"/advance/{testid}", b"{}"),
    ):
        pipes[name], sender = multiprocessing.Pipe(duplex=False)
        processes.append(multiprocessing.Process(target=measure, args=(port, method, path, body, seconds, sender)))
        processes[-1].start()
    spent = {name: receiver.recv() for name, receiver in pipes.items()}
    for process in processes:
        process.join()
    return spent


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_clients", description=__doc__)
    parser.add_argument("--sockets", type=int, default=1000, help="unfinished requests (default 1000)")
    parser.add_argument("--clients", type=int, default=50, help="clients of the busy session (default 50)")
    parser.add_argument("--seconds", type=float, default=20.0, help="time of each measurement [s] (default 20)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as folder,
        Server(ROOT / "Resources", Path(folder)) as server,
    ):
        busy_id, other_id = (server.request("POST", SELECT)[1]["testid"] for _ in range(2))
        print(f"{len(os.sched_getaffinity(0))} cores; times [ms]: median, 99 % within, most")
        _show("alone", measured(server.port, other_id, options.seconds))
        others = [
            multiprocessing.Process(target=slow, args=(server.port, options.sockets), daemon=True),
            multiprocessing.Process(target=busy, args=(server.port, busy_id, options.clients), daemon=True),
        ]
        for process in others:
            process.start()
        time.sleep(5.0)
        _show("beside slow and many clients", measured(server.port, other_id, options.seconds))
        for process in others:
            process.kill()
    return 0


def _show(title: str, spent: dict[str, Any]) -> None:
    for name, seconds in spent.items():
        middle, late, most = 1e3 * np.quantile(seconds, [0.5, 0.99, 1.0])
        print(f"{title:30} {name:25} {middle:8.1f} {late:8.1f} {most:8.1f}  ({len(seconds)} requests)", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
