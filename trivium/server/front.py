"""gunicorn's worker with threads, with an admission before the threads.

Its main thread reads requests until they are whole (`trivium.server.incoming`), and gives them to threads in turn
(`trivium.server.turns`). No client can hold a thread by being slow, nor more than a few by asking a busy session.
"""

from __future__ import annotations

import contextlib
import errno
import resource
import selectors
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any

from flask import Flask
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from trivium.errors import BusyError
from trivium.server.events import MOST as STREAMS
from trivium.server.incoming import Connection, Peer
from trivium.server.operations import Lane
from trivium.server.turns import QUEUE, Turns, turn_of
from trivium.settings import Settings

#: Files that a worker may open: a connection is one, and so is the way to the process of a session.
_FILES = 2**16
#: Files that are no connections of clients.
_RESERVED = 256
#: How much may be held of requests that are not whole yet, by all connections [bytes].
_HELD = 256 * 2**20
#: Threads beside those for requests; large bodies are read, or refused, by their own.
_THREADS = {Lane.LIVE: 1, Lane.READY: 1, Lane.FIGURES: 1, Lane.STREAMS: STREAMS}
_LARGE = 4
#: How long a client may take to send something, or to take a part of a reply, once a thread waits for it [s].
_PATIENCE = 60.0
#: How long a connection is read on after its last reply: a client that still sends would lose it [s].
_LINGER = 2.0
#: How long a worker may take to load the application [s].
_LOADING = 120.0
#: What a client gets that did not send its request in time [s].
_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    b'{"status":408,"message":"The request was not sent in time: its head within %d s, its body in as much and longer '
    b'the larger it is (TRIVIUM_READ_TIMEOUT).","payload":null}'
)
#: How often is looked for clients that take too long [s].
_LOOK = 0.25
#: When a client that found no turn should come again [s].
_RETRY_AFTER = 5

_REFUSAL: ContextVar[BusyError | None] = ContextVar("refusal", default=None)


