"""The process that owns one test case: it alone calls the plant, from its only thread, and keeps the journal.

A request that may change the session is recorded before it is done (intent) and after (commit, with the rows that it
added to the history and its reply), and only then answered. When the process dies at any moment, the next host starts
from the last stored state, does what was committed since then again, and never what was only meant to be done.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import resource
import selectors
import signal
import socket
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from adcc.core import state
from adcc.core.model import FloatArray
from adcc.core.resources import Resources
from adcc.core.testcase import Reply, TestCase
from adcc.errors import AdccError, ConflictError, ModelError, StateError, StorageError, UnknownSessionError
from adcc.fmu.selfcheck import self_check
from adcc.session.folder import Folder, StatusFile, resident
from adcc.session.frames import Block, GoneError, pack, pack_error, pack_reply, receive, send, unpack
from adcc.session.journal import Durability, Journal, Kind, LockedError
from adcc.session.local import load_resources, open_testcase
from adcc.session.selftest import restores

#: Methods that change a session.
CHANGING = frozenset({"initialize", "advance", "set_step", "set_scenario", "restore"})
#: Those of them after which nothing that was before is needed.
RESTARTING = frozenset({"initialize", "restore", "set_scenario"})
#: How much simulation is done again after a crash at most, as it was measured the first time [s].
REPLAY = 0.2
#: How long a host waits for the next web worker when it has none [s].
LINGER = 2.0
#: How many replies are kept for those who ask again.
REPLIES = 64
#: Largest reply that is kept [bytes].
KEPT = 2**18
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: How long others may take to send a request or to take a reply [s].
PATIENCE = 20.0


@dataclass(frozen=True)
class Config:
    """What a host is told.

    Attributes
    ----------
    state_dir, resources : str
    testid : str
    engine : str
        What runs the FMU where the test case does not choose.
    durability : {"process", "power"}
    idle_timeout : float
        Without requests the host ends after this time [s].
    recycle_steps : int
        Requests that change the session, after which the host ends; 0 for never.
    memory : int
        Most memory that a host may have [bytes]; at half of what lies between that and its memory at the start it is
        replaced at the next occasion.
    """

    state_dir: str
    resources: str
    testid: str
    engine: str
    durability: Durability
    idle_timeout: float
    recycle_steps: int
    memory: int


class Host:
    """Serves one session until it is idle, alone, old or told to end.

    Parameters
    ----------
    config : Config

    Raises
    ------
    LockedError
        When another host serves the session.
    AdccError
        When the test case cannot be opened or brought back to where it stood.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = Folder(Path(config.state_dir), config.testid)
        if not self._folder.about():
            raise UnknownSessionError(config.testid)
        self._journal = Journal(self._folder.journal, config.durability)
        self._status = StatusFile(self._folder)
        self._status.write(time.monotonic(), "", 0.0)
        self._memory = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._replies: OrderedDict[str, tuple[str, bytes]] = OrderedDict()  # by id: digest of the request, reply
        self._keys: dict[str, str] = {}  # Idempotency-Key -> id
        self._begun: set[str] = set()  # requests that an earlier host died of, or with
        self._unsaved = 0.0
        self._changes = 0
        #: ``new``, ``exact``, ``inexact``, ``replayed`` or ``untested``; see docs/sessions.md.
        self.restored = "new"
        self._case = self._open()
        self._status.write(0.0, "", self._case.time)
        self._first_memory = resident(os.getpid())
        _limit_address_space(config.memory)

    # -- starting -----------------------------------------------------------------------------------------------------

    def _open(self) -> TestCase:
        resources, state_dir = Path(self._config.resources), Path(self._config.state_dir)
        trusted = restores(resources, state_dir, self._config.engine)
        case = open_testcase(resources, state_dir, self._config.engine)
        if not trusted:
            case.stepper.model.can_snapshot = False
        records = self._journal.recorded()
        if not records:
            self._journal.start_generation([(Kind.BASE, self._base(case))])
            return case
        head, (stored, rows, *replies) = unpack(records[0].body)
        for about, reply in zip(head["replies"], replies, strict=True):
            self._remember(about, bytes(reply))
        tail: list[tuple[int, dict[str, Any], list[memoryview]]] = []
        intent: dict[str, Any] | None = None
        for record in records[1:]:
            if record.kind is Kind.INTENT:
                intent, _ = unpack(record.body)
                self._begun.add(intent["id"])
            elif intent is not None:
                self._begun.discard(intent["id"])
                if record.kind is Kind.COMMIT:
                    about, parts = unpack(record.body)
                    tail.append((record.sequence, intent, parts))
                    self._remember({**about, "id": intent["id"], "key": intent.get("key")}, bytes(parts[0]))
        self._recover(case, bytes(stored), _table(case, rows), tail)
        return case

    def _recover(
        self,
        case: TestCase,
        stored: bytes,
        rows: FloatArray,
        tail: list[tuple[int, dict[str, Any], list[memoryview]]],
    ) -> None:
        """Bring a new test case to where the journal ends."""
        history = np.concatenate([rows, *(_table(case, parts[1]) for _, _, parts in tail)])
        if not case.can_restore:
            light = bytes(tail[-1][2][2]) if tail else stored
            case.set_history(history)
            case.restore(light)
            self.restored = "replayed"
            return
        checkpoint = self._folder.checkpoint()
        if checkpoint is not None and checkpoint[0]["generation"] == self._journal.generation:
            known = checkpoint[0]["sequence"]
            if known <= self._journal.sequence:
                stored = bytes(checkpoint[1])
                rows = history[: checkpoint[0]["rows"]]
                tail = [entry for entry in tail if entry[0] > known]
        case.set_history(rows)
        case.restore(stored)
        started = time.perf_counter()
        for _, intent, _ in tail:
            getattr(case, intent["method"])(*intent["args"], **intent["options"])
        self._unsaved = time.perf_counter() - started
        if not tail:
            self.restored = "untested"
        elif np.array_equal(case.history_rows(), history, equal_nan=True):
            self.restored = "exact"
        else:
            self.restored = "inexact"
            _adopt(case, history, load_resources(Path(self._config.resources), self._config.engine))

    def _remember(self, about: Mapping[str, Any], reply: bytes) -> None:
        self._replies[about["id"]] = (about["digest"], reply)
        if about.get("key"):
            self._keys[about["key"]] = about["id"]
        while len(self._replies) > REPLIES:
            old, _ = self._replies.popitem(last=False)
            self._keys = {key: name for key, name in self._keys.items() if name != old}

    def _base(self, case: TestCase) -> bytes:
        by_id = {name: key for key, name in self._keys.items()}
        told = [{"id": i, "key": by_id.get(i), "digest": digest} for i, (digest, _) in self._replies.items()]
        replies = [reply for _, reply in self._replies.values()]
        return pack({"replies": told}, [case.state(), case.history_rows().tobytes(), *replies])

    # -- serving ------------------------------------------------------------------------------------------------------

    def serve(self, first: socket.socket) -> None:
        """Answer requests; the first client is connected already."""
        self._folder.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
            listener.bind(str(self._folder.socket))
            listener.listen(128)
            first.settimeout(PATIENCE)
            selector.register(listener, selectors.EVENT_READ)
            with contextlib.suppress(GoneError):
                send(first, pack({"ready": True, "restored": self.restored}))
                selector.register(first, selectors.EVENT_READ)
            used = time.monotonic()
            while True:
                events = selector.select(0.5)
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
                        send(sock, self._answer(message))
                    except GoneError:
                        selector.unregister(sock)
                        sock.close()
                    if self._worn():
                        self.close()
                        return
                now = time.monotonic()
                alone = len(selector.get_map()) == 1 and now - used > LINGER
                if alone or now - used > self._config.idle_timeout:
                    self.close()
                    return

    def close(self) -> None:
        """Let go of the session: who comes next finds it in the journal."""
        self._folder.socket.unlink(missing_ok=True)
        self._status.write(0.0, "", self._case.time)
        self._journal.close()

    def _worn(self) -> bool:
        """Tell whether a fresh process should go on."""
        if self._config.recycle_steps and self._changes >= self._config.recycle_steps:
            return True
        limit = self._first_memory + (self._config.memory - self._first_memory) / 2
        pages = int(os.pread(self._memory, 100, 0).split()[1])
        return pages * _PAGE > max(limit, self._first_memory)

    def _answer(self, message: Block) -> bytes:
        request, parts = unpack(message)
        request["raw"] = message
        self._status.write(time.monotonic(), request["id"], self._case.time)
        try:
            return self._do(request, parts)
        except AdccError as error:
            return pack_error(error)
        except Exception as error:  # a fault of ours; the client must hear of it, and the session goes on
            return pack_error(AdccError(f"{type(error).__name__}: {error}"))
        finally:
            self._status.requests += 1
            self._status.write(0.0, "", self._case.time)

    def _do(self, request: dict[str, Any], parts: list[memoryview]) -> bytes:
        method = request["method"]
        if method == "outcome":
            return self._outcome(request["of"])
        if method in ("snapshot", "health", "about"):
            return pack_reply(getattr(self, f"_{method}")())
        if method not in CHANGING:
            return pack_reply(self._call(method, request["args"], request), self.restored)
        digest = _digest([method, request["args"], request["options"]])
        known = self._replies.get(self._keys.get(request.get("key") or "", request["id"]))
        if known is not None:
            if known[0] != digest:
                raise ConflictError("This Idempotency-Key was used for another request.")
            return known[1]
        clock = request.get("clock")
        if clock is not None and clock != self._case.time:
            raise ConflictError(f"The session stands at {self._case.time}s, not at {clock}s.")
        return self._change(request, digest, parts)

    def _change(self, request: dict[str, Any], digest: str, parts: list[memoryview]) -> bytes:
        """Do a request as a transaction."""
        case, method = self._case, request["method"]
        if self._unsaved > REPLAY and case.can_restore:
            self._save()
        raw = request.pop("raw")
        self._journal.append(Kind.INTENT, pack(request, verbatim=True) if parts else bytes(raw))
        before = len(case.stepper.history)
        started = time.perf_counter()
        try:
            reply = self._restore(*parts) if method == "restore" else self._call(method, request["args"], request)
        except AdccError as error:
            with contextlib.suppress(StorageError):  # an intent without an end is not done again either
                self._journal.append(Kind.ABORT, str(error).encode()[:200])
            raise
        self._unsaved += time.perf_counter() - started
        data = pack_reply(reply, self.restored)
        about = {"id": request["id"], "key": request.get("key"), "digest": digest}
        kept = (
            data
            if len(data) <= KEPT
            else pack_error(StorageError("The request was done; its reply was too large to be kept."))
        )
        try:
            if method in RESTARTING:
                self._remember(about, kept)
                self._journal.start_generation([(Kind.BASE, self._base(case))])
                self._unsaved = 0.0
            else:
                blocks: list[Block] = [kept, case.history_rows(before).tobytes()]
                if not case.can_restore:
                    blocks.append(case.state())
                self._journal.append(Kind.COMMIT, pack({"digest": digest}, blocks))
                self._remember(about, kept)
        except StorageError:
            self._replies.pop(request["id"], None)
            self._back()
            raise
        self._changes += 1
        if self._unsaved > 2 * REPLAY and case.can_restore:  # one long request; to do it again would take too long
            self._save()
        return data

    def _back(self) -> None:
        """Throw away what could not be recorded: open the test case again where the journal ends."""
        self._case.close()
        self._journal.close()
        self._replies.clear()
        self._keys.clear()
        self._journal = Journal(self._folder.journal, self._config.durability)
        self._case = self._open()

    def _call(self, method: str, arguments: list[Any], request: Mapping[str, Any]) -> Reply:
        if method.startswith("_"):
            raise AdccError(f"there is no method {method}")
        reply: Reply = getattr(self._case, method)(*arguments, **request["options"])
        return reply

    def _save(self) -> None:
        """Store a checkpoint. It stands before a step, so that a recovery has one to repeat and to compare with."""
        head = {
            "generation": self._journal.generation,
            "sequence": self._journal.sequence,
            "rows": len(self._case.stepper.history),
        }
        self._folder.write_checkpoint(head, self._case.state())
        self._unsaved = 0.0

    def _restore(self, stored: memoryview, rows: memoryview) -> Reply:
        case = self._case
        before = case.history_rows()
        case.set_history(_table(case, rows))
        try:
            case.restore(bytes(stored))
        except BaseException:
            case.set_history(before)
            raise
        return Reply(200, f"Restored the session to {case.time}s.", {"time": case.time})

    # -- what is asked of the host itself -----------------------------------------------------------------------------

    def _outcome(self, of: str) -> bytes:
        """Tell what became of a request whose host died."""
        known = self._replies.get(of)
        if known is not None:
            return known[1]
        return pack({"outcome": "begun" if of in self._begun else "unknown", "time": self._case.time})

    def _snapshot(self) -> Reply:
        name = os.urandom(8).hex()
        self._folder.write_snapshot(name, self._case.state(), self._case.history_rows().tobytes())
        return Reply(200, f"Stored the session at {self._case.time}s.", name)

    def _health(self) -> Reply:
        return Reply(200, "Stepped the plant successfully.", self_check(self._case))

    def _about(self) -> Reply:
        pid = os.getpid()
        about = {"time": self._case.time, "restored": self.restored, "memory": resident(pid), "pid": pid}
        return Reply(200, "", about)


