"""The web tier's way to the zygote of a state directory, which makes hosts: starts it, and ends one that hangs."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trivium.environment import ROOT, child_environment
from trivium.errors import ModelError
from trivium.process import end_process, readable
from trivium.session.config import Config
from trivium.session.folder import runtime_dir
from trivium.session.frames import GoneError, pack, receive, send, unpack
from trivium.session.zygote import ADDRESS, LOCK
from trivium.storage import locked

log = logging.getLogger(__name__)

#: How long a zygote may take to import what it needs, and a host to recover the session [s].
START = 120.0
#: How long a zygote may take to answer [s]; it waits for nobody itself.
ANSWER = 10.0


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
        #: Why no process for a session could be made the last time; empty when one could.
        self.failing = ""

    def fork(self, config: Config) -> socket.socket:
        """Have a host made; return the connection to it.

        Raises
        ------
        GoneError, OSError
            When the zygote ended, or cannot be reached; the next call starts another one.
        """
        self._keep()
        try:
            return self._ask({"what": "fork", "config": asdict(config)})
        except (GoneError, OSError):
            self.close()  # its lifeline may be all that is left of it
            raise

    def end_of(self, pid: int) -> int | None:
        """Return how a host ended, as ``os.waitpid`` reports it; None when nobody knows."""
        with contextlib.suppress(GoneError, OSError):
            for _ in range(10):
                status = self._reply({"what": "exit", "pid": pid})["status"]
                if status is not None:
                    return int(status)
                time.sleep(0.02)
        return None

    def is_opening(self, config: Config) -> bool:
        """Return whether the test case of a host that was asked for is still being opened.

        Where the zygote does not answer, it is ended.
        """
        try:
            return bool(self._reply({"what": "opening", "config": asdict(config)})["opening"])
        except (GoneError, OSError):
            self._end("does not answer")
            return False

    def renew(self, config: Config) -> None:
        """End the template from which no host comes; the next host gets another one."""
        try:
            renewed = self._reply({"what": "renew", "config": asdict(config)})["renewed"]
        except (GoneError, OSError):
            renewed = False
        if renewed:
            log.warning("no process for a session came from the template of %s; it was ended", config.resources)
        else:
            self._end("makes no processes for sessions")

    def close(self) -> None:
        """Need no hosts any more."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None

    def _reply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._ask(request) as sock:
            head, _ = unpack(receive(sock))
        return head

    def _ask(self, request: Mapping[str, Any]) -> socket.socket:
        sock = self._connect()
        try:
            send(sock, pack(request))
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(ANSWER)
        try:
            sock.connect(str(self._folder / ADDRESS))
        except BaseException:
            sock.close()
            raise
        return sock

    def _end(self, why: str) -> None:
        """End the zygote that there is; the hosts live on."""
        try:
            pid, started = map(int, (self._folder / LOCK).read_bytes().split())
        except (OSError, ValueError):
            return
        log.warning("the process that makes those of sessions (%d) %s; it was ended", pid, why)
        end_process(pid, started)

    def _keep(self) -> None:
        """Make sure that there is a zygote, and that it stays."""
        with self._lock:
            if self._lifeline is not None and self._owner == os.getpid():
                if not readable(self._lifeline, 0):  # a lifeline sends nothing until it ends
                    return
                self._lifeline.close()
            try:
                self._lifeline = self._ensure()
            except (ModelError, OSError):
                self.failing = "no process for a session can be started"
                raise
            self.failing, self._owner = "", os.getpid()
            send(self._lifeline, pack({"what": "lifeline"}))

    def _ensure(self) -> socket.socket:
        with contextlib.suppress(OSError):
            return self._connect()
        with locked(self._folder / "start.lock", START):
            deadline = time.monotonic() + START
            self._bury()
            started, unreachable = False, 0.0
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    return self._connect()
                if started and os.waitpid(self._pid, os.WNOHANG)[0]:
                    started = False  # it found another one: that is about to end, or nobody can reach it
                    unreachable = unreachable or time.monotonic()
                    if time.monotonic() - unreachable > ANSWER:
                        self._end("cannot be reached")
                        unreachable = 0.0
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
        inherited = child_environment(**threads, PYTHONPATH=str(ROOT))
        # settings may hold passwords, which FMUs need not read
        environment = {name: value for name, value in inherited.items() if not name.startswith("TRIVIUM_")}
        self._pid = os.posix_spawn(sys.executable, command, environment)
