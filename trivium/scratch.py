"""Temporary folders: removed when they are no longer used, and by a later process where theirs was killed."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType

_PREFIX = "trivium-work-"
#: From which age on a folder that nobody holds is left over [s]: a new one is not held for a moment.
_OLD = 60.0


class Scratch:
    """A temporary folder, which is removed by `close`, or at the end of a ``with`` block.

    A process that is killed leaves its folders behind. Each is locked while its process lives, or one forked from it,
    so that the next process that makes a folder can tell those and remove them.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        _remove_left(tempfile.gettempdir())
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._held = os.open(self.path, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a file system without locks, where nobody removes what is left
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and all that is in it; again, nothing happens."""
        if self._held >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._held)
            self._held = -1


@functools.cache  # once is enough for a process
def _remove_left(temporary: str) -> None:
    for path in Path(temporary).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, or removed meanwhile
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a folder of a `Scratch` whose process has ended; leave one that is held or new.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        stat = os.fstat(descriptor)
        if stat.st_uid == os.getuid() and time.time() - stat.st_mtime > _OLD:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
