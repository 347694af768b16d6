"""The process that owns one session: it alone calls the plant, from its only thread."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import selectors
import signal
import socket
import time
from pathlib import Path

from trivium.confinement import confine
from trivium.environment import use_temporary
from trivium.errors import ModelError, StorageError, TriviumError, UnknownSessionError
from trivium.process import PAGE, resident
from trivium.session.address import Address
from trivium.session.config import Config
from trivium.session.folder import Folder, StatusFile
from trivium.session.frames import Block, GoneError, pack, pack_error, receive, send
from trivium.session.ledger import Ledger
from trivium.session.local import Prepared, prepare
from trivium.session.session import Session
from trivium.storage import LockedError

#: How long a host waits for the next web worker when it has none [s].
LINGER = 2.0
#: How long others may take to send a request or to take a reply [s].
PATIENCE = 20.0


class Host:
    """Serves one session until it is idle, alone, old or ended.

    Parameters
    ----------
    config : Config
    prepared : Prepared, optional
        The test case at its beginning; without it, it is opened.

    Raises
    ------
    LockedError
        When another host serves the session.
    TriviumError
        When the test case cannot be opened or recovered.
    """

    def __init__(self, config: Config, prepared: Prepared | None = None) -> None:
        self._config = config
        self._folder = Folder(Path(config.state_dir), config.testid)
        if not self._folder.exists():
            raise UnknownSessionError(config.testid)
        ledger = Ledger(self._folder.journal, config.durability)
        self._address = Address(self._folder.socket)
        work = self._folder.path / "work"
        work.mkdir(exist_ok=True)
        os.chdir(work)  # what an FMU writes beside itself stays with its session
        self._status = StatusFile(self._folder)
        self._status.write(time.monotonic(), "", self._status.clock)
        self._memory = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        if config.own_cache:
            self._confine(work / "tmp")
        if prepared is None:
            cache = Path(config.own_cache) if config.own_cache else None
            prepared = prepare(Path(config.resources), Path(config.state_dir), config.engine, cache)
        #: The session that it serves.
        self.session = Session(config, self._folder, ledger, prepared, self._status)
        self._status.write(0.0, "", self.session.clock)
        self._answering = self._dismissed = False
        self._first_memory = resident(os.getpid())
        _limit_address_space(config.memory)

    def _confine(self, temporary: Path) -> None:
        """Let the FMU, which a client brought, write into the folder of its session only, and reach nobody."""
        state_dir, cache = Path(self._config.state_dir), Path(self._config.own_cache)
        for folder in (temporary, cache, state_dir / "history"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        use_temporary(temporary)
        confinement = confine([self._folder.path, self._folder.place, cache, state_dir / "history"])
        self._folder.note_confinement(str(confinement))

    def serve(self, first: socket.socket) -> None:
        """Answer requests until there is a reason to end; the first client is connected already."""
        signal.signal(signal.SIGTERM, self._dismiss)
        with contextlib.suppress(FileNotFoundError):  # the default session needs no place
            self._folder.place.stat()
            self._folder.place.write_bytes(b"")  # it is this process's own now
        with contextlib.suppress(_DismissedError):
            self._serve(first)
        self.close()

    def _dismiss(self, *_: object) -> None:
        """End for the sake of other sessions, after the request in hand."""
        self._dismissed = True
        if not self._answering:
            raise _DismissedError

    def _serve(self, first: socket.socket) -> None:
        self._address.listen()
        listener = self._address.listener
        with listener, selectors.DefaultSelector() as selector:
            first.settimeout(PATIENCE)
            selector.register(listener, selectors.EVENT_READ)
            with contextlib.suppress(GoneError):
                send(first, pack({"ready": True, "restored": self.session.restored}))
                selector.register(first, selectors.EVENT_READ)
            used = time.monotonic()
            while True:
                self._answering = False
                if self._dismissed:
                    return
                events = selector.select(0.5)
                self._answering = True
                for key, _ in events:
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)  # noqa: S101, what was registered
                    if sock is listener:
                        client, _ = listener.accept()
                        client.settimeout(PATIENCE)
                        selector.register(client, selectors.EVENT_READ)
                        continue
                    try:
                        message = receive(sock)
                        used = time.monotonic()
                        send(sock, self._reply(message))
                    except (GoneError, StorageError):  # no message, or one that there is no space for
                        selector.unregister(sock)
                        sock.close()
                    if self._worn():
                        return
                clock = time.monotonic()
                if not events and clock - used > LINGER:
                    self.session.note_indicators()
                alone = len(selector.get_map()) == 1 and clock - used > LINGER
                if alone or clock - used > self._config.idle_timeout:
                    return

    def _reply(self, message: Block) -> bytes:
        """Do a request; whatever goes wrong, the client gets a reply and the process stays."""
        try:
            return self.session.answer(message)
        except Exception as error:
            return pack_error(TriviumError(f"{type(error).__name__}: {error}"))

    def close(self) -> None:
        """Let go of the session: who comes next finds it in the journal."""
        self._answering = True  # it is ending already
        self._address.remove()
        self.session.note_indicators()
        self._status.rest(self.session.clock)
        if not self._dismissed:  # then another session may have the place
            with contextlib.suppress(PermissionError):  # a confined host; it counts as gone with its process
                self._folder.place.unlink(missing_ok=True)
        self.session.close()

    def _worn(self) -> bool:
        """Return whether a fresh process should go on."""
        if self.session.lost or 0 < self._config.recycle_steps <= self.session.changes:
            return True
        limit = self._first_memory + (self._config.memory - self._first_memory) / 2
        pages = int(os.pread(self._memory, 100, 0).split()[1])
        return pages * PAGE > max(limit, self._first_memory)


class _DismissedError(BaseException):
    """The host is to end, and does nothing at the moment."""


#: Errors of a disk without room.
_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(config: Config, first: socket.socket, prepared: Prepared | None = None) -> None:
    """Be a host; does not return before the host ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; a host ends when nobody talks to it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(GoneError):  # who asked for a host may be gone before it is ready
        try:
            host = Host(config, prepared)
        except LockedError:
            send(first, pack({"locked": True}))
        except TriviumError as error:
            send(first, pack_error(error))
        except OSError as error:
            kind = StorageError if error.errno in _FULL else ModelError
            send(first, pack_error(kind(f"the session cannot be opened: {error.strerror or error}")))
        except Exception as error:
            send(first, pack_error(ModelError(f"the session cannot be opened: {type(error).__name__}: {error}")))
        else:
            host.serve(first)


def _limit_address_space(memory: int) -> None:
    """Let allocations fail far beyond the limit: the watchdog looks at the real memory, but only now and then."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = size + 2 * memory
    resource.setrlimit(resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
