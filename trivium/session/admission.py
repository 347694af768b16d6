"""Who may have a session, and whose process runs: as many as the settings allow; others wait their turn or are refused.

Sessions that are stored and processes that run are counted apart. A session whose process ended needs a place again
before the next one is made. Where all places are taken, the process that has been idle for longest gives its own up, if
that is long enough; its session stays, and its next request takes a place again.

``.places/<test id>`` exists for each process: empty once it serves its session, before that it names the web worker
that has it made. A session that waits has a file ``queued`` in its folder, which is touched whenever its client asks;
who does not ask for `PATIENCE` gives up the place. When there is room, the one that waits longest goes first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trivium.errors import BusyError, StorageError, UnknownSessionError
from trivium.process import process_start
from trivium.session.folder import Folder, Status
from trivium.session.termination import dismiss, end_session
from trivium.storage import locked

#: When a client that found no room should come again [s].
RETRY_AFTER = 5
#: How long a session waits for a client that does not ask [s].
PATIENCE = 60.0
#: How long a process may be in the making [s].
MAKING = 120.0
#: How long another worker may keep this one from making sessions [s]; one that was stopped is replaced before.
WAIT = 30.0
#: How often sessions are looked for that nobody uses any more [s].
LOOK = 60.0


class Limits(NamedTuple):
    """How many sessions there may be; the default session does not count.

    Attributes
    ----------
    running : int
        Most processes.
    stored : int
        Most sessions.
    idle : float
        How long a process must be idle before it gives up its place [s].
    expiry : float
        After how long without requests a session is removed [s]; 0 for never.
    """

    running: int
    stored: int
    idle: float
    expiry: float


class Admission:
    """Makes the folders of sessions and gives places to their processes, shared by all web workers.

    Parameters
    ----------
    state_dir : Path
    limits : Limits
    default : str
        Test id of the default session.

    Raises
    ------
    StorageError
        When the state directory cannot be written.
    """

    def __init__(self, state_dir: Path, limits: Limits, default: str) -> None:
        self._state_dir = state_dir
        self._sessions = state_dir / "sessions"
        self._places = self._sessions / ".places"
        self._limits = limits
        self._default = default
        self._looked = -LOOK
        try:
            self._places.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"the state directory {state_dir} cannot be written: {error.strerror}") from error

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other workers from making sessions.

        Raises
        ------
        BusyError
            When another one does so for too long, which may have been stopped.
        StorageError
        """
        try:
            with locked(self._sessions / ".lock", WAIT):
                yield
        except TimeoutError as error:
            raise BusyError(f"The folder of sessions cannot be used: {error.strerror}.", RETRY_AFTER, 1) from error
        except OSError as error:
            raise StorageError(f"the folder {self._sessions} cannot be written: {error.strerror}") from error

    def testids(self) -> list[str]:
        """Return the test ids of all sessions, those that wait too."""
        # `Folder.exists` of each, without making a folder's paths: there may be thousands
        there = (f"{self._sessions}/{name}" for name in self._names())
        made = (path for path in there if os.path.exists(f"{path}/about.json") or os.path.exists(f"{path}/journal"))
        return sorted(os.path.basename(path) for path in made)

    def admit(
        self,
        testcase: str,
        testid: str,
        *,
        wait: bool = False,
        owner: str | None = None,
        check: Callable[[], None] = lambda: None,
        origin: Mapping[str, Any] | None = None,
    ) -> Folder:
        """Make the folder of a further session; one that exists stays as it is.

        Parameters
        ----------
        testcase : str
            Its id.
        testid : str
            Of the session.
        wait : bool
            Whether the session may wait its turn where there is no room.
        owner : str, optional
            Who has it made.
        check : callable, optional
            Raises where it may not be made; called while nobody else makes one.
        origin : Mapping, optional
            Where it goes on from: ``parent`` and ``forked_at``.

        Raises
        ------
        BusyError
            When there is no room; reports how many wait before.
        """
        self.expire()
        folder = Folder(self._state_dir, testid)
        with self.alone():
            if folder.exists():
                return folder
            check()
            stored, waiting = len(self._names()), self._waiting()
            if stored - (self._default in self._names()) >= self._limits.stored:
                raise BusyError(
                    f"This server keeps {stored} sessions, as many as it may. Stop one (PUT /stop/<testid>), or come "
                    f"again when one has expired.",
                    RETRY_AFTER,
                    len(waiting) + 1,
                )
            description = {"testcase": testcase, "created": time.time(), "owner": owner, **(origin or {})}
            if self._room(len(waiting)):
                folder.create(description)
                self._take(folder)
            elif wait:
                folder.create(description, queued=True)
            else:
                raise self._full(len(waiting))
        return folder

    def claim(self, folder: Folder) -> None:
        """Take a place for the process of a session that exists; once it serves, that is the process's own.

        Raises
        ------
        BusyError
            When all are taken by others.
        """
        if folder.testid == self._default:
            return
        with self.alone():
            if folder.testid in self._running():
                return
            waiting = self._waiting()
            if not self._room(0):
                raise self._full(len(waiting))
            self._take(folder)

    def release(self, folder: Folder) -> None:
        """Give up a place whose process is not made yet."""
        folder.place.unlink(missing_ok=True)

    def place(self, folder: Folder) -> int:
        """Return how many sessions wait up to this one, 0 when it need not wait: there may be room by now."""
        if not folder.queued.exists():
            return 0
        with self.alone():
            with contextlib.suppress(FileNotFoundError):
                os.utime(folder.queued)
            waiting = self._waiting()
            if folder.testid not in waiting:
                return 0
            place = waiting.index(folder.testid) + 1
            if not self._room(place - 1):
                return place
            self._take(folder)
            folder.queued.unlink()
        return 0

    def expire(self) -> None:
        """Remove sessions that nobody has used for long; looks at them once in a while only."""
        clock = time.monotonic()
        if not self._limits.expiry or clock - self._looked < LOOK:
            return
        self._looked = clock
        for testid in self.testids():
            folder = Folder(self._state_dir, testid)
            idle = time.time() - folder.last_used() > self._limits.expiry
            if idle and testid != self._default and folder.serving() is None and not folder.queued.exists():
                with contextlib.suppress(UnknownSessionError):
                    end_session(self._state_dir, folder)

    def _names(self) -> list[str]:
        return [name for name in os.listdir(self._sessions) if not name.startswith(".")]

    def _take(self, folder: Folder) -> None:
        folder.place.write_text(f"{os.getpid()} {process_start(os.getpid())}")

    def _running(self) -> dict[str, Status | None]:
        """Return who serves each session that has a place, None where its process is being made."""
        running: dict[str, Status | None] = {}
        for testid in os.listdir(self._places):
            folder = Folder(self._state_dir, testid)
            status = folder.serving()
            if status is not None or _in_the_making(folder.place):
                running[testid] = status
            else:
                folder.place.unlink(missing_ok=True)
        return running

    def _room(self, before: int) -> bool:
        """Return whether there is a place besides those of some that wait, if need be after making one."""
        running = self._running()
        excess = len(running) + before + 1 - self._limits.running
        if excess <= 0:
            return True
        idle = []
        for testid, status in running.items():
            since = time.time() - Folder(self._state_dir, testid).last_used()
            if status is not None and not status.busy_since and since >= self._limits.idle:
                idle.append((since, testid, status))
        if before or len(idle) < excess:
            return False
        for _, testid, status in sorted(idle, key=lambda each: each[0], reverse=True)[:excess]:
            dismiss(status)
            Folder(self._state_dir, testid).place.unlink(missing_ok=True)
        return True

    def _full(self, waiting: int) -> BusyError:
        return BusyError(
            f"There are {len(self._running())} sessions in use, as many as this server takes. Stop one, come again, or "
            f"wait with select-async.",
            RETRY_AFTER,
            waiting + 1,
        )

    def _waiting(self) -> list[str]:
        """Return the test ids of the sessions that wait, the longest first; forget those that nobody asks for."""
        waiting = []
        for testid in self._names():
            folder = Folder(self._state_dir, testid)
            since = folder.queued_since()
            if since is None:
                continue
            if time.time() - folder.queued.stat().st_mtime > PATIENCE:
                shutil.rmtree(folder.path, ignore_errors=True)
            else:
                waiting.append((since, testid))
        return [testid for _, testid in sorted(waiting)]


def _in_the_making(place: Path) -> bool:
    """Return whether the web worker still lives that has a process made."""
    try:
        pid, _, started = place.read_text().partition(" ")
        young = time.time() - place.stat().st_mtime < MAKING
        return young and process_start(int(pid)) == int(started)
    except (OSError, ValueError):
        return False
