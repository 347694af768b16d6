"""An adapter in a process of its own: whatever the FMU does there ends with that process.

A `Template` is a new interpreter that has imported what an adapter needs and never loads an FMU. It forks a process for
each `Life`: from the making of an instance to its end. So a crash is a finding, and static memory of a binary, which
some FMUs carry from one initialization to the next, is new in every life.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trivium.environment import child_environment
from trivium.errors import EndedError, ModelError, ResourcesError, TriviumError
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import Solving
from trivium.process import die_with, leave

_PID = struct.Struct("<q")
_FORK, _END = b"fork", b"end"
#: How long a template may take to import what it needs [s].
_PATIENCE = 120.0
#: Errors that cross the pipe as they are; all others become a ModelError.
_ERRORS = {each.__name__: each for each in (ModelError, EndedError, ResourcesError)}


class LostError(ModelError):
    """The process of an FMU ended, or did not answer in time.

    Parameters
    ----------
    message : str
    decided : bool
        Whether that is the FMU's own doing: False when the process was killed from outside, or was only slow.
    late : bool
        Whether it did not answer in time.
    """

    def __init__(self, message: str, *, decided: bool, late: bool = False) -> None:
        super().__init__(message)
        self.decided, self.late = decided, late


class Template:
    """A new interpreter that forks processes for FMUs; it ends with this one."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.owner = os.getpid()
        paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
        code = "import sys; from trivium.model.fmu.apart import serve; serve(int(sys.argv[1]))"
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-c", code, str(theirs.fileno())],
                env=child_environment(PYTHONPATH=paths),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control.settimeout(_PATIENCE)

    def fork(self) -> tuple[int, socket.socket]:
        """Have a process made; return its id and the connection to it.

        Raises
        ------
        LostError
            When the template itself is gone.
        """
        mine, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [_FORK], [theirs.fileno()])
            return self._answer(), mine
        except BaseException:
            mine.close()
            raise

    def end(self, pid: int) -> int:
        """End a process that was forked; return how it ended, as ``os.waitpid`` reports it."""
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


class Life:
    """An adapter in a process of its own.

    Parameters
    ----------
    template : Template
    description : FmuDescription
    engine : str
    solving : Solving

    Raises
    ------
    ResourcesError, ModelError
        When the adapter cannot be made.
    """

    def __init__(self, template: Template, description: FmuDescription, engine: str, solving: Solving) -> None:
        self._template = template
        self._pid, sock = template.fork()
        self._connection = Connection(sock.detach())
        try:
            self.call("make", description, engine, solving)
        except BaseException:
            self.end()
            raise

    def call(self, method: str, *arguments: Any, deadline: float | None = None) -> Any:
        """Call a method of the adapter.

        Parameters
        ----------
        method : str
        arguments
            What can be pickled.
        deadline : float, optional
            When to give up, on the clock of ``time.monotonic`` [s].

        Raises
        ------
        ModelError, ResourcesError
            What the adapter raises.
        LostError
            When the process ends, or the time is over; it is of no use then.
        """
        try:
            self._connection.send((method, arguments))
            if deadline is not None and not self._connection.poll(max(0.0, deadline - time.monotonic())):
                self.end()
                raise LostError("it does not answer in time", decided=False, late=True)
            error, value = self._connection.recv()
        except (OSError, EOFError):
            raise self._lost() from None
        if error is not None:
            raise _ERRORS.get(error, ModelError)(value)
        return value

    def end(self) -> int:
        """End the process, whatever it does; return how it ended."""
        self._connection.close()
        pid, self._pid = self._pid, 0
        return self._template.end(pid) if pid and self._template.owner == os.getpid() else 0

    def _lost(self) -> LostError:
        code = os.waitstatus_to_exitcode(self.end())
        if code >= 0:
            return LostError(f"its process ended with exit code {code}", decided=True)
        name = signal.Signals(-code).name
        return LostError(f"its process ended with {name}", decided=-code not in (signal.SIGKILL, signal.SIGTERM))


#: By the process that they belong to; a fork has its own.
_SHARED: dict[int, Template] = {}


def shared_template() -> Template:
    """Return the template of this process, made when it is first needed."""
    template = _SHARED.get(os.getpid())
    if template is None:
        template = _SHARED[os.getpid()] = Template()
        atexit.register(template.close)
    return template


def serve(handle: int) -> None:
    """Be a template: fork and end processes until nobody needs any more."""
    import trivium.model.fmu.registry  # noqa: F401 - the children need it

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that needs it
    with socket.socket(fileno=handle) as control:
        while True:
            message, handles, _, _ = socket.recv_fds(control, 64, 1)
            if not message:
                return
            if message == _FORK:
                control.send(_PID.pack(_fork(handles[0], control)))
                continue
            (pid,) = _PID.unpack(message[len(_END) :])
            os.kill(pid, signal.SIGKILL)  # does nothing to one that has ended: it waits to be buried
            control.send(_PID.pack(os.waitpid(pid, 0)[1]))


def _fork(handle: int, control: socket.socket) -> int:
    template = os.getpid()
    pid = os.fork()
    if pid == 0:

        def live() -> None:
            die_with(template)
            control.close()
            with Connection(handle) as connection:
                _live(connection)

        leave(live)
    os.close(handle)
    return pid


def _live(connection: Connection) -> None:
    """Be the process of an adapter: do what its other end asks for."""
    from trivium.model.fmu.registry import adapter

    model: Any = None
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            return
        answer: tuple[str | None, Any]
        try:
            if method == "make":
                description, engine, solving = arguments
                model = adapter(engine, description)(description, solving)
                answer = None, None
            else:
                answer = None, getattr(model, method)(*arguments)
        except TriviumError as error:
            answer = type(error).__name__, str(error)
        except Exception as error:
            answer = ModelError.__name__, f"{type(error).__name__}: {error}"
        connection.send(answer)
