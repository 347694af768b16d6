"""All sessions of a state directory: any web worker finds them there.

A session is a folder; its process comes and goes. Who selects one gets a test id; requests without one go to the
default session, which belongs to the Resources folder and is made when it is first needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from trivium.errors import (
    BusyError,
    DamagedError,
    InvalidValueError,
    StateError,
    StorageError,
    TriviumError,
    UnknownSessionError,
)
from trivium.model.fmu.archive import prune
from trivium.names import is_id
from trivium.protocol import Simulation
from trivium.session import layout
from trivium.session.admission import RETRY_AFTER, Admission, Limits
from trivium.session.aside import Aside
from trivium.session.catalogue import Catalogue
from trivium.session.events import Event, Events
from trivium.session.folder import Folder, Status
from trivium.session.handle import Handle
from trivium.session.handles import Handles
from trivium.session.keys import Keys
from trivium.session.labels import label
from trivium.session.listing import Listing, Page
from trivium.session.observer import Observer
from trivium.session.owners import Owners
from trivium.session.proxy import SERVED, Session, connect
from trivium.session.snapshots import Snapshots, begin
from trivium.session.summary import summarize
from trivium.session.termination import end_host, end_session, set_aside
from trivium.session.trials import Trials
from trivium.session.witness import driven, inherit, matters, note, witness
from trivium.settings import Settings
from trivium.simulation.resources import Resources
from trivium.space import Room

log = logging.getLogger(__name__)

#: Between two looks at unpacked FMUs, and how long one stays that nobody opens [s].
DAY, UNUSED = 86400.0, 30 * 86400.0


class UnderWay(NamedTuple):
    """A request that a session does now.

    Attributes
    ----------
    request : bytes
        Its name.
    progress : float
        When it began, or last made progress [s, monotonic].
    """

    request: bytes
    progress: float


class SessionManager:
    """Sessions of all test cases, shared by all web workers through the state directory.

    Parameters
    ----------
    settings : Settings
    observer : Observer, optional
        Is notified of what happens.
    room : Room, optional
        Whether there is room, and who acts; by default everybody may do everything.

    Raises
    ------
    ResourcesError, StorageError
        When the test case lacks something or the state directory cannot be written.
    """

    def __init__(self, settings: Settings, observer: Observer | None = None, room: Room | None = None) -> None:
        layout.prepare(settings.state_dir)
        self._room = room or Room(settings.state_dir, settings.disk_reserve * 2**20, settings.max_storage * 2**20)
        self._room.holdings.append(self._folders_of)
        self._settings = settings
        self._observer = observer or Observer()
        self._state_dir = settings.state_dir
        self._sessions = settings.state_dir / "sessions"
        self._catalogue = Catalogue(settings)
        resources_digest = hashlib.sha256(os.fsencode(settings.resources)).hexdigest()[:8]
        self._default = f"default-{resources_digest}"
        limits = Limits(
            settings.max_sessions, settings.max_stored, settings.reclaim_after, settings.session_expiry * 86400.0
        )
        self._admission = Admission(settings.state_dir, limits, self._default)
        self._owners = Owners(self._sessions)
        self._listing = Listing(settings.state_dir)
        self._handles = Handles(settings, self._catalogue, self._observer, self._admission.claim)
        #: Test cases that are tried before clients may select them.
        self.trials = Trials(settings.state_dir, self._catalogue, self._handles, self._admission, self._room)
        #: Sessions that were ended and can come back for a while.
        self.aside = Aside(settings.state_dir, self._default, self._admission, self._room)
        self._identity = _identity(self._state_dir)
        self._driving: dict[object, tuple[str, float]] = {}  # changes that are waited for: of which session, since when
        #: Replies to requests that made something.
        self.keys = Keys(settings.state_dir / "keys")

    def open_default(self) -> None:
        """Make sure that the default session can be served.

        Raises
        ------
        TriviumError
            When the test case cannot be opened.
        """
        try:
            if self.session(None).host_state().changed:  # its host is an older server's
                end_host(self._folder(None))
                self.session(None).host_state()
        except DamagedError as error:  # its client has to know; other sessions can be served
            log.warning("the default session is refused: %s", error)
        except StateError:
            with self._admission.alone():
                self._set_aside()
            self.session(None).host_state()

    def tidy(self) -> None:
        """Remove now and then what was unpacked of FMUs that nobody uses any more, in a thread."""

        def work() -> None:
            while True:
                self.aside.sweep()
                if removed := prune(self._state_dir / "fmu", self._catalogue.fmus(), UNUSED):
                    log.info("removed %d unpacked FMUs that nobody used for long", removed)
                threading.Event().wait(DAY)

        threading.Thread(target=work, name="tidy", daemon=True).start()

    def _set_aside(self) -> None:
        """Keep the default session for people to look at, and make room for another one."""
        try:
            self.session(None).host_state()  # another worker may have done it
        except StateError as error:
            aside = f".changed-{time.time_ns()}"
            log.warning("the default session is of other Resources (%s); it is set aside as sessions/%s", error, aside)
            end_host(self._folder(None))
            (self._sessions / self._default).rename(self._sessions / aside)
            self._handles.drop(self._default)

    def testcases(self) -> list[str]:
        """Return the ids of the test cases that can be selected, the default one first."""
        return self._catalogue.names()

    def declared_case(self, testcase_id: str) -> Resources:
        """Return what a test case declares.

        Raises
        ------
        InvalidValueError, ResourcesError
            When there is no such test case, or it cannot be read.
        """
        return self._catalogue.declared(self._catalogue.path(testcase_id))

    def select(self, testcase_id: str, *, wait: bool = False, key: str | None = None) -> str:
        """Make a session at its beginning and return its test id.

        Parameters
        ----------
        testcase_id : str
        wait : bool
            Where there is no room: whether the session waits its turn, as `status` reports, or is refused.
        key : str, optional
            A second request of the same key gets the reply of the first.

        Raises
        ------
        InvalidValueError
            When there is no such test case.
        BusyError
            When there are as many sessions as may be.
        ConflictError
            When the key was used for another request.
        StorageError
            When there is no room on the disk.
        """
        self._catalogue.path(testcase_id)

        def make(testid: str) -> str:
            folder = self._admit(testcase_id, testid, wait=wait)
            try:
                if not folder.queued.exists():
                    self.session(testid).host_state()
            except BaseException:
                self.stop(testid)
                raise
            return testid

        return self.keys.once(key, ["select", testcase_id, wait], make)

    def _admit(
        self, testcase_id: str, testid: str, *, wait: bool = False, origin: Mapping[str, Any] | None = None
    ) -> Folder:
        """Make the folder of a session of the present caller."""
        self._room.check()
        access = self._room.access

        def count() -> None:
            most = access.quota.sessions
            if most and access.owner is not None and len(self._owners.names(access.owner)) >= most:
                raise BusyError(
                    f"The token {access.owner} has {most} sessions, as many as it may. Stop one (PUT /stop/<testid>).",
                    RETRY_AFTER,
                    1,
                )

        return self._admission.admit(testcase_id, testid, wait=wait, owner=access.owner, check=count, origin=origin)

    def _folders_of(self, owner: str) -> Iterator[Path]:
        """Yield the folders of an owner's sessions."""
        for testid in self._owners.names(owner):
            yield self._sessions / testid

    def remove_testcase(self, testcase_id: str) -> int:
        """Forget a test case and end all its sessions; an FMU that was uploaded is removed.

        Returns
        -------
        int
            How many sessions were ended.

        Raises
        ------
        InvalidValueError
            When there is no such test case, or it is the default one.
        StorageError
            When it cannot be forgotten.
        """
        with self._admission.alone():
            self._catalogue.remove(testcase_id)
        stopped = 0
        for testid in self._admission.testids():
            with contextlib.suppress(UnknownSessionError, DamagedError):
                if testid != self._default and self._folder(testid).description().get("testcase") == testcase_id:
                    self.stop(testid)
                    stopped += 1
        return stopped

    def session(
        self, testid: str | None, clock: float | None = None, key: str | None = None, *, persistent: bool = False
    ) -> Session:
        """Return a session, None for the default one; it implements `trivium.protocol.Simulation`.

        Its members raise `UnknownSessionError` when there is no such session, and `ConflictError` when the session is
        elsewhere, or the key was used for something else.

        Parameters
        ----------
        testid : str or None
        clock, key, persistent
            See `trivium.session.proxy.connect`.
        """
        return connect(
            partial(self._call, testid), lambda: self.stop(testid or self._default), clock, key, persistent=persistent
        )

    def _call(
        self,
        testid: str | None,
        method: str,
        arguments: Sequence[Any],
        options: Mapping[str, Any],
        clock: float | None,
        key: str | None,
    ) -> tuple[Any, str]:
        """Have the host of a session do what it serves, and let the observer know."""
        self.permit(testid)
        snapshot = method == Simulation.snapshot.__name__
        if SERVED[method].changes or snapshot:
            self._room.check()
        if snapshot and len(Snapshots(self._folder(testid).path).names()) >= self._settings.max_snapshots:
            raise StorageError(
                f"The session keeps {self._settings.max_snapshots} snapshots, as many as it may. Remove one (DELETE "
                f"/snapshots?snapshot=)."
            )
        started, request = time.perf_counter(), (arguments, options, clock, key, self._room.access.owner)
        outcome: Any = None
        drive = object()
        if SERVED[method].changes:
            self._driving[drive] = testid or self._default, time.monotonic()
        try:
            try:
                outcome, restored = self._handle(testid).call(method, *request)
            except UnknownSessionError:  # another worker stopped it
                self._handles.drop(testid or self._default)
                if testid is not None:
                    raise
                outcome, restored = self._handle(None).call(method, *request)
        except TriviumError as error:
            outcome = error
            raise
        finally:
            self._driving.pop(drive, None)
            self._observer.called(method, time.perf_counter() - started, outcome)
            if matters(method, outcome):
                witness(self._folder(testid), method, arguments, options, outcome)
        return outcome, restored

    def under_way(self, testid: str | None) -> UnderWay | None:
        """Return what a session does now; None when it does nothing."""
        status = self._folder(testid).serving()
        return UnderWay(status.key, status.busy_since) if status is not None and status.busy_since else None

    def driven_since(self, testid: str | None) -> float | None:
        """Return since when a change of a session is waited for here [s, monotonic]; None where none is."""
        mine = testid or self._default
        return min((since for name, since in self._driving.copy().values() if name == mine), default=None)

    def status_of(self, testid: str | None) -> Status | None:
        """Return who serves a session, or did last; None where nobody did."""
        return self._folder(testid).status()

    def hopeless(self) -> str:
        """Return why this server cannot serve sessions before it is started anew; empty while it can."""
        if _identity(self._state_dir) != self._identity:
            return "its state directory was removed"
        return self._handles.failing

    def restored(self, testid: str | None) -> str:
        """Return how the session was brought back when this process last had a host made for it; see docs."""
        return self._handle(testid).restored

    def permit(self, testid: str | None) -> None:
        """Refuse a session of somebody else's; the default session is everybody's.

        Raises
        ------
        UnknownSessionError
            As where there is no such session.
        """
        access = self._room.access
        if not (access.everything or testid in (None, self._default) or access.sees(self._owners.of(str(testid)))):
            raise UnknownSessionError(str(testid))

    def snapshot(self, testid: str | None, key: str | None = None) -> str:
        """Store a session as it stands and return the id of the snapshot; errors as `select` with a key."""

        def store(_: str) -> str:
            name = str(self.session(testid).snapshot())
            self.note(testid, "snapshot", f"Snapshot {name} was taken.")
            return name

        return self.keys.once(key, ["snapshot", testid], store)

    def fork(self, testid: str | None, snapshot_id: str | None = None, key: str | None = None) -> str:
        """Make a session that goes on from a snapshot, or from where the session stands, and return its test id.

        Raises
        ------
        InvalidValueError
            When the session has no such snapshot.
        BusyError
            When there are as many sessions as may be.
        ConflictError
            When the key was used for another request.
        """
        self.permit(testid)
        return self.keys.once(key, ["fork", testid, snapshot_id], lambda name: self._fork(name, testid, snapshot_id))

    def _fork(self, name: str, testid: str | None, snapshot_id: str | None) -> str:
        source = self._folder(testid)
        snapshot_name = self.session(testid).snapshot() if snapshot_id is None else snapshot_id
        try:
            snapshot = Snapshots(source.path).load(snapshot_name)
            if snapshot is None:
                raise InvalidValueError(f"Invalid snapshot: {snapshot_name}", "snapshot")
            origin = {"parent": source.testid, "forked_at": snapshot.time}
            folder = self._admit(str(source.description()["testcase"]), name, origin=origin)
            try:
                begin(folder, snapshot, self._settings.durability)
                inherit(folder, source, snapshot.time)
                self._admission.release(folder)  # its first request has a process made
            except BaseException:
                self.stop(folder.testid)
                raise
        finally:
            if snapshot_id is None:
                Snapshots(source.path).remove(snapshot_name)
        return folder.testid

    def sessions(self) -> list[dict[str, Any]]:
        """Return what is known of every session that the present caller may see."""
        access = self._room.access
        return [session for session in self.all_sessions() if session["default"] or access.sees(session["owner"])]

    def page(self, **choice: Any) -> Page:
        """Return some of the sessions that the present caller may see; see `trivium.session.listing.Listing.page`.

        Raises
        ------
        InvalidValueError
            When there is no such order.
        """
        self._admission.expire()
        access = self._room.access
        return self._listing.page(self._admission.testids(), self._default, access.sees, **choice)

    def all_sessions(self) -> list[dict[str, Any]]:
        """Return what is known of every session, also of others; for figures."""
        self._admission.expire()
        return [
            summarize(Folder(self._state_dir, testid), testid == self._default) for testid in self._admission.testids()
        ]

    def summary(self, testid: str | None) -> dict[str, Any]:
        """Return what is known of a session, without a request to its process.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        folder = self._folder(testid)
        return summarize(folder, folder.testid == self._default)

    def indicators(self, testid: str | None) -> tuple[int, Mapping[str, float | None]]:
        """Return the indicators of a session as its process noted them last, and at which revision.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        return self._folder(testid).indicators()

    def label(self, testid: str | None, **changes: Any) -> dict[str, Any]:
        """Change what clients call a session, see `trivium.session.labels`; return its summary.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        StorageError
            When it cannot be stored.
        """
        self.permit(testid)
        self._room.check()
        label(self._folder(testid), changes)
        return self.summary(testid)

    def snapshots(self, testid: str | None) -> list[dict[str, Any]]:
        """Return name, age, size [bytes] and clock [s] of the snapshots of a session, the newest first.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        stored = Snapshots(self._folder(testid).path).stored()
        return [
            {"snapshot": each.name, "created": each.created, "size": each.size, "time": each.time} for each in stored
        ]

    def events(self, testid: str | None) -> list[Event]:
        """Return what happened in a session, the oldest first.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        return Events(self._folder(testid).path).read()

    def note(self, testid: str | None, kind: str, text: str) -> None:
        """Store that something happens in a session now; see `trivium.session.events.Event`.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        note(self._folder(testid), kind, text)

    def driven(self, testid: str | None, controller: str) -> None:
        """Store that a controller drives a session from now on, until it is initialized again.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        TriviumError
            When it cannot be stored.
        """
        self.permit(testid)
        driven(self._folder(testid), controller)

    def declared(self, testid: str | None) -> Resources:
        """Return what the test case of a session declares.

        Raises
        ------
        TriviumError
            When there is no such session, or its test case cannot be read any more.
        """
        self.permit(testid)
        return self._catalogue.declared(self._resources(self._folder(testid)))

    def snapshot_names(self, testid: str | None) -> list[str]:
        """Return the names of the snapshots of a session; errors as `snapshots`."""
        self.permit(testid)
        return sorted(Snapshots(self._folder(testid).path).names())

    def remove_snapshot(self, testid: str | None, name: str) -> None:
        """Remove a snapshot; sessions that were forked from it stay.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        InvalidValueError
            When it has no such snapshot.
        """
        self.permit(testid)
        if not Snapshots(self._folder(testid).path).remove(name):
            raise InvalidValueError(f"Invalid snapshot: {name}", "snapshot")

    def status(self, testid: str) -> str:
        """Return ``Running``, or ``Queued`` while the session waits for room.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        return "Queued" if self._admission.place(self._folder(testid)) else "Running"

    def stop(self, testid: str) -> None:
        """End a session and forget it.

        Raises
        ------
        UnknownSessionError
            When there is no such session.
        """
        self.permit(testid)
        folder = self._folder(testid)
        self._handles.drop(folder.testid)
        end_session(self._state_dir, folder)

    def set_aside(self, testid: str) -> str:
        """End a session, and return the name under which `aside` finds it; errors as `stop`."""
        self.permit(testid)
        folder = self._folder(testid)
        self._handles.drop(folder.testid)
        return set_aside(self._state_dir, folder).name

    def stop_all(self) -> int:
        """End all sessions and return how many there were."""
        stopped = 0
        for testid in self._admission.testids():
            with contextlib.suppress(UnknownSessionError):
                self.stop(testid)
                stopped += 1
        return stopped

    def close(self) -> None:
        """Let go of all processes; they end by themselves soon when nobody else needs them."""
        self._handles.close()

    def _handle(self, testid: str | None) -> Handle:
        handle = self._handles.find(testid or self._default)
        if handle is not None:
            return handle
        folder = self._folder(testid)
        if place := self._admission.place(folder):
            raise BusyError(f"The session waits for room, at place {place}.", RETRY_AFTER, place)
        return self._handles.keep(folder.testid, self._resources(folder))

    def _resources(self, folder: Folder) -> Path:
        """Return where the test case of a session lies."""
        if folder.testid == self._default:
            return self._settings.resources
        name = str(folder.description()["testcase"])
        try:
            return self._catalogue.path(name)
        except InvalidValueError as error:
            raise StateError(f"The session is of the test case {name}, which this server does not have.") from error

    def _folder(self, testid: str | None) -> Folder:
        """Return the folder of a session that exists; the default session is made when it does not."""
        if testid is None:
            folder = Folder(self._state_dir, self._default)
            if not folder.exists():
                folder.create({"testcase": self._catalogue.default, "created": time.time()})
            return folder
        if is_id(testid):
            folder = Folder(self._state_dir, testid)
            if folder.exists():
                return folder
        raise UnknownSessionError(testid)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a folder is, and not only its name; None when there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
