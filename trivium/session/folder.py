"""The folder of a session: where its files lie, and the small ones among them.

::

    <state directory>/sessions/<test id>/
      about.json        which test case it is, when it was made, and a checksum of that
      damaged           there while the session is refused because something of it is damaged: what
      queued            there while the session waits for room: since when
      journal/          see trivium/session/journal.py
      labels.json       what clients call it, see trivium/session/labels.py
      indicators.json   its indicators, which its host notes when nobody asks it for anything, and at its end
      listed.json       its scenario and the inputs set by hand, which its host notes for listings
      rows/             see trivium/session/rows.py
      snapshots/<id>/   see trivium/session/snapshots.py
      events.jsonl      see trivium/session/events.py
      status            who serves it, and since when it has been busy with which request
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import struct
import tempfile
import time
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from trivium.errors import DamagedError, StorageError
from trivium.process import process_start
from trivium.storage import is_locked, replace_file

_STATUS = struct.Struct("<QQdd32sdQQ")
#: Name of the checksum of a description, among its parts.
_CHECKSUM = "checksum"
_CRC = struct.Struct("<I")
#: How often a status is read that is just being written.
_TRIES = 3
#: How often the progress of a request is recorded [s].
_PULSE = 1.0
#: How many times longer a sub-step may take than those before it, for each simulated second.
_SLOWER = 10.0
#: No process starts then.
_NEVER = 2**64 - 1
#: Unix socket addresses end at 108 bytes.
_LONGEST = 100
#: Link from a folder of sockets elsewhere to the state directory that it belongs to.
_OF = "state"


class Status(NamedTuple):
    """Who serves a session.

    Attributes
    ----------
    pid : int
    started : int
        Start of the process in clock ticks since boot; pids get reused.
    busy_since : float
        ``time.monotonic()`` at which the request began, or last made progress; 0 when idle.
    allowed : float
        How long it may take until its next progress, beyond the limit of any request [s].
    key : bytes
        The request.
    clock : float
        Clock of the session [s].
    requests : int
        Requests that this host has done.
    acknowledged : int
        The record of the journal that is the last that somebody was answered for: a journal that ends before lost some.
    """

    pid: int
    started: int
    busy_since: float
    allowed: float
    key: bytes
    clock: float
    requests: int
    acknowledged: int


class Folder:
    """The folder of a session.

    Parameters
    ----------
    state_dir : Path
    testid : str
    path : Path, optional
        Where the folder was moved to.
    """

    def __init__(self, state_dir: Path, testid: str, path: Path | None = None) -> None:
        self.testid = testid
        self.path = path or state_dir / "sessions" / testid
        self._state_dir = state_dir

    # each is made when it is asked for: a server makes many folders to read one file of each

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.path / "journal"

    @property
    def rows(self) -> Path:
        """Folder of the rows."""
        return self.path / "rows"

    @property
    def queued(self) -> Path:
        """Exists while the session waits for room."""
        return self.path / "queued"

    @property
    def labels(self) -> Path:
        """What clients call the session."""
        return self.path / "labels.json"

    @property
    def place(self) -> Path:
        """Exists while the session has a process, see `trivium.session.admission`."""
        return self._state_dir / "sessions" / ".places" / self.testid

    @property
    def _about(self) -> Path:
        return self.path / "about.json"

    @property
    def _damage(self) -> Path:
        return self.path / "damaged"

    @property
    def _listed(self) -> Path:
        return self.path / "listed.json"

    @property
    def _indicators(self) -> Path:
        return self.path / "indicators.json"

    @cached_property
    def socket(self) -> Path:
        """Address of the host."""
        return runtime_dir(self._state_dir) / f"s-{hashlib.sha256(self.testid.encode()).hexdigest()[:20]}"

    def create(self, description: Mapping[str, Any], *, queued: bool = False) -> None:
        """Make the folder, of a session that waits or not; one that exists stays as it is.

        Raises
        ------
        StorageError
            When it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be made: {error.strerror}") from error
        if queued:
            replace_file(self.queued, b"%d" % time.time_ns())
        if not self._about.exists():
            replace_file(self._about, described(description))

    def exists(self) -> bool:
        """Return whether there is such a session."""
        return self._about.exists() or self.journal.exists()

    def description(self) -> dict[str, Any]:
        """Return what `create` stored.

        Raises
        ------
        DamagedError
            When it is not there any more.
        """
        try:
            return undescribed(self._about.read_bytes())
        except (OSError, ValueError) as error:
            raise DamagedError(
                f"The session {self.testid} is damaged: {self._about} cannot be read ({error}), so its test case is "
                "not known. `trivium verify` says more."
            ) from error

    def note_damage(self, why: str) -> None:
        """Let listings show that the session is refused, and why; nothing ends that."""
        with contextlib.suppress(OSError):  # it is refused also where nobody can write
            if why:
                self._damage.write_text(why)
            else:
                self._damage.unlink(missing_ok=True)

    def damage(self) -> str:
        """Return why the session is refused; nothing where it is not."""
        try:
            return self._damage.read_text(errors="replace")
        except OSError:
            return ""

    def note_listed(self, listed: Mapping[str, Any]) -> None:
        """Store what listings show of a session beside its clock."""
        with contextlib.suppress(StorageError):  # the session has it; listings are as old as their last note
            replace_file(self._listed, described(listed))

    def listed(self) -> dict[str, Any]:
        """Return what `note_listed` stored; nothing where there is no such note, or it is damaged."""
        try:
            return undescribed(self._listed.read_bytes())
        except (OSError, ValueError):
            return {}

    def note_indicators(self, revision: int, values: Mapping[str, float | None]) -> None:
        """Store the indicators of a session for those who look at it without its process."""
        with contextlib.suppress(StorageError):
            replace_file(self._indicators, described({"revision": revision, "values": dict(values)}))

    def indicators(self) -> tuple[int, dict[str, float | None]]:
        """Return what `note_indicators` stored; nothing, of revision 0, where there is no such note."""
        try:
            note = undescribed(self._indicators.read_bytes())
        except (OSError, ValueError):
            return 0, {}
        return note["revision"], note["values"]

    def note_confinement(self, confinement: str) -> None:
        """Store how its host is confined."""
        (self.path / "confined").write_text(confinement)

    def confinement(self) -> str | None:
        """Return how its host is confined; None where it is not."""
        try:
            return (self.path / "confined").read_text()
        except (OSError, ValueError):
            return None

    def queued_since(self) -> int | None:
        """Return since when the session waits [ns since 1970]; None when it does not."""
        try:
            return int(self.queued.read_bytes())
        except (OSError, ValueError):
            return None

    def last_used(self) -> float:
        """Return when the last request was done, or the session was made [s since 1970]."""
        for name in ("status", "about.json"):
            try:
                return (self.path / name).stat().st_mtime
            except OSError:
                continue
        return 0.0

    def status(self) -> Status | None:
        """Return who serves the session, or served it last; None where nobody did, or that is damaged."""
        return read_status(f"{self.path}/status")

    def witness(self, acknowledged: int, clock: float) -> None:
        """Note what the journal of a session has that nobody served yet, and its clock [s]."""
        keep_clock(Status(0, _NEVER, 0.0, 0.0, b"", clock, 0, acknowledged), self.path / "status")

    def serving(self) -> Status | None:
        """Return who serves the session now."""
        return serving(self.status())


