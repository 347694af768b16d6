"""A session: a test case whose changes are recorded before they are answered.

A request that may change it is recorded before it is done (intent) and after (commit, with the rows that it added to
the history and its reply), and only then answered. When the process dies at any moment, the next one goes on from
there.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from trivium.errors import ConflictError, DamagedError, InvalidValueError, ModelError, StorageError, TriviumError
from trivium.evaluation.testcase import TestCase
from trivium.process import resident
from trivium.protocol import OPERATIONS, Override, Simulation
from trivium.session import rows
from trivium.session.config import Config
from trivium.session.folder import Folder, StatusFile
from trivium.session.frames import Block, pack, pack_error, pack_value, unpack
from trivium.session.journal import Kind
from trivium.session.ledger import LARGE, Base, Ledger
from trivium.session.local import Prepared
from trivium.session.proxy import SERVED, Hosted, HostState, SelfCheck
from trivium.session.recovery import Attempts, came_back, recover
from trivium.session.selfcheck import self_check
from trivium.session.signature import signature
from trivium.session.snapshots import Snapshots
from trivium.simulation.overrides import By

#: Changes after which nothing that was before is needed.
RESTARTING = {each.__name__ for each in (Simulation.initialize, Simulation.restore, Simulation.set_scenario)}
#: What is served although the session cannot go on from where it was.
_WITHOUT_PAST = {each.__name__ for each in (Simulation.initialize, Simulation.restore, Hosted.health)}
#: Methods that bring the model back.
_LOOKING = {each.__name__ for each in (Simulation.look_ahead, Simulation.look_ahead_many, Simulation.linearize)}
#: What is served of a test case, by name.
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: attrgetter(name) if operation.attribute else getattr(TestCase, name) for name, operation in OPERATIONS.items()
}
#: After how many processes in a row that died in a recovery the model is replayed, and the next recovery waits.
REPLAYED, WAITING = 2, 4
#: For how long it waits [s]; a process may have been killed from outside, so nothing is given up.
PAUSE = 10.0
#: How much simulation is done again after a crash at most, as it was measured the first time [s].
REPLAY = 0.2


class Session:
    """Executes the requests of one session, and recovers it.

    Parameters
    ----------
    config : Config
    folder : Folder
    ledger : Ledger
        Belongs to the session from now on, and so does the test case.
    prepared : Prepared
    status : StatusFile

    Raises
    ------
    TriviumError
        When the test case cannot be recovered.
    """

    def __init__(self, config: Config, folder: Folder, ledger: Ledger, prepared: Prepared, status: StatusFile) -> None:
        self._power = config.durability == "power"
        self._source = Path(config.resources), config.engine
        self._folder, self._rows = folder, folder.rows
        self._snapshots = Snapshots(folder.path)
        self._ledger = ledger
        self._prepared = prepared
        self._case = prepared.case
        self._status = status
        self._attempts = Attempts(folder.path / "recovering")
        self._served: dict[str, Callable[..., Any]] = {
            **{name: partial(function, self._case) for name, function in _FUNCTIONS.items()},
            Simulation.snapshot.__name__: self._snapshot,
            Simulation.restore.__name__: self._restore,
            Simulation.override.__name__: self._override,
            "interval": lambda: self._case.interval,
            Hosted.host_state.__name__: self._host_state,
            Hosted.health.__name__: self._health,
            Hosted.acknowledge.__name__: self._acknowledge,
        }
        self._unsaved = 0.0
        self._by: By | None = None  # whose the request is that is being done
        self._listed: Mapping[str, Any] | None = None  # as it was stored last
        self._noted = folder.indicators()[0]  # the revision of the indicators that are stored
        #: How many requests changed the session.
        self.changes = 0
        #: Whether it differs from the end of the journal, and must not continue.
        self.lost = False
        #: ``new``, ``exact``, ``inexact`` or ``replayed``; see docs/sessions.md.
        self.restored = "new"
        self._case.stepper.pulse = status.pulse
        #: Why the session cannot go on from where it was; an initialization begins anew.
        self._lost_past: TriviumError | None = None
        #: What was lost, until a client acknowledges it.
        self._missing: DamagedError | None = None
        self._case.stepper.history.keep(self._rows)
        self._open()

    def _open(self) -> None:
        """Bring the test case to where the journal ends."""
        ledger, status = self._ledger, self._status
        if ledger.damage is not None:
            self._lost_past = ledger.damage
        elif ledger.base is not None:
            self._recover_if_possible()
        if self._lost_past is not None:
            self._note_damage(self._lost_past)
            return
        if status.acknowledged > ledger.acknowledged:
            self._missing = _missing(status, ledger.acknowledged, self.time)
            self._note_damage(self._missing)
            return
        if ledger.base is None:
            self._rebase()
        status.acknowledged = ledger.acknowledged
        self._prune()
        self._note_damage(None)
        self._list()

    def _note_damage(self, error: TriviumError | None) -> None:
        self._folder.note_damage(str(error) if isinstance(error, DamagedError) else "")

    def _list(self) -> None:
        """Let listings show under what the session is, where that has changed."""
        listed = {
            "scenario": {name: value for name, value in self._case.scenario.items() if value is not None},
            "overrides": self._case.overrides,
        }
        if listed != self._listed:
            self._listed = listed
            self._folder.note_listed(listed)

    def note_indicators(self) -> None:
        """Let listings show the indicators, where something was done since they were stored."""
        revision = self._ledger.acknowledged
        if self.refuses or revision == self._noted:
            return
        self._noted = revision
        with contextlib.suppress(TriviumError):  # who asks for them gets the error
            self._folder.note_indicators(revision, self._case.kpis())

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._case.time

    @property
    def refuses(self) -> bool:
        """Whether the session cannot go on from where it was."""
        return self._lost_past is not None or self._missing is not None

    @property
    def clock(self) -> float:
        """Clock that is reported while nobody asks: where the session cannot go on, the last one [s]."""
        return self._status.clock if self.refuses else self._case.time

    def close(self) -> None:
        """Let go of the session: who comes next finds it in the journal."""
        self._ledger.close()

    def answer(self, message: Block) -> bytes:
        """Do a request and return the reply: the value, or the error that it was refused or failed with.

        Parameters
        ----------
        message : Block
            What `trivium.session.handle.Handle.call` sends.
        """
        request, _ = unpack(message)
        self._status.write(time.monotonic(), request["id"], self.clock)
        try:
            return self._do(request, message)
        except DamagedError as error:
            self.lost |= self._missing is None  # the next process takes what the journal has, too, from there
            return pack_error(error)
        except TriviumError as error:
            return pack_error(error)
        except Exception as error:  # a fault of ours; the client must know of it, and the session goes on
            return pack_error(TriviumError(f"{type(error).__name__}: {error}"))
        finally:
            self._status.requests += 1
            if not self.refuses:
                self._status.acknowledged = self._ledger.acknowledged
            self._status.write(0.0, "", self.clock)

    def _do(self, request: dict[str, Any], message: Block) -> bytes:
        """Do a request and return its value as bytes; when it is refused or fails, all is as before."""
        method = request["method"]
        if method == "outcome":
            outcome = self._ledger.outcome(request["of"])
            return outcome if isinstance(outcome, bytes) else pack({"outcome": outcome, "time": self.time})
        if method not in self._served:
            raise TriviumError(f"there is no method {method}")
        if self._lost_past is not None and method not in _WITHOUT_PAST:
            self.lost = True  # the next process tries again
            raise self._lost_past
        if self._missing is not None and method not in (*_WITHOUT_PAST, Hosted.acknowledge.__name__):
            raise self._missing
        if SERVED[method].changes:
            return self._change(request, message)
        value = self._served[method](*request["args"], **request["options"])
        if method in _LOOKING:
            self._rolled_back()
        return pack_value(value, self.restored)

    def _change(self, request: dict[str, Any], message: Block) -> bytes:
        """Do a request as a transaction."""
        method, case, can_restore = request["method"], self._case, self._case.stepper.model.can_snapshot
        digest, answered = self._ledger.answered(request)
        if answered is not None:
            return answered
        clock = request.get("clock")
        if clock is not None and clock != case.time:
            raise ConflictError(f"The session stands at {case.time}s, not at {clock}s.")
        # before a step, so that a recovery has one to repeat and to compare with
        if self._lost_past is None and ((self._unsaved > REPLAY and can_restore) or self._ledger.size > LARGE):
            self._rebase()
        if self._ledger.base is not None:
            self._ledger.append(Kind.INTENT, bytes(message))
        before, started = len(case.stepper.history), time.perf_counter()
        self._by = _by(request)
        try:
            value = self._served[method](*request["args"], **request["options"])
        except TriviumError as error:
            self._ledger.abort(error)
            if isinstance(error, (ModelError, StorageError)):
                self._rolled_back()
            raise
        self._unsaved += time.perf_counter() - started
        if method == Simulation.initialize.__name__:
            self.restored = "new"  # nothing is left of a plant that was brought back
        data = pack_value(value, self.restored)
        try:
            added = len(case.stepper.history) - before
            if method in RESTARTING or 8 * added * len(case.stepper.history.columns) > LARGE:
                self._rebase(request, digest, data)
                if self._lost_past is not None:
                    self._lost_past = None
                    self._attempts.forget()
                self._missing = None
                self._note_damage(None)
                self._prune()
            else:
                light = None if can_restore else case.state()
                self._ledger.commit(request, digest, data, case.stepper.history.rows(before).tobytes(), light)
        except StorageError:
            self._back()
            raise
        self.changes += 1
        self._list()
        if self._unsaved > 2 * REPLAY and can_restore:  # one long request; to do it again would take too long
            with contextlib.suppress(StorageError):  # it is done and recorded; the next request tries again
                self._rebase()
        return data

    def _again(self, request: Mapping[str, Any]) -> None:
        self._by = _by(request)
        self._served[request["method"]](*request["args"], **request["options"])

    def _override(self, *arguments: Any, **options: Any) -> dict[str, Override]:
        return self._case.override(*arguments, **options, by=self._by)

    def _restore(self, name: str) -> float:
        snapshot = self._snapshots.load(name)
        if snapshot is None:
            raise InvalidValueError(f"Invalid snapshot: {name}", "snapshot")
        case, history = self._case, self._case.stepper.history
        before = history.parts()
        rows.share(snapshot.parts, self._rows)
        history.adopt([file._replace(path=self._rows / file.path.name) for file in snapshot.parts])
        try:
            case.set_state(snapshot.state)
        except BaseException:
            history.adopt(before)
            raise
        self.restored = came_back(case, exact=case.stepper.model.exact_elsewhere)
        return case.time

    def _rolled_back(self) -> None:
        """Record where the plant that was brought back may be another one."""
        if came_back(self._case, exact=self._case.stepper.model.exact_here) == "inexact":
            self.restored = "inexact"

    # -- what is on disk ----------------------------------------------------------------------------------------------

    def _recover_if_possible(self) -> None:
        """Recover; where hosts before this one died of that, without the state of the model, and then not at once."""
        model, died = self._case.stepper.model, self._attempts.died
        if died >= WAITING and (wait := PAUSE - self._attempts.age) > 0:
            self._lost_past = ModelError(
                f"The session cannot go on yet: {died} processes died while they brought its model back. "
                f"Try again in {math.ceil(wait)} s, or initialize it anew."
            )
            return
        able = model.can_snapshot
        model.can_snapshot = able and died < REPLAYED
        with self._attempts:
            try:
                self._recover()
            except TriviumError as error:
                self._lost_past = error
        model.can_snapshot = able

    def _recover(self) -> None:
        started = time.perf_counter()
        self.restored = recover(self._prepared, self._ledger, self._rows, self._again)
        self._unsaved = time.perf_counter() - started

    def _rebase(self, request: Mapping[str, Any] | None = None, digest: str = "", reply: bytes = b"") -> None:
        """Begin a generation of the journal here."""
        history = self._case.stepper.history
        if self._power:
            history.sync()
        self._ledger.rebase(Base(self._case.state(), rows.names(history.parts())), request, digest, reply)
        self._unsaved = 0.0

    def _prune(self) -> None:
        """Remove row files that neither the journal nor the history needs."""
        base = self._ledger.base
        needed = rows.parts(self._rows, base.rows) if base is not None else []
        rows.prune(self._rows, [*needed, *self._case.stepper.history.parts()])

    def _back(self) -> None:
        """Throw away what could not be recorded."""
        try:
            self._ledger.reread()
            self._recover()
        except BaseException:
            self.lost = True
            raise

    # -- what is asked of the session itself --------------------------------------------------------------------------

    def _snapshot(self) -> str:
        return self._snapshots.store(self._case.state(), self._case.stepper.history.parts(), self.time)

    def _acknowledge(self) -> float:
        """Go on from what is left."""
        if self._missing is not None:
            self._rebase()
            self._missing = None
            self._note_damage(None)
            self._prune()
        return self.time

    def _health(self) -> SelfCheck:
        return self_check(self._case)

    def _host_state(self) -> HostState:
        pid = os.getpid()
        return HostState(
            self.time, self.restored, resident(pid), pid, signature(*self._source) != self._prepared.signature
        )


def _by(request: Mapping[str, Any]) -> By | None:
    """Return who sent a request, and when; nothing of requests that earlier versions recorded."""
    return (request.get("who"), request["sent"]) if "sent" in request else None


def _missing(status: StatusFile, last: int, clock: float) -> DamagedError:
    """Return what is lost of a session that was acknowledged further than its journal goes."""
    return DamagedError(
        f"The journal of the session ends at record {last}, and record {status.acknowledged} was acknowledged: what "
        f"was done since is lost. The session was at {status.clock}s and is at {clock}s. PUT /acknowledge goes on "
        "from there; PUT /initialize or PUT /restore begins elsewhere.",
        lost=True,
    )
