"""Space on the disk: what is left free for an orderly end, and how much files take."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from trivium.access import Access, Present, everybody
from trivium.errors import StorageError

#: At most this share of a disk is kept free, however large the reserve is.
_SHARE = 0.05
#: How long a measured size holds [s], and as many times as long as it took to measure.
_FRESH, _TIMES = 2.0, 20.0
_WAY_OUT = "Stop sessions, or remove snapshots and jobs."


class Room:
    """Whether there is room to write: on the disk, in the state directory, and for the present caller.

    A reserve is left, so that sessions can be stopped and files removed when all else is full.

    Parameters
    ----------
    folder : Path
        The state directory.
    reserve : int
        What is kept free on its disk [bytes], but at most a twentieth of the disk.
    limit : int
        Most that the folder may hold [bytes]; 0 for what the disk holds. A twentieth of it is kept as well.
    present : callable
        Returns who acts now; see `trivium.access`.
    """

    def __init__(self, folder: Path, reserve: int = 0, limit: int = 0, present: Present = everybody) -> None:
        self._folder, self._reserve, self._limit, self._present = folder, reserve, limit, present
        self._sizes = Sizes()
        #: Each returns folders that belong to an owner.
        self.holdings: list[Callable[[str], Iterable[Path]]] = []

    @property
    def access(self) -> Access:
        """What the present caller may do."""
        return self._present()

    def check(self, needed: int = 0) -> None:
        """Refuse to write when there is no room, or nothing to write into.

        Parameters
        ----------
        needed : int
            What is to be written, where it is known [bytes].

        Raises
        ------
        StorageError
        """
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise StorageError(f"the state directory {self._folder} cannot be used: {error.strerror}") from error
        size, free = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
        if free - needed < min(self._reserve, _SHARE * size):
            raise StorageError(
                f"The disk of the server is full but for {_mib(free)}, which it keeps for an orderly end "
                f"(TRIVIUM_DISK_RESERVE). {_WAY_OUT}"
            )
        if self._limit and self._sizes.of("", lambda: [self._folder]) + needed > (1 - _SHARE) * self._limit:
            raise StorageError(
                f"The server stores as much as it may, {_mib(self._limit)} (TRIVIUM_MAX_STORAGE). {_WAY_OUT}"
            )
        access = self._present()
        owner, most = access.owner, access.quota.storage
        if owner is not None and most and self._sizes.of(owner, lambda: self._held(owner)) + needed >= most:
            raise StorageError(
                f"The sessions and jobs of the token {owner} take as much as they may, {_mib(most)}. {_WAY_OUT}"
            )

    def _held(self, owner: str) -> Iterable[Path]:
        return [folder for folders in self.holdings for folder in folders(owner)]


def _mib(size: float) -> str:
    return f"{size / 2**20:.4g} MiB"


class Sizes:
    """How much some folders take on the disk; measured now and then, and each file once that has several names."""

    def __init__(self) -> None:
        self._measured: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def of(self, name: str, folders: Callable[[], Iterable[Path]]) -> int:
        """Return how much folders take [bytes], as it was measured last under a name, if that is not long ago."""
        with self._lock:
            until, size = self._measured.get(name, (0.0, 0))
            started = time.monotonic()
            if started >= until:
                size = measure(folders())
                ended = time.monotonic()
                self._measured[name] = ended + max(_FRESH, _TIMES * (ended - started)), size
        return size


def measure(folders: Iterable[Path]) -> int:
    """Return how much folders take on the disk with all that is in them [bytes]; what vanishes meanwhile is nothing."""
    files: dict[tuple[int, int], int] = {}
    left = [os.fspath(folder) for folder in folders]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    files[status.st_dev, status.st_ino] = 512 * status.st_blocks
                    if stat.S_ISDIR(status.st_mode):
                        left.append(entry.path)
        except OSError:
            continue
    return sum(files.values())
