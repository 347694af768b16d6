"""A session: a test case whose changes are recorded before they are answered.

A request that may change it is recorded before it is done (intent) and after (commit, with the rows that it added to
the history and its reply), and only then answered. When the process dies at any moment, the next one goes on from
there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.errors import ConflictError, InvalidValueError, ModelError, StorageError, TriviumError
from trivium.model.fmu.selfcheck import self_check
from trivium.session import rows
from trivium.session.config import Config
from trivium.session.folder import Folder
from trivium.session.frames import Block, pack, pack_reply
from trivium.session.ledger import Base, Ledger, digest
from trivium.session.local import Prepared
from trivium.session.process import resident
from trivium.session.recovery import came_back, recover
from trivium.session.signature import signature
from trivium.session.snapshots import Snapshots
from trivium.simulation.testcase import CHANGING, Reply

#: Methods after which nothing that was before is needed.
RESTARTING = frozenset({"initialize", "restore", "set_scenario"})
#: How much simulation is done again after a crash at most, as it was measured the first time [s].
REPLAY = 0.2


class Session:
    """Does the requests of one session, and brings it to where it stood.

    Parameters
    ----------
    config : Config
    folder : Folder
    ledger : Ledger
        Belongs to the session from now on, and so does the test case.
    prepared : Prepared

    Raises
    ------
    TriviumError
        When the test case cannot be brought back to where it stood.
    """

    def __init__(self, config: Config, folder: Folder, ledger: Ledger, prepared: Prepared) -> None:
        self._power = config.durability == "power"
        self._of = Path(config.resources), config.engine
        self._rows = folder.rows
        self._snapshots = Snapshots(folder.path)
        self._ledger = ledger
        self._prepared = prepared
        self._case = prepared.case
        self._unsaved = 0.0
        #: How many requests changed the session.
        self.changes = 0
        #: Whether it no longer stands where the journal ends, and must not go on.
        self.lost = False
        #: ``new``, ``exact``, ``inexact`` or ``replayed``; see docs/sessions.md.
        self.restored = "new"
        self._case.stepper.history.keep(self._rows)
        if ledger.base is None:
            self._rebase()
        else:
            self._recover()
        self._prune()

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._case.time

    def close(self) -> None:
        """Let go of the session: who comes next finds it in the journal."""
        self._ledger.close()

    def do(self, request: dict[str, Any], message: Block) -> bytes:
        """Do a request and return the reply as bytes.

        Parameters
        ----------
        request : Mapping
            What `trivium.session.handle.Handle.call` sends.
        message : Block
            The same, as it came.

        Raises
        ------
        TriviumError
            When it is refused or fails; the session stands where it stood then.
        """
        method = request["method"]
        if method == "outcome":
            outcome = self._ledger.outcome(request["of"])
            return outcome if isinstance(outcome, bytes) else pack({"outcome": outcome, "time": self.time})
        if method in ("snapshot", "health", "about"):
            return pack_reply(getattr(self, f"_{method}")())
        if method in CHANGING:
            return self._change(request, message)
        reply = self._call(request)
        if method == "look_ahead":
            self._rolled_back()
        return pack_reply(reply, self.restored)

    def _change(self, request: dict[str, Any], message: Block) -> bytes:
        """Do a request as a transaction."""
        method, case = request["method"], self._case
        of = digest([method, request["args"], request["options"]])
        answered = self._ledger.answered(request, of)
        if answered is not None:
            return answered
        clock = request.get("clock")
        if clock is not None and clock != case.time:
            raise ConflictError(f"The session stands at {case.time}s, not at {clock}s.")
        # before a step, so that a recovery has one to repeat and to compare with
        if (self._unsaved > REPLAY and case.can_restore) or self._ledger.large:
            self._rebase()
        self._ledger.intend(message)
        before, started = len(case.stepper.history), time.perf_counter()
        try:
            reply = self._restore(*request["args"]) if method == "restore" else self._call(request)
        except TriviumError as error:
            self._ledger.abort(error)
            if isinstance(error, (ModelError, StorageError)):
                self._rolled_back()
            raise
        self._unsaved += time.perf_counter() - started
        if method == "initialize":
            self.restored = "new"  # nothing is left of a plant that was brought back
        data = pack_reply(reply, self.restored)
        try:
            if method in RESTARTING:
                self._rebase(request, of, data)
                self._prune()
            else:
                light = None if case.can_restore else case.state()
                self._ledger.commit(request, of, data, case.history_rows(before).tobytes(), light)
        except StorageError:
            self._back()
            raise
        self.changes += 1
        if self._unsaved > 2 * REPLAY and case.can_restore:  # one long request; to do it again would take too long
            with contextlib.suppress(StorageError):  # it is done and recorded; the next request tries again
                self._rebase()
        return data

    def _call(self, request: Mapping[str, Any]) -> Reply:
        method = request["method"]
        if method.startswith("_"):
            raise TriviumError(f"there is no method {method}")
        reply: Reply = getattr(self._case, method)(*request["args"], **request["options"])
        return reply

    def _restore(self, name: str) -> Reply:
        snapshot = self._snapshots.load(name)
        if snapshot is None:
            raise InvalidValueError(f"Invalid snapshot: {name}", "snapshot")
        case, history = self._case, self._case.stepper.history
        before = history.parts()
        rows.share(snapshot.parts, self._rows)
        history.adopt([(self._rows / path.name, count) for path, count in snapshot.parts])
        try:
            case.restore(snapshot.state)
        except BaseException:
            history.adopt(before)
            raise
        self.restored = came_back(case, exact=self._prepared.trial.exact_elsewhere)
        return Reply(200, f"Restored the session to {case.time}s.", {"time": case.time})

    def _rolled_back(self) -> None:
        """Say so where the plant that was brought back may be another one."""
        if came_back(self._case, exact=self._prepared.trial.exact_here) == "inexact":
            self.restored = "inexact"

    # -- what is on disk ----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        started = time.perf_counter()
        self.restored = recover(self._prepared, self._ledger, self._rows)
        self._unsaved = time.perf_counter() - started

    def _rebase(self, request: Mapping[str, Any] | None = None, of: str = "", reply: bytes = b"") -> None:
        """Begin a generation of the journal here."""
        history = self._case.stepper.history
        if self._power:
            history.sync()
        self._ledger.rebase(Base(self._case.state(), rows.names(history.parts())), request, of, reply)
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

    def _snapshot(self) -> Reply:
        name = self._snapshots.store(self._case.state(), self._case.stepper.history.parts())
        return Reply(200, f"Stored the session at {self.time}s.", name)

    def _health(self) -> Reply:
        return Reply(200, "Stepped the plant successfully.", self_check(self._case))

    def _about(self) -> Reply:
        pid = os.getpid()
        about = {"time": self.time, "restored": self.restored, "memory": resident(pid), "pid": pid}
        return Reply(200, "", {**about, "changed": signature(*self._of) != self._prepared.signature})
