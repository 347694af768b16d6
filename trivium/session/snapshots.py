"""The snapshots of a session: ``snapshots/<id>/`` with the file ``state`` and links to the row files up to then."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from trivium.errors import DamagedError, StorageError
from trivium.names import is_id
from trivium.session import rows
from trivium.session.folder import Folder, opened, sealed
from trivium.session.frames import head_of, pack, unpack
from trivium.session.journal import Durability
from trivium.session.ledger import Base, Ledger
from trivium.simulation.row_files import RowFile
from trivium.space import measure
from trivium.storage import replace_file


class Snapshot(NamedTuple):
    """A state of a session and the rows up to it, and its clock [s]; None where an earlier version stored it."""

    state: bytes
    parts: list[RowFile]
    time: float | None


class Stored(NamedTuple):
    """What is known of a snapshot.

    Attributes
    ----------
    name : str
    created : float
        Since 1970 [s].
    size : int
        [bytes]
    time : float or None
        Clock [s].
    """

    name: str
    created: float
    size: int
    time: float | None


class Snapshots:
    """Stores states for good.

    Parameters
    ----------
    folder : Path
        Of the session.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "snapshots"

    def store(self, state: bytes, parts: list[RowFile], time: float) -> str:
        """Store a state at a time [s] and return its id.

        Raises
        ------
        StorageError
            When the disk does not take it; nothing is left behind then.
        """
        name = os.urandom(8).hex()
        unfinished = self._folder / f".{name}"
        try:
            rows.share(parts, unfinished)
            named = rows.names(parts)
            body = pack({"rows": rows.heads(named), "time": time}, [state, *(file.checksums for file in named)])
            replace_file(unfinished / "state", sealed(body))
            unfinished.rename(self._folder / name)
        except (OSError, StorageError) as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise StorageError(f"the snapshot cannot be stored: {error}") from error
        return name

    def load(self, name: str) -> Snapshot | None:
        """Return a snapshot; None when there is none of this name.

        Raises
        ------
        DamagedError
            When it is damaged.
        """
        if not is_id(name):
            return None
        folder = self._folder / name
        try:
            head, (state, *checksums) = unpack(opened((folder / "state").read_bytes()))
            named = rows.named(head["rows"], checksums)
        except (FileNotFoundError, NotADirectoryError):
            if folder.is_dir():
                raise DamagedError(f"The snapshot {name} is damaged: it has no state any more.") from None
            return None
        except (OSError, ValueError) as error:
            raise DamagedError(f"The snapshot {name} cannot be read: {error}.") from error
        return Snapshot(bytes(state), rows.parts(folder, named), head.get("time"))

    def remove(self, name: str) -> bool:
        """Forget a snapshot; return whether there was one of this name."""
        if not is_id(name):
            return False
        removed = self._folder / f".{os.urandom(8).hex()}"
        try:
            (self._folder / name).rename(removed)  # at once: nobody finds half of one
        except OSError:
            return False
        shutil.rmtree(removed, ignore_errors=True)
        return True

    def stored(self) -> list[Stored]:
        """Return all snapshots, the newest first."""
        snapshots = []
        for name in self.names():
            path = self._folder / name
            with contextlib.suppress(OSError):  # it is being removed
                created = (path / "state").stat().st_mtime
                snapshots.append(Stored(name, created, measure([path]), self._time(path)))
        return sorted(snapshots, key=lambda snapshot: -snapshot.created)

    def _time(self, path: Path) -> float | None:
        """Return the clock in a snapshot [s], read from its head only."""
        with contextlib.suppress(OSError, ValueError), (path / "state").open("rb") as file:
            return head_of(file).get("time")
        return None

    def names(self) -> list[str]:
        """Return the names of all snapshots."""
        try:
            return [name for name in os.listdir(self._folder) if is_id(name)]
        except OSError:
            return []


def begin(folder: Folder, snapshot: Snapshot, durability: Durability) -> None:
    """Let a new session begin where a snapshot was taken; again, nothing happens.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    rows.share(snapshot.parts, folder.rows)
    ledger = Ledger(folder.journal, durability)
    try:
        if ledger.base is None:  # else an earlier process died after it began
            ledger.rebase(Base(snapshot.state, rows.names(snapshot.parts)))
            folder.witness(ledger.acknowledged, snapshot.time or 0.0)
    finally:
        ledger.close()
