"""How often somebody may call, counted over all workers of a server."""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import struct
import threading
import time
from pathlib import Path

from trivium.errors import RateError, StorageError

#: Callers share a place in the file, and with it a limit, when their names fall together.
_PLACES = 65536
_TIME = struct.Struct("=d")


class Rates:
    """Limits of requests a second; a second's worth may come at once.

    The generic cell rate algorithm: for each caller one time is kept, at which all its requests so far would have been
    due at the rate allowed. The workers share the file that holds it.

    Parameters
    ----------
    path : Path
        The file, which is made when there is none.

    Raises
    ------
    StorageError
        When it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # allocated, so that it can be written when the disk is full; and not mapped: a fault would end the process
            os.posix_fallocate(self._file, 0, _PLACES * _TIME.size)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}") from error
        self._lock = threading.Lock()

    def count(self, caller: str, rate: int) -> None:
        """Count a request.

        Parameters
        ----------
        caller : str
        rate : int
            Requests a second.

        Raises
        ------
        RateError
            When it is beyond the rate; it is not counted then.
        """
        at = int.from_bytes(hashlib.sha256(caller.encode()).digest()[:4], "big") % _PLACES * _TIME.size
        with self._lock:  # of this process's threads; the file's lock is between processes
            # a place of the file for each caller; filelock locks whole files
            fcntl.lockf(self._file, fcntl.LOCK_EX, _TIME.size, at)
            try:
                clock = time.monotonic()
                (due,) = _TIME.unpack(os.pread(self._file, _TIME.size, at))
                if not clock - 1 <= due <= clock + 2:  # long ago, or before the machine started
                    due = clock
                due = max(due, clock) + 1 / rate
                wait = due - clock - 1
                if wait > 1e-9:
                    raise RateError(f"At most {rate} requests a second.", math.ceil(wait))
                os.pwrite(self._file, _TIME.pack(due), at)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, _TIME.size, at)
