"""Processes that are forked from a clean interpreter, for work that may kill its process.

A `Template` is a new interpreter that has imported what its processes need and does none of their work. So a crash is
a finding, and what native code leaves in static memory ends with its process.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from trivium.environment import child_environment
from trivium.errors import ModelError
from trivium.process import die_with, leave

_PID = struct.Struct("<q")
_FORK, _END = b"fork", b"end"
#: How long a template may take to import what it needs [s].
_PATIENCE = 120.0


class LostError(ModelError):
    """The process of a model ended, or did not answer in time.

    Parameters
    ----------
    message : str
    decided : bool
        Whether that is the model's own doing: False when the process was killed from outside, or was only slow.
    late : bool
        Whether it did not answer in time.
    """

    def __init__(self, message: str, *, decided: bool, late: bool = False) -> None:
        super().__init__(message)
        self.decided, self.late = decided, late


class Template:
    """A new interpreter that forks processes; it ends with this one.

    Parameters
    ----------
    work : str
        ``module:function``, what the processes do: the function is called with the connection to this process. If the
        module has a function ``prepare``, it is called once, before any process is forked.
    """

    def __init__(self, work: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.owner = os.getpid()
        self._lock = threading.Lock()  # for a request and its answer
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
        code = "import sys; from trivium.forks import serve; serve(int(sys.argv[1]), sys.argv[2])"
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-c", code, str(theirs.fileno()), work],
                env=child_environment(PYTHONPATH=paths),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(_PATIENCE)

    @property
    def alive(self) -> bool:
        """Whether the process that forks others is there."""
        return self._process.poll() is None

    def fork(self) -> tuple[int, socket.socket]:
        """Have a process made; return its id and the connection to it.

        Raises
        ------
        LostError
            When the template itself is gone.
        """
        mine, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                socket.send_fds(self._control, [_FORK], [theirs.fileno()])
                return self._answer(), mine
        except OSError as error:
            mine.close()
            raise LostError(f"the process that makes others is gone: {error}", decided=False) from error
        except BaseException:
            mine.close()
            raise

    def end(self, pid: int) -> int:
        """End a process that was forked; return how it ended, as ``os.waitpid`` reports it."""
        with self._lock:
            with contextlib.suppress(OSError):  # the answer shows it
                self._control.send(_END + _PID.pack(pid))
            return self._answer()

    def _answer(self) -> int:
        try:
            data = self._control.recv(_PID.size)
        except OSError as error:
            raise LostError(f"the process that makes others does not answer: {error}", decided=False) from error
        if not data:
            raise LostError("the process that makes others has ended", decided=False)
        return int(_PID.unpack(data)[0])

    def close(self) -> None:
        """End it and all that it forked."""
        self._control.close()
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def how_it_ended(status: int) -> tuple[str, bool]:
    """Return how a process ended, in words, and whether that is its own doing and not that of a signal from outside.

    Parameters
    ----------
    status : int
        As ``os.waitpid`` reports it.
    """
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}", True
    return signal.Signals(-code).name, -code not in (signal.SIGKILL, signal.SIGTERM)


#: By the process that they belong to, since a fork has its own, and by their work.
_SHARED: dict[tuple[int, str], Template] = {}
_SHARING = threading.Lock()


def shared_template(work: str) -> Template:
    """Return the template of this process for a kind of work; made when it is first needed, or when it was killed."""
    key = os.getpid(), work
    with _SHARING:
        template = _SHARED.get(key)
        if template is None or not template.alive:
            template = _SHARED[key] = Template(work)
            atexit.register(template.close)
        return template


def serve(handle: int, work: str) -> None:
    """Be a template: fork and end processes until nobody needs any more."""
    name, _, attribute = work.partition(":")
    module = importlib.import_module(name)
    getattr(module, "prepare", lambda: None)()
    function: Callable[[Connection], None] = getattr(module, attribute)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that needs it
    with socket.socket(fileno=handle) as control:
        while True:
            message, handles, _, _ = socket.recv_fds(control, 64, 1)
            if not message:
                return
            if message == _FORK:
                control.send(_PID.pack(_fork(handles[0], control, function)))
                continue
            (pid,) = _PID.unpack(message[len(_END) :])
            os.kill(pid, signal.SIGKILL)  # does nothing to one that has ended: it waits to be buried
            control.send(_PID.pack(os.waitpid(pid, 0)[1]))


def _fork(handle: int, control: socket.socket, work: Callable[[Connection], None]) -> int:
    template = os.getpid()
    pid = os.fork()
    if pid == 0:

        def live() -> None:
            die_with(template)
            control.close()
            with Connection(handle) as connection:
                work(connection)

        leave(live)
    os.close(handle)
    return pid
