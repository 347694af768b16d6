"""The address at which a process listens: a socket file, which it removes only while it is its own."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path


class Address:
    """A socket file, in place of one that was left there.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        #: Accepts connections once it listens; until then they are refused.
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self._identity = _identity(path)

    def listen(self) -> None:
        """Accept connections; who comes early waits."""
        self.listener.listen(128)

    def remove(self) -> None:
        """Remove the file, unless another process has put its own there since: the folder may have been deleted."""
        with contextlib.suppress(OSError):
            if _identity(self._path) == self._identity:
                self._path.unlink()

    def close(self) -> None:
        """Accept no more connections."""
        self.listener.close()


def _identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_ctime_ns