def read_status(path: str) -> Status | None:
    """Return the status of a session from its file; None where there is none, or it is damaged."""
    for _ in range(_TRIES):
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read()
        except OSError:
            return None
        with contextlib.suppress(ValueError, struct.error):
            return Status._make(_STATUS.unpack(opened(data)))
    return None


def serving(status: Status | None) -> Status | None:
    """Return a status where its process is there."""
    return status if status is not None and process_start(status.pid) == status.started else None


def keep_clock(status: Status | None, path: Path) -> None:
    """Write the status of a session that nobody serves, with its clock and what was acknowledged."""
    if status is not None:
        rest = status._replace(pid=0, started=_NEVER, busy_since=0.0, allowed=0.0, key=b"")
        path.write_bytes(sealed(_STATUS.pack(*rest)))


class StatusFile:
    """Writes the status of a session; belongs to its host."""

    def __init__(self, folder: Folder) -> None:
        before = folder.status()
        self._file = os.open(folder.path / "status", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        #: See `Status`.
        self.acknowledged = before.acknowledged if before is not None else 0
        #: Clock when the session was served last [s].
        self.clock = before.clock if before is not None else 0.0
        self._who = (os.getpid(), process_start(os.getpid()))
        self.requests = 0
        self._request = b"", 0.0
        self._spent, self._simulated = 0.0, 0.0  # by all sub-steps [s]
        self._since, self._length = 0.0, 0.0  # when the present sub-step began, and how long it is [s]
        self._recorded = 0.0

    def rest(self, clock: float) -> None:
        """Record that the host does nothing, or ends; when the session was last used stays known."""
        used = os.fstat(self._file).st_mtime_ns
        self.write(0.0, "", clock)
        os.utime(self._file, ns=(used, used))

    def write(self, busy_since: float, key: str, clock: float) -> None:
        """Record what the host is doing."""
        self._request, self._length = (key.encode()[:32], clock), 0.0
        self._record(busy_since, 0.0)

    def pulse(self, duration: float) -> None:
        """Note that a sub-step of a duration [s] begins, so the one before has ended.

        The longer it is the more time it is allowed, as the sub-steps before took.
        """
        now = time.monotonic()
        if self._length:
            self._spent += now - self._since
            self._simulated += self._length
        self._since, self._length = now, duration
        allowed = _SLOWER * duration * self._spent / self._simulated if self._simulated else 0.0
        if allowed > _PULSE or now - self._recorded > _PULSE:
            self._record(now, allowed if allowed > _PULSE else 0.0)

    def _record(self, busy_since: float, allowed: float) -> None:
        self._recorded = busy_since
        status = *self._who, busy_since, allowed, *self._request, self.requests, self.acknowledged
        os.pwrite(self._file, sealed(_STATUS.pack(*status)), 0)


def runtime_dir(state_dir: Path) -> Path:
    """Return the folder of the sockets of a state directory, made when missing.

    It lies in the state directory, or in the temporary directory when that path is too long for a socket.

    Raises
    ------
    StorageError
        When it cannot be made or belongs to somebody else.
    """
    path = state_dir / "run"
    if len(os.fsencode(path)) + 24 > _LONGEST:
        name = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"trivium-{os.getuid()}-{name}"
        if not path.exists():
            _remove_left(path.parent)
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        path.mkdir(exist_ok=True, mode=0o700)
        if path.parent != state_dir:
            with contextlib.suppress(FileExistsError):
                (path / _OF).symlink_to(state_dir)
        stat = path.stat()
    except OSError as error:
        raise StorageError(f"the folder {path} cannot be made: {error.strerror}") from error
    if stat.st_uid != os.getuid() or stat.st_mode & 0o022:
        raise StorageError(f"the folder {path} of the sockets belongs to somebody else, or others may write to it")
    return path


def _remove_left(temporary: Path) -> None:
    """Remove the folders of sockets whose state directory is gone and which no server uses."""
    for path in temporary.glob(f"trivium-{os.getuid()}-*"):
        with contextlib.suppress(OSError):
            state_dir = path / _OF
            if state_dir.is_symlink() and not state_dir.exists() and not any(map(is_locked, path.glob("*.lock"))):
                shutil.rmtree(path)


def described(description: Mapping[str, Any]) -> bytes:
    """Return the description of a session as it is stored: JSON, with a checksum."""
    return json.dumps({**description, _CHECKSUM: _checksum(description)}).encode()


def undescribed(data: bytes) -> dict[str, Any]:
    """Return what `described` was given.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    description = json.loads(data)
    if not isinstance(description, dict) or description.pop(_CHECKSUM, None) != _checksum(description):
        raise ValueError("its checksum is another")
    return description


def _checksum(description: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(description, sort_keys=True).encode())


def sealed(data: bytes) -> bytes:
    """Return bytes with a checksum before them."""
    return _CRC.pack(zlib.crc32(data)) + data


def opened(data: bytes) -> memoryview:
    """Return what `sealed` was given.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    body = memoryview(data)[_CRC.size :]
    if len(data) < _CRC.size or zlib.crc32(body) != _CRC.unpack_from(data)[0]:
        raise ValueError("damaged")
    return body