def refuse() -> None:
    """Raise the error of the present request, where it could not have its turn.

    Raises
    ------
    BusyError
    """
    if (refusal := _REFUSAL.get()) is not None:
        raise refusal


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker whose threads get requests that are whole, in turn; `configured` makes one with settings."""

    settings: Settings
    wsgi: Flask

    def init_process(self) -> None:
        """Make room for connections, and serve until the end."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        self.worker_connections = max(_RESERVED, min(self.cfg.worker_connections, files - _RESERVED))
        self._pools = {lane: ThreadPoolExecutor(count, lane.value) for lane, count in _THREADS.items()}
        self._large, self._refusing = ThreadPoolExecutor(_LARGE, "large"), ThreadPoolExecutor(1, "refusing")
        self._turns: Turns[Connection] = Turns(self.cfg.threads, self.settings.wait_timeout)
        self._reading: dict[Connection, None] = {}  # the longest first
        self._lingering: dict[Connection, float] = {}  # until when
        self._looked = 0.0
        self._stopping_since = float("inf")
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application; the master counts that as a sign of life, up to a limit."""
        loaded = threading.Event()

        def notify() -> None:
            end = time.monotonic() + _LOADING
            while not loaded.wait(1.0) and time.monotonic() < end:
                self.notify()

        threading.Thread(target=notify, daemon=True).start()
        try:
            super().load_wsgi()
        finally:
            loaded.set()

    # -- connections, in the main thread ------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Take a connection; where there are too many, the one that has been reading for longest goes."""
        if self.cfg.is_ssl:  # the handshake is gunicorn's, in a thread
            super().accept(listener)
            return
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        patience = self.settings.read_timeout
        try:
            conn = Connection(
                self.cfg, Peer(accepted, _PATIENCE), address, listener.getsockname(), patience, self.settings.max_body
            )
        except OSError:  # it has gone already
            accepted.close()
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._watch(conn)

    def _watch(self, conn: Connection) -> None:
        """Read from a connection when something comes."""
        self._reading[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))

    def _unwatch(self, conn: Connection) -> None:
        self._reading.pop(conn, None)
        self._lingering.pop(conn, None)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)

    def _read(self, conn: Connection, _: Any) -> None:
        try:
            whole = conn.read()
        except OSError:
            self._end(conn)
            return
        if whole:
            self._unwatch(conn)
            self.enqueue_req(conn)
        elif sum(each.held for each in self._reading) > _HELD:
            self._make_room()

    def _make_room(self) -> None:
        if self._reading:
            self._end(next(iter(self._reading)))

    def _end(self, conn: Connection, reply: bytes = b"") -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        with contextlib.suppress(OSError):
            if reply:
                conn.sock.send(reply)
        conn.drop()

    def _linger(self, conn: Connection) -> None:
        """Close a connection once the client has done so, or soon."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._end(conn)
            return
        self._lingering[conn] = time.monotonic() + _LINGER
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._throw_away, conn))

    def _throw_away(self, conn: Connection, _: Any) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                gone = not socket.socket.recv(conn.sock, 2**16)
            except ConnectionError:
                gone = True
            if gone:
                self._end(conn)

    def murder_pending(self) -> None:
        """End connections whose clients take too long, and refuse requests that waited for too long."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        if not self.alive:
            self._stopping_since = min(self._stopping_since, now)
        for conn in [each for each in self._reading if each.late(now)]:
            self._end(conn, _LATE % self.settings.read_timeout if conn.held else b"")
        if now - self._stopping_since > STOP_KEEPALIVE_LINGER:
            for conn in [each for each in self._reading if not each.held]:
                self._end(conn)
        for conn in [each for each, until in self._lingering.items() if now > until]:
            self._end(conn)
        for conn in list(self._turns.expired(now)):
            self._refuse(conn, f"The session or the server did other requests for {self.settings.wait_timeout} s")

    # -- requests -----------------------------------------------------------------------------------------------------

    def enqueue_req(self, conn: Connection) -> None:
        """Have a request that is whole answered in its turn."""
        conn.release = None
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
        elif conn.large:
            self._submit(conn, self._large)
        else:
            turn = turn_of(self.wsgi, conn.method, conn.path)
            if turn.lane is not Lane.REQUESTS:
                self._submit(conn, self._pools[turn.lane])
            elif self._turns.add(conn, turn.session, time.monotonic()):
                self._next()
            else:
                self._refuse(conn, f"{QUEUE} requests wait for the session already")

    def _next(self) -> None:
        for conn, session in self._turns.take():
            conn.release = partial(self._turns.done, session)
            self._submit(conn, self.tpool)

    def _refuse(self, conn: Connection, why: str) -> None:
        conn.refusal = BusyError(f"{why}; come again in {_RETRY_AFTER} s.", _RETRY_AFTER, QUEUE)
        self._submit(conn, self._refusing)

    def _submit(self, conn: Connection, pool: ThreadPoolExecutor) -> None:
        future = pool.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def handle(self, conn: Connection) -> Any:
        """Answer a request; called in a thread."""
        token = _REFUSAL.set(getattr(conn, "refusal", None))
        try:
            return super().handle(conn)
        finally:
            _REFUSAL.reset(token)

    def finish_request(self, conn: Connection, done: Future[Any]) -> None:
        """Give the thread to the next request, and read on from the connection."""
        if conn.release is not None:
            conn.release()
            self._next()
        if self.cfg.is_ssl:
            super().finish_request(conn, done)
            return
        conn.refusal = None
        if done.exception() is not None or not done.result():
            self._linger(conn)
            return
        try:
            conn.sock.setblocking(False)
            whole = conn.again(self.cfg.keepalive)
        except OSError:
            self._end(conn)
            return
        if whole:
            self.enqueue_req(conn)
        else:
            self._watch(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """End the connections that have nothing in hand, at the end of the worker."""
        super().murder_keepalived(force)
        if force:
            for conn in [*self._reading, *self._lingering]:
                self._end(conn)


def configured(settings: Settings) -> type[Worker]:
    """Return the class of workers with these settings."""
    return type(Worker.__name__, (Worker,), {"settings": settings})
