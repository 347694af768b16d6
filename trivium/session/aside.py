"""Sessions that were ended and can come back for a while: their folders lie under another name."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from trivium.errors import ConflictError, UnknownSessionError
from trivium.names import is_file_name, is_id
from trivium.session.admission import Admission
from trivium.session.folder import Folder
from trivium.space import Room

#: What a server that died did not remove is removed when it is older than this [s].
_OLD = 86400.0


class Aside:
    """Brings sessions back that were set aside, or removes them for good.

    Parameters
    ----------
    state_dir : Path
    default : str
        Id of the default session, which is everybody's.
    admission : Admission
    room : Room
        Knows who asks.
    """

    def __init__(self, state_dir: Path, default: str, admission: Admission, room: Room) -> None:
        self._state_dir = state_dir
        self._sessions = state_dir / "sessions"
        self._default = default
        self._admission = admission
        self._room = room

    def bring_back(self, name: str, testid: str) -> None:
        """Let a session be there again that was set aside.

        Raises
        ------
        UnknownSessionError
            When it is not kept any more, or is somebody else's.
        ConflictError
            When there is another session of its id.
        """
        path = self._path(name, testid)
        access = self._room.access
        owner = Folder(self._state_dir, testid, path).description().get("owner")
        if not (testid == self._default or access.everything or access.sees(owner)):
            raise UnknownSessionError(testid)
        with self._admission.alone():
            if Folder(self._state_dir, testid).exists():
                raise ConflictError(f"There is a session {testid} again already.")
            path.rename(self._sessions / testid)

    def forget(self, name: str) -> None:
        """Remove a session that was set aside."""
        shutil.rmtree(self._sessions / name, ignore_errors=True)

    def sweep(self) -> None:
        """Remove sessions that were ended and whose server died before it removed them."""
        for path in self._sessions.glob(".stopped-*"):
            with contextlib.suppress(ValueError, OSError):
                if time.time_ns() - int(path.name.rpartition("-")[2]) > _OLD * 1e9:
                    shutil.rmtree(path)

    def _path(self, name: str, testid: str) -> Path:
        path = self._sessions / name
        if not (is_id(testid) and is_file_name(name) and name.startswith(f".stopped-{testid}-") and path.is_dir()):
            raise UnknownSessionError(testid)
        return path
