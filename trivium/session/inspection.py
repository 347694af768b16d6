"""What is damaged of a session on disk, without a request to its process; and what can be mended of it.

Nothing is mended unless it was asked for, and nothing is thrown away: what is damaged is moved aside.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from trivium.errors import DamagedError, StateError
from trivium.session import rows
from trivium.session.folder import Folder, described, keep_clock
from trivium.session.frames import unpack
from trivium.session.journal import HEADER, Kind, Record, latest, read
from trivium.session.ledger import Base, base_of
from trivium.session.snapshots import Snapshots
from trivium.simulation.row_files import RowFile
from trivium.storage import LockedError, acquire, replace_file

#: How often a session is looked at again that changes meanwhile.
_TRIES = 5


class Finding(NamedTuple):
    """Something that is not what was written.

    Attributes
    ----------
    path : Path
    problem : str
        What is wrong, in words.
    repair : callable or None
        Mends it and returns what was done, and what is lost; None where nothing can be done.
    """

    path: Path
    problem: str
    repair: Callable[[], str] | None = None


def inspect_session(folder: Folder) -> list[Finding]:
    """Return what is damaged of a session; its host may go on meanwhile."""
    findings: list[Finding] = []
    for _ in range(_TRIES):
        before = latest(folder.journal)
        findings = list(_findings(folder))
        if not folder.path.exists():  # it was stopped
            return []
        if not findings or latest(folder.journal) == before:
            break
    return findings


def _findings(folder: Folder) -> Iterator[Finding]:
    try:
        folder.description()
    except DamagedError as error:
        yield Finding(folder.path / "about.json", str(error), lambda: _describe(folder))
    if (folder.path / "status").exists() and folder.status() is None:
        remove = _removal(
            folder.path / "status", "it is written anew; what was acknowledged last is not known any more"
        )
        yield Finding(folder.path / "status", "its checksum is another", remove)
    yield from _of_journal(folder)
    for name in Snapshots(folder.path).names():
        path = folder.path / "snapshots" / name
        try:
            snapshot = Snapshots(folder.path).load(name)
        except DamagedError as error:
            yield Finding(path / "state", str(error), _removal(path, f"the snapshot {name} is lost"))
            continue
        yield from _of_rows(folder, snapshot.parts if snapshot is not None else [])


def _of_journal(folder: Folder) -> Iterator[Finding]:
    path, status = latest(folder.journal), folder.status()
    acknowledged = status.acknowledged if status is not None else 0
    if path is None:
        if acknowledged:
            yield Finding(folder.journal, f"there is no journal any more; {acknowledged} records were acknowledged")
        return
    records: list[Record] = []
    try:
        with contextlib.suppress(FileNotFoundError):  # another generation began
            records.extend(read(path.read_bytes(), str(path)))
    except OSError as error:
        yield Finding(path, f"it cannot be read: {error.strerror}")
        return
    except DamagedError as error:
        yield Finding(path, str(error), (lambda: _cut(folder, path)) if _whole(path) else None)
        records = _whole(path)
    except StateError as error:
        yield Finding(path, str(error))
        return
    else:
        last = max((record.sequence for record in records if record.kind in (Kind.BASE, Kind.COMMIT)), default=0)
        if acknowledged > last:
            yield Finding(
                path,
                f"it ends at record {last}, and record {acknowledged} was acknowledged",
                (lambda: _acknowledge(folder, last)) if records else None,
            )
    if records:
        yield from _of_rows(folder, rows.parts(folder.rows, _base(records[0]).rows))


def _base(record: Record) -> Base:
    head, blocks = unpack(record.body)
    return base_of(head, blocks)


def _of_rows(folder: Folder, files: list[RowFile]) -> Iterator[Finding]:
    for file in files:
        if problem := file.check():
            repair = (lambda file=file: _fetch(folder, file)) if _copy_of(folder, file) else None
            yield Finding(file.path, problem, repair)


def _whole(path: Path) -> list[Record]:
    """Return the records before the one that is damaged."""
    records: list[Record] = []
    with contextlib.suppress(StateError):
        for record in read(path.read_bytes()):
            records.append(record)  # noqa: PERF402, those before the error count
    return records


# -- repairs ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(folder: Folder) -> Iterator[None]:
    """Keep hosts away.

    Raises
    ------
    StateError
        When a host serves the session.
    """
    try:
        lock = acquire(folder.journal / "lock")
    except LockedError:
        raise StateError("its process is running; stop the server first") from None
    try:
        yield
    finally:
        lock.release()


def _cut(folder: Folder, path: Path) -> str:
    """End a journal before the record that is damaged."""
    with _alone(folder):
        records = _whole(path)
        aside = _aside(path)
        shutil.copyfile(path, aside)
        os.truncate(path, sum(HEADER + len(record.body) for record in records))
        last = max(record.sequence for record in records if record.kind in (Kind.BASE, Kind.COMMIT))
        return f"{_trust(folder, last)}; the journal as it was is {aside.name}"


def _acknowledge(folder: Folder, last: int) -> str:
    with _alone(folder):
        return _trust(folder, last)


def _trust(folder: Folder, last: int) -> str:
    """Take a record for the last one that was acknowledged."""
    status = folder.status()
    if status is None:
        return f"the session goes on after record {last}"
    keep_clock(status._replace(acknowledged=last), folder.path / "status")
    folder.note_damage("")
    lost = f"what was done in records {last + 1} to {status.acknowledged} is lost" if status.acknowledged > last else ""
    return f"the session goes on after record {last}{'; ' if lost else ''}{lost}"


def _describe(folder: Folder) -> str:
    """Seal a description again that can still be read; otherwise move the session aside."""
    path = folder.path / "about.json"
    with contextlib.suppress(OSError, ValueError):
        description = json.loads(path.read_bytes())
        if isinstance(description, dict) and isinstance(description.get("testcase"), str):
            description.pop("checksum", None)
            replace_file(path, described(description))
            return f"it is taken as it reads; check it: {json.dumps(description)}"
    aside = folder.path.with_name(f".damaged-{folder.testid}-{time.time_ns()}")
    with _alone(folder):
        folder.path.rename(aside)
    return f"the session is lost to clients, since its test case is not known; it is moved to {aside}"


def _removal(path: Path, lost: str) -> Callable[[], str]:
    """Return what moves a file or a folder aside."""

    def remove() -> str:
        aside = _aside(path)
        path.rename(aside)
        return f"{lost}; it is moved to {aside.name}"

    return remove


def _copy_of(folder: Folder, file: RowFile) -> Path | None:
    """Return a whole file of the same name, among the snapshots and rows of all sessions."""
    sessions = folder.path.parent
    for pattern in (f"*/rows/{file.path.name}", f"*/snapshots/*/{file.path.name}"):
        for path in sessions.glob(pattern):
            if not file._replace(path=path).check():
                return path
    return None


def _fetch(folder: Folder, file: RowFile) -> str:
    """Replace a row file by a whole one."""
    with _alone(folder):
        copy = _copy_of(folder, file)
        if copy is None:
            raise StateError("there is no whole file of its name any more")
        fresh = file.path.with_name(f".{file.path.name}-{os.getpid()}")
        shutil.copyfile(copy, fresh)
        fresh.replace(file.path)
    folder.note_damage("")
    return f"it is replaced by {copy}; nothing is lost"


def _aside(path: Path) -> Path:
    return path.with_name(f".damaged-{path.name}-{time.time_ns()}")
