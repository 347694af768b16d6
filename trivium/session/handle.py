"""The web tier's end of a session: finds its host or has one made, and finds out when it dies or hangs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium.errors import ModelError, StorageError, TriviumError
from trivium.process import readable
from trivium.session.config import Config
from trivium.session.folder import Folder, Status
from trivium.session.frames import Block, FrameError, GoneError, pack, receive, send, unpack, unpack_value
from trivium.session.launcher import START, Launcher
from trivium.session.ledger import committed
from trivium.session.observer import Observer
from trivium.session.patience import LOOK, HungError, Watch
from trivium.session.proxy import SERVED
from trivium.session.termination import kill

log = logging.getLogger(__name__)

_PEER = struct.Struct("=3i")
#: How often a request is sent again that no host had begun.
ATTEMPTS = 5


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
        who: str | None = None,
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
        who : str, optional
            Name of the token of who asks.

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
            "key": key, "who": who, "sent": time.time(),
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
            try:
                return unpack_value(data)
            except FrameError as error:
                raise ModelError(f"the process of this session replied with what cannot be read: {error}") from error
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
        failures, watch = 0, self._watch()
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
            try:
                watch.look()  # a host may hold the session that nobody can reach
            except HungError as hung:
                self._ended(hung)
            time.sleep(0.01)
        raise ModelError(f"no process could be started for this session within {START:.0f} s")

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(self._timeout)  # a host that was stopped takes no more of them in the end
        try:
            sock.connect(str(self._folder.socket))
            pid, _, _ = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            status = self._folder.status()
            if status is None or status.pid != pid:  # of a session of this name whose folder was removed
                raise ConnectionRefusedError(f"process {pid} does not serve this session")
        except BaseException:
            sock.close()
            raise
        sock.settimeout(None)  # the watch has the clock from here on
        return sock

    def _make(self) -> socket.socket | None:
        """Have a host made; None when there is one already, or the zygote died."""
        self._claim(self._folder)
        before, started = self._folder.status(), time.monotonic()
        sock = self._launcher.fork(self._config)
        try:
            data = self._first(sock)
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

    def _watch(self) -> Watch:
        return Watch(self._folder, self._timeout, self._config.memory)

    def _exchange(self, sock: socket.socket, message: bytes) -> Block:
        """Send a request and return the reply; a host that hangs or grows beyond the limit meanwhile is ended.

        Raises
        ------
        _DiedError
            When the host ended.
        """
        ready = self._watch().ready(sock)
        try:
            send(sock, message, ready)
            return receive(sock, ready)
        except GoneError as gone:
            raise _DiedError("", self._folder.status()) from gone
        except HungError as hung:
            raise self._ended(hung) from hung

    def _first(self, sock: socket.socket) -> Block:
        """Return the first message of a host that was asked for.

        Raises
        ------
        _DiedError
            When the host ended, or nobody became it.
        """
        sock.settimeout(None)  # the watch has the clock
        watch = self._watch()
        begun = since = time.monotonic()
        try:
            while not readable(sock, LOOK):
                now = time.monotonic()
                if watch.look() is not None:
                    since = now
                elif now - since > self._timeout:
                    if now - begun > START or not self._launcher.is_opening(self._config):
                        self._launcher.renew(self._config)
                        raise _DiedError("", self._folder.status())
                    since = now
            return receive(sock, watch.ready(sock))
        except GoneError as gone:
            raise _DiedError("", self._folder.status()) from gone
        except HungError as hung:
            raise self._ended(hung) from hung

    def _ended(self, hung: HungError) -> _DiedError:
        """End a host that hangs; return the error of those who wait for it."""
        log.warning("%s (process %d)", hung, hung.status.pid, extra={"session": self._config.testid})
        kill(hung.status)
        return _DiedError(str(hung), hung.status)

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
        if reply is None and isinstance(error, StorageError):
            raise StorageError(f"The request was not done: {error}") from error
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
