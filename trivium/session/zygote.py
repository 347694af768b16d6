"""The process that all hosts come from: it has imported what takes seconds, and holds no plant and no thread.

Hosts are forked from a template that has opened their test case (`trivium.session.template`), or from the zygote
itself.

``python -m trivium.session.zygote <state directory>``. One a state directory; it ends when no server needs it any more.
On its socket, a connection sends one word: ``lifeline`` (stay, for as long as this connection is open), ``fork`` (make
a host; the connection is the new host's from then on), ``exit`` (how did this process end?), ``opening`` (is the test
case still being opened?) or ``renew`` (end the template of this test case; no host comes from it).
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from trivium.errors import StorageError
from trivium.process import adopt_orphans, leave, process_start
from trivium.session.address import Address
from trivium.session.folder import runtime_dir
from trivium.session.frames import GoneError, pack, receive, send, unpack
from trivium.session.signature import Signature, signature
from trivium.session.template import Template
from trivium.storage import LockedError, acquire

#: Names in the folder of sockets: where a zygote listens, and the lock of the one that there is.
ADDRESS, LOCK = "zygote", "zygote.lock"
#: How long a zygote waits for the first server, and for the next one [s].
FIRST, NEXT = 60.0, 2.0
#: How many ends of processes are remembered.
ENDS = 1000
#: How many templates there are at most, and when one that could not be opened is tried again [s].
TEMPLATES, RETRY = 8, 30.0


class Zygote:
    """Forks hosts.

    Parameters
    ----------
    listener : socket.socket
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lifelines: set[socket.socket] = set()
        self._ends: dict[int, int] = {}
        self._templates: dict[Signature, Template] = {}
        self._failed: dict[Signature, float] = {}  # when
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer until nobody needs hosts any more."""
        needed = time.monotonic() + FIRST - NEXT
        while self._lifelines or time.monotonic() - needed < NEXT:
            for key, _ in self._selector.select(0.2):
                sock = key.fileobj
                if sock is self._listener:
                    self._greet()
                elif isinstance(sock, socket.socket):
                    if sock not in self._lifelines:
                        self._look_at(sock)
                        continue
                    self._selector.unregister(sock)  # a lifeline that ended
                    self._lifelines.discard(sock)
                    sock.close()
                    needed = time.monotonic()
            self._reap()
            self._end_late()

    def _greet(self) -> None:
        sock, _ = self._listener.accept()
        sock.settimeout(5.0)
        try:
            request, _ = unpack(receive(sock))
            if request["what"] == "lifeline":
                self._lifelines.add(sock)
                self._selector.register(sock, selectors.EVENT_READ)
                return
            if request["what"] == "fork":
                self._fork(request["config"], sock)
            else:
                send(sock, pack(self._reply(request)))
        except (GoneError, StorageError):  # no message, or one that there is no space for
            pass
        sock.close()

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["what"] == "exit":
            self._reap()
            return {"status": self._ends.get(request["pid"])}
        key = _key(request["config"])
        template = None if key is None else self._templates.get(key)
        if request["what"] == "opening":
            return {"opening": template is not None and not template.ready}
        if key is not None and template is not None:  # no host came from it
            template.kill()
            self._forget(key)
        return {"renewed": template is not None}

    def _fork(self, config: dict[str, Any], sock: socket.socket) -> None:
        template = self._template(config, sock)
        if template is not None and template.pass_on(config, sock):
            return
        if os.fork() == 0:
            leave(lambda: self._be_host(config, sock))

    def _be_host(self, config: dict[str, Any], sock: socket.socket) -> None:
        from trivium.session import host
        from trivium.session.config import Config

        self._detach()
        host.run(Config(**config), sock)

    def _template(self, config: dict[str, Any], sock: socket.socket) -> Template | None:
        """Return the template of a test case, made when there is none; None where one could not be opened lately.

        An FMU that a client brought has none: its code runs in hosts only, which are confined each to its own session.
        """
        key = None if config["own_cache"] else _key(config)
        if key is None or time.monotonic() - self._failed.get(key, -RETRY) < RETRY:
            return None
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(config, lambda: self._detach(sock))
            self._selector.register(template.control, selectors.EVENT_READ)
            while len(self._templates) > TEMPLATES:
                self._forget(next(iter(self._templates)))
        return template

    def _look_at(self, control: socket.socket) -> None:
        """Take the news of a template."""
        for key, template in list(self._templates.items()):
            if template.control is control:
                try:
                    for pid, status in template.news():
                        self._ended(pid, status)
                except GoneError:
                    if not template.ready:
                        self._failed[key] = time.monotonic()
                    self._forget(key)

    def _end_late(self) -> None:
        """End templates that take too long to open their test case, though they should end by themselves."""
        for key in [key for key, template in self._templates.items() if template.late]:
            self._templates[key].kill()
            self._failed[key] = time.monotonic()
            self._forget(key)

    def _forget(self, key: Signature) -> None:
        template = self._templates.pop(key)
        self._selector.unregister(template.control)
        template.close()

    def _detach(self, *connections: socket.socket) -> None:
        """In a child: keep no connection of others alive."""
        self._selector.close()
        self._listener.close()
        for connection in (*self._lifelines, *connections):
            connection.close()
        for template in self._templates.values():
            template.close()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                self._ended(pid, status)

    def _ended(self, pid: int, status: int) -> None:
        self._ends[pid] = status
        while len(self._ends) > ENDS:
            del self._ends[next(iter(self._ends))]


def _key(config: dict[str, Any]) -> Signature | None:
    """Return the name of the template that makes hosts of a configuration."""
    return signature(Path(config["resources"]), config["engine"])


def warm_up() -> None:
    """Import all that a host needs, and start no thread."""
    import fmpy.fmi2  # noqa: F401

    import trivium.model.fmu.fmpy_
    import trivium.session.host  # noqa: F401
    from trivium.simulation.plant import plants

    list(plants())

    gc.collect()
    gc.freeze()  # the pages of what is imported stay shared with the hosts


def _sign(file: int) -> None:
    """Write who this process is into a file, for those who have to end it."""
    os.ftruncate(file, 0)
    os.write(file, b"%d %d" % (os.getpid(), process_start(os.getpid())))


def main(state_dir: Path) -> int:
    """Be the zygote of a state directory."""
    folder = runtime_dir(state_dir)
    try:
        lock = acquire(folder / LOCK, opened=_sign)  # the hosts that are forked do not hold it
    except LockedError:
        return 0  # there is a zygote
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    with contextlib.closing(Address(folder / ADDRESS)) as address:
        address.listen()
        warm_up()
        Zygote(address.listener).serve()
        address.remove()
    lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
