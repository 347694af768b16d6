"""The journal of a session in terms of requests: which were meant, which were done, and what was answered.

A generation begins with a state to start from (the serialized test case, the names of the row files with the rows that
count, the replies that are kept). Requests follow: the intent, and after it the commit (reply, rows that were added) or
the abort. Long before a generation grows large the host begins another one, so to read it takes as long for a year as
for an hour.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trivium.errors import ConflictError, StateError, StorageError
from trivium.session.frames import Block, pack, pack_error, unpack
from trivium.session.journal import Durability, Journal, Kind, Record, present
from trivium.session.rows import Named, heads, named

#: Version of what is recorded; sessions of another one are refused.
VERSION = 5
#: How many replies are kept for those who ask again.
REPLIES = 64
#: How many keys are known besides, whose replies are not kept any more; and how many more before some are forgotten.
SPENT, _SLACK = 2**14, 2**10
#: Largest reply that is kept, and how much all of them may take [bytes].
KEPT, KEPT_IN_ALL = 2**18, 2**22
#: Size of a generation at which another one should begin [bytes].
LARGE = 2**23
#: Takes the place of a reply that is too large.
_TOO_LARGE = pack_error(StorageError("The request was done; its reply was too large to be kept."))


class Base(NamedTuple):
    """Where a generation begins."""

    state: bytes
    rows: list[Named]


class Done(NamedTuple):
    """A request that was committed.

    Attributes
    ----------
    intent : Mapping
        The request.
    rows : Block
        What it added to the history.
    state : Block or None
        State without the plant, where the plant cannot be serialized.
    """

    intent: Mapping[str, Any]
    rows: Block
    state: Block | None


class Spent:
    """Keys whose replies are not kept any more, as numbers of 64 bits, the oldest first.

    Parameters
    ----------
    packed : bytes
        What `pack` returned.
    """

    def __init__(self, packed: bytes = b"") -> None:
        self._order = array("Q", packed)
        self._all = set(self._order)

    def __contains__(self, key: str) -> bool:
        return _number(key) in self._all

    def add(self, key: str) -> None:
        """Add a key, and forget the oldest where there are too many."""
        number = _number(key)
        if number in self._all:
            return
        self._order.append(number)
        self._all.add(number)
        if len(self._order) > SPENT + _SLACK:
            self._all.difference_update(self._order[:_SLACK])
            del self._order[:_SLACK]

    def pack(self) -> bytes:
        """Return them as bytes."""
        return self._order.tobytes()


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")


class Ledger(Journal):
    """Reads and writes the journal of a session; who holds one is the only writer.

    Parameters
    ----------
    folder : Path
        Of the journal.
    durability : {"process", "power"}

    Raises
    ------
    LockedError
        When another process has it open.
    StorageError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path, durability: Durability) -> None:
        #: Why what is recorded cannot be read; a generation that begins anew takes its place.
        self.damage: StateError | None = None
        super().__init__(folder, durability)
        try:
            self._read()
        except StateError as error:
            self.damage = error
        except BaseException:
            self.close()
            raise

    def _unreadable(self, error: StateError) -> None:
        self.damage = error

    def _read(self) -> None:
        self._replies: OrderedDict[str, tuple[str, bytes]] = OrderedDict()  # by id: digest of the request, reply
        self._size_of_replies = 0  # [bytes]
        self._keys: dict[str, str] = {}  # Idempotency-Key -> id
        self._spent = Spent()
        self._begun: set[str] = set()  # requests that an earlier host died of, or with
        #: Where the journal begins; None when it is empty.
        self.base: Base | None = None
        #: What was done since, when the journal was read.
        self.done: list[Done] = []
        #: Sequence of the last record that somebody may have been answered for; 0 for none.
        self.acknowledged = 0
        records = self.recorded()
        if records:
            self._read_base(records[0])
            self._read_requests(records[1:])

    def _read_base(self, record: Record) -> None:
        head, blocks = unpack(record.body)
        self.base = base_of(head, blocks)
        self._spent = Spent(bytes(blocks[1]))
        for reply_head, reply in _replies(head, blocks):
            self._remember(reply_head, bytes(reply))
        self.acknowledged = record.sequence

    def _read_requests(self, records: list[Record]) -> None:
        intent: dict[str, Any] | None = None
        for record in records:
            if record.kind is Kind.INTENT:
                intent, _ = unpack(record.body)
                self._begun.add(intent["id"])
            elif intent is not None:
                self._begun.discard(intent["id"])
                if record.kind is Kind.COMMIT:
                    self.acknowledged = record.sequence
                    head, (reply, rows, *state) = unpack(record.body)
                    self.done.append(Done(intent, rows, state[0] if state else None))
                    self._remember({**head, "id": intent["id"], "key": intent.get("key")}, bytes(reply))

    def answered(self, request: Mapping[str, Any]) -> tuple[str, bytes | None]:
        """Return a digest that distinguishes requests, and the reply that this one got already.

        Raises
        ------
        ConflictError
            When its Idempotency-Key belongs to another request, or to one whose reply is not kept any more.
        """
        content = [request["method"], request["args"], request["options"]]
        try:
            text = orjson.dumps(content)
        except TypeError:  # an integer beyond 64 bits
            text = json.dumps(content).encode()
        digest = hashlib.sha256(text).hexdigest()[:16]
        key = request.get("key") or ""
        recorded = self._replies.get(self._keys.get(key, request["id"]))
        if recorded is None:
            if key in self._spent:
                raise ConflictError(
                    f"This Idempotency-Key was used, and its request was done. Replies are kept for the last {REPLIES} "
                    "requests; it is not done again."
                )
            return digest, None
        if recorded[0] != digest:
            raise ConflictError("This Idempotency-Key was used for another request.")
        return recorded

    def outcome(self, request_id: str) -> bytes | str:
        """Return the reply that a request got, or whether it was ``begun`` or is ``unknown``."""
        recorded = self._replies.get(request_id)
        if recorded is not None:
            return recorded[1]
        return "begun" if request_id in self._begun else "unknown"

    def abort(self, error: Exception) -> None:
        """Record that it was refused or failed; where that cannot be, it is not done again either."""
        if self.base is None:
            return
        with contextlib.suppress(StorageError):
            self.append(Kind.ABORT, str(error).encode()[:200])

    def commit(
        self, request: Mapping[str, Any], digest: str, reply: bytes, rows: bytes, state: bytes | None = None
    ) -> None:
        """Record that it was done.

        Raises
        ------
        StorageError
            When the disk does not take it; the journal is as before.
        """
        reply = reply if len(reply) <= KEPT else _TOO_LARGE
        self.acknowledged = self.append(
            Kind.COMMIT, pack({"digest": digest}, [reply, rows, *([state] if state else [])])
        )
        self._remember({"id": request["id"], "key": request.get("key"), "digest": digest}, reply)

    def rebase(
        self, base: Base, request: Mapping[str, Any] | None = None, digest: str = "", reply: bytes = b""
    ) -> None:
        """Begin a generation at a state; a request that led there is committed by that.

        Raises
        ------
        StorageError
            When the disk does not take it; the journal is as before.
        """
        before = self._replies.copy(), dict(self._keys), self._size_of_replies
        if request is not None:
            head = {"id": request["id"], "key": request.get("key"), "digest": digest}
            self._remember(head, reply if len(reply) <= KEPT else _TOO_LARGE)
        keys = {name: key for key, name in self._keys.items()}
        answered = [{"id": i, "key": keys.get(i), "digest": digest} for i, (digest, _) in self._replies.items()]
        replies = [reply for _, reply in self._replies.values()]
        try:
            checksums = [file.checksums for file in base.rows]
            head = {"version": VERSION, "replies": answered, "rows": heads(base.rows)}
            self.start_generation([(Kind.BASE, pack(head, [base.state, self._spent.pack(), *checksums, *replies]))])
        except StorageError:
            self._replies, self._keys, self._size_of_replies = before
            raise
        self.base, self.done, self.damage = base, [], None
        self.acknowledged = self.sequence

    def reread(self) -> None:
        """Find again what is recorded.

        Raises
        ------
        StorageError
            When the journal cannot be read.
        """
        self.reopen()
        self._read()

    def _remember(self, head: Mapping[str, Any], reply: bytes) -> None:
        _, replaced = self._replies.get(head["id"], ("", b""))
        self._replies[head["id"]] = (head["digest"], reply)
        self._size_of_replies += len(reply) - len(replaced)
        if head.get("key"):
            self._keys[head["key"]] = head["id"]
        while len(self._replies) > REPLIES or self._size_of_replies > KEPT_IN_ALL:
            old, (_, dropped) = self._replies.popitem(last=False)
            self._size_of_replies -= len(dropped)
            for key in [key for key, name in self._keys.items() if name == old]:
                del self._keys[key]
                self._spent.add(key)


