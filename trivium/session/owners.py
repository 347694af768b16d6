"""Whose sessions are whose: the description of each is read once."""

from __future__ import annotations

import os
from pathlib import Path

from trivium.errors import StorageError, TriviumError
from trivium.names import is_id
from trivium.session.folder import Folder


class Owners:
    """Owners of the sessions of a folder; a session keeps its owner.

    Parameters
    ----------
    sessions : Path
        The folder of all sessions.
    """

    def __init__(self, sessions: Path) -> None:
        self._sessions = sessions
        self._owners: dict[str, str] = {}

    def of(self, testid: str) -> str | None:
        """Return the owner of a session; None where it has none, or there is no such session."""
        if testid in self._owners:
            return self._owners[testid]
        try:
            owner = Folder(self._sessions.parent, testid).description().get("owner") if is_id(testid) else None
        except TriviumError:  # it is damaged; who may do everything sees it
            owner = None
        if owner is not None:
            self._owners[testid] = owner
        return owner

    def names(self, owner: str) -> list[str]:
        """Return the test ids of an owner's sessions.

        Raises
        ------
        StorageError
            When they cannot be listed.
        """
        try:
            there = {name for name in os.listdir(self._sessions) if is_id(name)}
        except OSError as error:
            raise StorageError(f"the folder {self._sessions} cannot be read: {error.strerror}") from error
        for testid in self._owners.keys() - there:
            self._owners.pop(testid, None)
        return [testid for testid in sorted(there) if self.of(testid) == owner]
