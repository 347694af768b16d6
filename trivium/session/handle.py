"""The web tier's end of a session: finds its host or has one made, and finds out when it dies or hangs."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trivium.environment import ROOT, child_environment
from trivium.errors import ModelError, TriviumError
from trivium.process import readable, resident
from trivium.session.config import Config
from trivium.session.folder import Folder, Status, runtime_dir
from trivium.session.frames import Block, GoneError, pack, receive, send, unpack, unpack_value
from trivium.session.ledger import committed
from trivium.session.observer import Observer
from trivium.session.proxy import SERVED
from trivium.session.termination import kill
from trivium.storage import locked

#: How long a zygote may take to import what it needs, and a host to recover the session [s].
START = 120.0
#: How often a waiting client looks whether the host is well [s].
LOOK = 0.1
#: How often a request is sent again that no host had begun.
ATTEMPTS = 5


class Launcher:
    """Starts the zygote of a state directory when there is none, and keeps it alive.

    Parameters
    ----------
    state_dir : Path
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = runtime_dir(state_dir)
        self._lifeline: socket.socket | None = None
        self._owner = 0
        self._pid = 0  # of the zygote that this process started
        self._lock = threading.Lock()

    def fork(self, config: Config) -> socket.socket:
        """Have a host made; return the connection to it."""
        self._keep()
        return self._ask({"what": "fork", "config": asdict(config)})

    def end_of(self, pid: int) -> int | None:
        """Return how a host ended, as ``os.waitpid`` reports it; None when nobody knows."""
        with contextlib.suppress(GoneError, OSError):
            for _ in range(10):
                with self._ask({"what": "exit", "pid": pid}) as sock:
                    head, _ = unpack(receive(sock))
                if head["status"] is not None:
                    return int(head["status"])
                time.sleep(0.02)
        return None

    def close(self) -> None:
        """Need no hosts any more."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None

    def _ask(self, request: Mapping[str, Any]) -> socket.socket:
        sock = self._connect()
        send(sock, pack(request))
        return sock

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(START)
        try:
            sock.connect(str(self._folder / "zygote"))
        except BaseException:
            sock.close()
            raise
        return sock

    def _keep(self) -> None:
        """Make sure that there is a zygote, and that it stays."""
        with self._lock:
            if self._lifeline is not None and self._owner == os.getpid():
                if not readable(self._lifeline, 0):  # a lifeline sends nothing until it ends
                    return
                self._lifeline.close()
            self._lifeline = self._ensure()
            self._owner = os.getpid()
            send(self._lifeline, pack({"what": "lifeline"}))

    def _ensure(self) -> socket.socket:
        with contextlib.suppress(OSError):
            return self._connect()
        with locked(self._folder / "start.lock"):
            deadline = time.monotonic() + START
            self._bury()
            started = False
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    return self._connect()
                if started and os.waitpid(self._pid, os.WNOHANG)[0]:
                    started = False  # it found another one that was about to end
                    time.sleep(0.2)
                if not started:
                    self._start()
                    started = True
                time.sleep(0.01)
        raise ModelError("the process that makes sessions does not start; the server's log has more")

    def _bury(self) -> None:
        """Take leave of a zygote that this process started and that ended."""
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, os.WNOHANG)

    def _start(self) -> None:
        # a thread of a numerical library would not survive the fork
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [sys.executable, "-m", "trivium.session.zygote", str(self._state_dir)]
        environment = child_environment(**threads, PYTHONPATH=str(ROOT))
        self._pid = os.posix_spawn(sys.executable, command, environment)


class Handle:
    """Talks to the host of one session; any thread may call.

    Parameters
    ----------
    launcher : Launcher
    config : Config
    step_timeout : float
        How long a host may be busy with one request without progress [s]; more for a long sub-step, see `Status`.
    observer : Observer
    claim : callable, optional
        Is called before a host is made; raises `BusyError` where there may be none.
    """

    def __init__(
        self,
        launcher: Launcher,
        config: Config,
        step_timeout: float,
        observer: Observer,
        claim: Callable[[Folder], None] = lambda _: None,
    ) -> None:
        self._claim = claim
        self._observer = observer
        self._launcher = launcher
        self._config = config
        self._timeout = step_timeout
        self._folder = Folder(Path(config.state_dir), config.testid)
        self._pool: list[tuple[int, socket.socket]] = []  # with the process that opened it
        #: How the session was brought back when a host of it last started.
        self.restored = ""

    def call(
        self,
        method: str,
        arguments: Sequence[Any] = (),
        options: Mapping[str, Any] | None = None,
        clock: float | None = None,
        key: str | None = None,
    ) -> tuple[Any, str]:
        """Have the host do what it serves.

        Parameters
        ----------
        method : str
            Of `trivium.session.proxy.SERVED`.
        arguments : sequence
            What JSON can hold.
        options : Mapping, optional
            Named arguments.
        clock : float, optional
            Refuse when the session is elsewhere [s].
        key : str, optional
            A second request of the same key gets the reply of the first.

        Returns
        -------
        value : Any
        restored : str
            How the session was brought back; see docs/sessions.md.

        Raises
        ------
        TriviumError
            What the method raises; `ModelError` when the host died of the request.
        """
        name = os.urandom(16).hex()
        request = {
            "method": method, "args": list(arguments), "options": dict(options or {}), "id": name, "clock": clock,
            "key": key,
        }  # fmt: skip
        message = pack(request, verbatim=True)
        for _ in range(ATTEMPTS):
            sock = self._acquire()
            try:
                data = self._exchange(sock, message)
            except _DiedError as died:
                sock.close()
                outcome = self._after(name, method, died.busy_with == name)
                if outcome is None:
                    continue
                if isinstance(outcome, str):
                    cause = self._cause(died)
                    self._observer.host_died(self._config.testid, cause)
                    raise ModelError(f"{cause}. {outcome}") from died
                data = outcome
            else:
                self._pool.append((os.getpid(), sock))
            return unpack_value(data)
        raise ModelError("the process of this session keeps ending before it begins with the request: it was not done")

    def close(self) -> None:
        """Let go of the connections."""
        while self._pool:
            _, sock = self._pool.pop()
            sock.close()

    def _acquire(self) -> socket.socket:
        """Return a connection to a host that is ready."""
        while self._pool:
            owner, sock = self._pool.pop()
            if owner == os.getpid() and not readable(sock, 0):
                return sock
            sock.close()
        deadline = time.monotonic() + START
        failures = 0
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return self._connect()
            try:
                made = self._make()
            except _DiedError as died:
                failures += 1
                if died.why or failures == ATTEMPTS:
                    raise ModelError(
                        f"{self._cause(died)}, while the session was brought back to where it stood"
                    ) from died
            except (GoneError, OSError):
                pass  # a zygote that was killed; the next round starts another one
            else:
                if made is not None:
                    return made
            time.sleep(0.01)
        raise ModelError(f"no process could be started for this session within {START:.0f} s")

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(self._folder.socket))
        except BaseException:
            sock.close()
            raise
        return sock

    def _make(self) -> socket.socket | None:
        """Have a host made; None when there is one already, or the zygote died."""
        self._claim(self._folder)
        before, started = self._folder.status(), time.monotonic()
        sock = self._launcher.fork(self._config)
        try:
            data = self._wait(sock)
            head, _ = unpack(data)
            if "ready" in head:
                self.restored = head["restored"]
                if self.restored != "new":
                    self._observer.brought_back(self._config.testid, self.restored, time.monotonic() - started)
                return sock
            if "locked" not in head:
                unpack_value(data)  # raises the error of the host
        except _DiedError as died:
            sock.close()
            after = self._folder.status()
            if after is not None and (before is None or before[:2] != after[:2]):
                raise
            if died.why:
                raise
            return None
        except BaseException:
            sock.close()
            raise
        sock.close()
        return None

    def _exchange(self, sock: socket.socket, message: bytes) -> Block:
        try:
            send(sock, message)
        except GoneError as gone:
            raise _DiedError("", self._folder.status()) from gone
        return self._wait(sock)

    def _wait(self, sock: socket.socket) -> Block:
        """Wait for a message, and end a host that hangs or grows beyond the limit."""
        sock.settimeout(None)
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        status: Status | None = None
        while not poll.poll(LOOK * 1e3):
            status = self._folder.serving()
            if status is None:
                continue
            busy = time.monotonic() - status.busy_since if status.busy_since else 0.0
            memory = resident(status.pid)
            why = ""
            limit = self._timeout + status.allowed
            if busy > limit:
                why = f"the request took longer than {limit:g} s without progress and was ended"
            elif memory > self._config.memory:
                why = f"the request needed more memory than {self._config.memory / 2**20:.0f} MiB and was ended"
            if why:
                kill(status)
                raise _DiedError(why, status)
        try:
            return receive(sock)
        except GoneError as gone:
            raise _DiedError("", self._folder.status()) from gone

    def _after(self, name: str, method: str, busy: bool) -> Block | str | None:
        """Return the outcome of a request whose host died: its reply, an error, or None to send it again."""
        question = pack({"method": "outcome", "id": os.urandom(16).hex(), "of": name})
        deadline, data = time.monotonic() + START, None
        while data is None:
            try:
                sock = self._acquire()
            except TriviumError as error:
                return self._recorded(name, error)
            try:
                data = self._exchange(sock, question)
            except _DiedError as died:  # a host that is about to end still accepts connections
                sock.close()
                if time.monotonic() > deadline:
                    return self._recorded(name, ModelError(self._cause(died)))
                time.sleep(0.01)
        self._pool.append((os.getpid(), sock))
        head, _ = unpack(data)
        if "outcome" not in head:
            return data
        if head["outcome"] == "unknown" and not (busy and not SERVED[method].changes):
            return None
        return f"The session stands where it stood, at {head['time']}s: the request was not done"

    def _recorded(self, name: str, error: TriviumError) -> Block | str:
        """Return the outcome of a request of a session that no host can bring back now: the journal has it."""
        reply = committed(self._folder.journal, name)
        return reply or f"The request was not done, and the session cannot be brought back now: {error}"

    def _cause(self, died: _DiedError) -> str:
        if died.why:
            return died.why
        end = self._launcher.end_of(died.pid)
        if end is None:
            return "the process of the session ended"
        if os.WIFSIGNALED(end):
            number = os.WTERMSIG(end)
            return f"the process of the session was killed by signal {number} ({signal.Signals(number).name})"
        return f"the process of the session ended with exit code {os.WEXITSTATUS(end)}"


class _DiedError(Exception):
    """A host that is no more."""

    def __init__(self, why: str, status: Status | None) -> None:
        super().__init__(why)
        self.why = why
        self.pid = status.pid if status else 0
        self.busy_with = status.key.decode("ascii", "replace") if status and status.busy_since else ""