def run(config: Config, first: socket.socket) -> None:
    """Be a host; does not return before the host ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; a host ends when nobody talks to it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.unfreeze()
    with contextlib.suppress(GoneError):  # who asked for a host may be gone before it is ready
        try:
            host = Host(config)
        except LockedError:
            send(first, pack({"locked": True}))
        except AdccError as error:
            send(first, pack_error(error))
        except Exception as error:
            send(first, pack_error(ModelError(f"the session cannot be opened: {type(error).__name__}: {error}")))
        else:
            host.serve(first)


def _digest(request: list[Any]) -> str:
    """Return what tells one request from another."""
    try:
        text = orjson.dumps(request)
    except TypeError:  # an integer beyond 64 bits
        text = json.dumps(request).encode()
    return hashlib.sha256(text).hexdigest()[:16]


def _table(case: TestCase, rows: Block) -> FloatArray:
    table: FloatArray = np.frombuffer(rows, dtype=np.float64).reshape(-1, len(case.stepper.history.columns))
    return table


def _adopt(case: TestCase, rows: FloatArray, resources: Resources) -> None:
    """Let the stored rows stand where a replay gave others: what was acknowledged stays as it was."""
    origin = state.origin(resources, case.stepper.model)
    now = state.decode(case.state(), origin)
    outputs = rows[-1, 1 + len(case.stepper.model.inputs) :]
    if float(rows[-1, 0]) != now.position.time or len(rows) != now.mark.rows:
        raise StateError("replaying the journal led to another time than it tells")
    case.set_history(rows)
    case.restore(state.encode(now._replace(position=now.position._replace(outputs=outputs)), origin))


def _limit_address_space(memory: int) -> None:
    """Let allocations fail far beyond the limit: the watchdog looks at the real memory, but only now and then."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = size + 2 * memory
    resource.setrlimit(resource.RLIMIT_AS, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
