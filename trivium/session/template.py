"""A process that has opened a test case, and forks the hosts of it: the zygote keeps one template a test case.

A few of its children wait to become hosts, since a fork takes longer than all that a host then has to do. It holds the
binary of the FMU, but no instance that was ever started, and no thread. It may die of the FMU: then hosts open the test
case themselves, and report what is wrong with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trivium.errors import ModelError, TriviumError
from trivium.process import die_with, leave, outlive_parent
from trivium.session.frames import GoneError

#: How long it may take to open a test case [s].
PATIENCE = 100
#: After that time a template ends itself; the zygote ends one that did not [s].
_GRACE = 5.0
#: How many children of a template wait to become hosts, and how many of those may die before the template gives up.
SPARE, DEATHS = 2, 10
_READY = b"ready"
_END, _PID = struct.Struct("<qq"), struct.Struct("<q")


class Template:
    """The zygote's end of a template.

    Parameters
    ----------
    config : Mapping
        Of the first host that is wanted; see `trivium.session.config.Config`.
    detach : Callable
        Called in the new process: lets go of what is the zygote's.
    """

    def __init__(self, config: Mapping[str, Any], detach: Callable[[], None]) -> None:
        #: Readable when there is news.
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ready = False
        zygote = os.getpid()

        def work() -> None:
            die_with(zygote)
            detach()
            self.control.close()
            with contextlib.suppress(TriviumError):  # the host that opens the test case itself reports it
                _Forking(theirs, config).serve()

        pid = os.fork()
        if pid == 0:
            leave(work)
        self._process = os.pidfd_open(pid)
        self._late = time.monotonic() + PATIENCE + _GRACE
        theirs.close()
        self.control.setblocking(False)

    def pass_on(self, config: Mapping[str, Any], sock: socket.socket) -> bool:
        """Have a host made for a client; return whether the template took it."""
        try:
            socket.send_fds(self.control, [json.dumps(config).encode()], [sock.fileno()])
        except OSError:
            return False
        return True

    def news(self) -> Iterator[tuple[int, int]]:
        """Take the news: process ids of hosts that ended, and how.

        Raises
        ------
        GoneError
            When the template ended.
        """
        while True:
            try:
                message = self.control.recv(_END.size)
            except BlockingIOError:
                return
            except OSError as error:
                raise GoneError(str(error)) from error
            if not message:
                raise GoneError("the template ended")
            self.ready = True
            if message != _READY:
                yield _END.unpack(message)

    @property
    def late(self) -> bool:
        """Whether it takes longer to open the test case than it may, and did not end by itself: it was stopped."""
        return not self.ready and time.monotonic() > self._late

    def kill(self) -> None:
        """End it, and its spare children with it."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def close(self) -> None:
        """Need no more hosts of it."""
        self.control.close()
        if self._process >= 0:
            os.close(self._process)
            self._process = -1


class _Forking:
    """The template itself.

    Its spare children wait for a host that is wanted; the one that takes it reports it, and gets a successor.
    """

    def __init__(self, control: socket.socket, config: Mapping[str, Any]) -> None:
        from trivium.session.local import prepare

        self._control = control
        signal.alarm(PATIENCE)
        self._prepared = prepare(Path(config["resources"]), Path(config["state_dir"]), config["engine"])
        signal.alarm(0)
        if not self._prepared.decided:
            raise ModelError("the FMU could not be qualified yet; the next host tries again")
        gc.collect()
        gc.freeze()  # the pages of what is there stay shared with the hosts
        self._said, self._say = os.pipe()  # by spare children that became hosts: their process id
        self._children: dict[int, int] = {}  # process handle -> process id
        self._spare: set[int] = set()
        self._poll = select.poll()
        self._poll.register(self._said, select.POLLIN)
        self._poll.register(control, 0)  # reports when the zygote is gone; what it wants is the children's to read

    def serve(self) -> None:
        """Fork until the zygote needs no hosts any more, or spare children keep dying."""
        self._control.send(_READY)
        died = 0
        while died < DEATHS:
            while len(self._spare) < SPARE:
                self._fork()
            events = {handle for handle, _ in self._poll.poll()}
            if self._control.fileno() in events:
                return
            if self._said in events:  # before those that ended: a host may have been one of them
                self._spare.difference_update(pid for (pid,) in _PID.iter_unpack(os.read(self._said, 64 * _PID.size)))
            died += sum(self._bury(handle) for handle in events & self._children.keys())

    def _fork(self) -> None:
        template = os.getpid()
        pid = os.fork()
        if pid == 0:
            leave(lambda: self._wait(template))
        handle = os.pidfd_open(pid)
        self._children[handle] = pid
        self._spare.add(pid)
        self._poll.register(handle, select.POLLIN)

    def _bury(self, handle: int) -> bool:
        """Report to the zygote how a child ended; return whether it was a spare one."""
        self._poll.unregister(handle)
        os.close(handle)
        pid, status = os.waitpid(self._children.pop(handle), 0)
        self._control.send(_END.pack(pid, status))
        was_spare = pid in self._spare
        self._spare.discard(pid)
        return was_spare

    def _wait(self, template: int) -> None:
        """Be a spare child, then a host."""
        from trivium.session import host
        from trivium.session.config import Config

        die_with(template)
        for handle in (*self._children, self._said):
            os.close(handle)
        if self._prepared.case.can_restore and not self._prepared.case.stepper.model.isolated:
            with contextlib.suppress(TriviumError):
                self._prepared.case.look_ahead()  # what a first step needs is in memory then
        try:
            data, handles, _, _ = socket.recv_fds(self._control, 2**16, 1)
        except OSError:  # the zygote was killed
            return
        if not handles:
            return
        outlive_parent()
        with contextlib.suppress(OSError):  # the template was killed
            os.write(self._say, _PID.pack(os.getpid()))
        os.close(self._say)
        self._control.close()
        with socket.socket(fileno=handles[0]) as sock:
            host.run(Config(**json.loads(data)), sock, self._prepared)
