"""Who may have a session: as many as the settings allow, and others wait their turn or are sent away, at once.

A session that waits has a folder with a file ``queued``, which is touched whenever its client asks; who does not ask
for `PATIENCE` gives up the place. When there is room, the one that waits longest goes first, and nobody overtakes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from trivium.errors import BusyError, StorageError
from trivium.session.folder import Folder
from trivium.storage import locked

#: When a client that found no room should come again [s].
RETRY_AFTER = 5
#: How long a session waits for a client that does not ask [s].
PATIENCE = 60.0


class Admission:
    """Makes the folders of sessions, shared by all web workers.

    Parameters
    ----------
    state_dir : Path
    limit : int
        Most sessions, the default session not counted.
    default : str
        Test id of the default session.

    Raises
    ------
    StorageError
        When the state directory cannot be written.
    """

    def __init__(self, state_dir: Path, limit: int, default: str) -> None:
        self._state_dir = state_dir
        self._sessions = state_dir / "sessions"
        self._limit = limit
        self._default = default
        try:
            self._sessions.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"the state directory {state_dir} cannot be written: {error.strerror}") from error

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other workers from making sessions."""
        try:
            with locked(self._sessions / ".lock"):
                yield
        except OSError as error:
            raise StorageError(f"the folder {self._sessions} cannot be written: {error.strerror}") from error

    def testids(self) -> list[str]:
        """Return the test ids of all sessions, those that wait too."""
        folders = (path for path in self._sessions.iterdir() if not path.name.startswith("."))
        return sorted(path.name for path in folders if (path / "about.json").exists())

    def admit(self, testcase: str, *, wait: bool = False) -> Folder:
        """Make the folder of a further session.

        Parameters
        ----------
        testcase : str
            Its id.
        wait : bool
            Whether the session may wait its turn where there is no room.

        Raises
        ------
        BusyError
            When there is no room; reports how many wait before.
        """
        with self.alone():
            running, waiting = self._count()
            folder = Folder(self._state_dir, os.urandom(16).hex())
            if running + len(waiting) < self._limit:
                folder.create({"testcase": testcase, "created": time.time()})
            elif wait:
                folder.create({"testcase": testcase, "created": time.time()}, queued=True)
            else:
                raise BusyError(
                    f"There are {running} sessions, as many as this server takes. Stop one, come again, or wait with "
                    f"select-async.",
                    RETRY_AFTER,
                    len(waiting) + 1,
                )
        return folder

    def place(self, folder: Folder) -> int:
        """Return how many sessions wait up to this one, 0 when it need not wait: there may be room by now."""
        if not folder.queued.exists():
            return 0
        with self.alone():
            with contextlib.suppress(FileNotFoundError):
                os.utime(folder.queued)
            running, waiting = self._count()
            if folder.testid not in waiting:
                return 0
            place = waiting.index(folder.testid) + 1
            if running + place > self._limit:
                return place
            folder.queued.unlink()
        return 0

    def _count(self) -> tuple[int, list[str]]:
        """Return how many sessions there are, and the test ids of those that wait, the longest first."""
        running, waiting = 0, []
        for testid in self.testids():
            folder = Folder(self._state_dir, testid)
            since = folder.queued_since()
            if since is None:
                running += testid != self._default
            elif time.time() - folder.queued.stat().st_mtime > PATIENCE:
                shutil.rmtree(folder.path, ignore_errors=True)
            else:
                waiting.append((since, testid))
        return running, [testid for _, testid in sorted(waiting)]
