"""Replies to requests that made something, by Idempotency-Key: a session, a snapshot, a job.

Each key has a file, which is locked while its request is done and holds the reply afterwards. What is made gets an id
that follows from the key, so that a request whose web worker died is finished by the next one and not done twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium.errors import BusyError, ConflictError, DamagedError, StorageError
from trivium.session.folder import described, undescribed
from trivium.storage import LockedError, acquire

#: How long a reply is kept [s].
KEPT = 30 * 86400.0
#: How often old ones are looked for [s].
_LOOK = 3600.0


class Keys:
    """Keeps replies for those who ask again; shared by all web workers.

    Parameters
    ----------
    folder : Path
        Made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked = -_LOOK

    def once(self, key: str | None, request: Sequence[object], make: Callable[[str], str]) -> str:
        """Return what the first request of a key returned.

        Parameters
        ----------
        key : str or None
            None for a request that is done each time.
        request : sequence
            What distinguishes requests; JSON can hold it.
        make : callable
            Does the request, given an id for what it makes. After a death it is called again with the same id.

        Raises
        ------
        ConflictError
            When the key was used for another request.
        BusyError
            When its request is being done.
        DamagedError
            When the reply cannot be read any more.
        StorageError
            When it cannot be kept.
        """
        if key is None:
            return make(os.urandom(16).hex())
        self._tidy()
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        digest = hashlib.sha256(json.dumps(list(request), sort_keys=True).encode()).hexdigest()
        opened: list[int] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = acquire(self._folder / name, opened=opened.append)
        except LockedError:
            raise BusyError("The request of this Idempotency-Key is being done.", 1, 0) from None
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be written: {error.strerror or error}") from error
        try:
            (file,) = opened
            reply = _reply(os.pread(file, 2**16, 0), digest)
            if reply is None:
                reply = make(name)
                with contextlib.suppress(OSError):  # a full disk; it was done, and a second one finds what it made
                    os.pwrite(file, described({"request": digest, "reply": reply}), 0)
            return reply
        finally:
            lock.release()

    def _tidy(self) -> None:
        """Remove old files, once in a while."""
        clock = time.monotonic()
        if clock - self._looked < _LOOK:
            return
        self._looked = clock
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if time.time() - path.stat().st_mtime > KEPT:
                    path.unlink(missing_ok=True)


def _reply(data: bytes, digest: str) -> str | None:
    """Return the reply that a file holds; None when its request was not done."""
    if not data:
        return None
    try:
        kept = undescribed(data)
    except ValueError as error:
        raise DamagedError(
            f"The reply to the request of this Idempotency-Key cannot be read any more ({error}); it was done."
        ) from error
    if kept["request"] != digest:
        raise ConflictError("This Idempotency-Key was used for another request.")
    return str(kept["reply"])