def base_of(head: Mapping[str, Any], blocks: Sequence[Block]) -> Base:
    """Return where a generation begins, from the parts of its first record.

    Raises
    ------
    StateError
        When another version wrote it.
    """
    if head.get("version") != VERSION:
        raise StateError(f"the session was stored by another version of this server, not by {VERSION}")
    return Base(bytes(blocks[0]), named(head["rows"], blocks[2 : 2 + len(head["rows"])]))


def _replies(head: Mapping[str, Any], blocks: Sequence[Block]) -> Iterator[tuple[Mapping[str, Any], Block]]:
    return zip(head["replies"], blocks[2 + len(head["rows"]) :], strict=True)


def committed(folder: Path, request_id: str) -> Block | None:
    """Return the reply to a request, from a journal that cannot be opened; None where it was not done."""
    intent = ""
    with contextlib.suppress(OSError, StateError):
        for record in present(folder):
            head, blocks = unpack(record.body) if record.kind is not Kind.ABORT else ({}, [])
            if record.kind is Kind.BASE:
                for reply_head, reply in _replies(head, blocks):
                    if reply_head["id"] == request_id:
                        return reply
            elif record.kind is Kind.INTENT:
                intent = head["id"]
            elif record.kind is Kind.COMMIT and intent == request_id:
                return blocks[0]
    return None
