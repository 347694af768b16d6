"""Whether a state directory, the results of a study or a backup is what was written: `trivium verify`."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from trivium.errors import InvalidValueError, StorageError, TriviumError
from trivium.names import is_id
from trivium.session.folder import Folder, undescribed
from trivium.session.inspection import Finding, inspect_session

#: Folders of a state directory that a server makes anew.
_CACHES = ("sweep", "coupling")
_DATABASES = ("*.sqlite", "*.sqlite3")
#: Documents of a state directory, and what they are.
_DOCUMENTS = {"testcases.json": dict, "uploads.json": list}


def verify(path: Path) -> list[Finding]:
    """Return what is damaged of a state directory, of a folder with the results of a study, or of a backup.

    Servers over the state directory may run meanwhile.

    Raises
    ------
    InvalidValueError
        When the path is none of these.
    StorageError
        When a backup cannot be unpacked for lack of room.
    """
    if path.is_file():
        return _backup(path)
    if (path / "study.sqlite").is_file():
        return list(_results(path))
    if (path / "VERSION").is_file() or (path / "sessions").is_dir():
        return list(_state_directory(path))
    raise InvalidValueError(f"{path} is no state directory, no folder of results and no backup.", "path")


def repair(finding: Finding) -> str | None:
    """Mend what was found, and return what was done and what is lost; None where nothing can be done.

    Raises
    ------
    TriviumError
        When it cannot be mended now.
    """
    return None if finding.repair is None else finding.repair()


def _state_directory(path: Path) -> Iterator[Finding]:
    for name, kind in _DOCUMENTS.items():
        yield from _document(path / name, kind)
    for session in sorted((path / "sessions").glob("*")):
        if is_id(session.name) and session.is_dir():
            yield from inspect_session(Folder(path, session.name))
    for kept in sorted((path / "keys").glob("*")):
        yield from _key(kept)
    for database in _databases(path / "jobs"):
        yield from _database(database, None)
    for study in sorted((path / "jobs").glob("*/**/study.sqlite")):
        yield from _results(study.parent)
    for cache in _CACHES:
        for database in _databases(path / cache):
            yield from _database(database, _removal(database))


def _document(path: Path, kind: type) -> Iterator[Finding]:
    try:
        if not isinstance(json.loads(path.read_bytes()), kind):
            yield Finding(path, f"it holds no {kind.__name__}")
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        yield Finding(path, f"it cannot be read: {error}")


def _key(path: Path) -> Iterator[Finding]:
    try:
        if data := path.read_bytes():
            undescribed(data)
    except (OSError, ValueError) as error:
        yield Finding(path, f"the reply to a request cannot be read: {error}")


def _databases(folder: Path) -> Iterator[Path]:
    for pattern in _DATABASES:
        yield from sorted(folder.glob(pattern))


def _database(path: Path, mend: Callable[[], str] | None) -> Iterator[Finding]:
    """Let SQLite look at each page; see https://sqlite.org/pragma.html#pragma_integrity_check."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=60)) as base:
            reports = [str(row[0]) for row in base.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        reports = [str(error)]
    if reports != ["ok"]:
        yield Finding(path, f"SQLite reports: {'; '.join(reports)}", mend)


def _removal(path: Path) -> Callable[[], str]:
    def remove() -> str:
        for part in (path, *path.parent.glob(f"{path.name}-*")):
            part.unlink(missing_ok=True)
        return "it is removed, and made anew; nothing is lost but time"

    return remove


def _results(folder: Path) -> Iterator[Finding]:
    """Compare the parts of the results of a study with their hashes."""
    from trivium.extras import require

    damaged = list(_database(folder / "study.sqlite", None))
    yield from damaged
    if damaged:
        return
    require("h5py", "sweep")
    from trivium.study.read import open_results

    try:
        with open_results(folder) as results:
            for lost in results.verify():
                yield Finding(folder, f"{lost}; `trivium sweep repair` runs these again")
    except TriviumError as error:
        yield Finding(folder, str(error))


def _backup(path: Path) -> list[Finding]:
    """Unpack a backup beside it, look at it, and remove that again."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as name:
            folder = Path(name) / "state"
            try:
                with tarfile.open(path) as archive:
                    archive.extractall(folder, filter="data")
            except (tarfile.TarError, EOFError) as error:
                return [Finding(path, f"it is no backup, or is damaged: {str(error).splitlines()[0]}")]
            if not (folder / "VERSION").is_file():
                return [Finding(path, "it is no backup of a state directory: it has no VERSION")]
            return [
                Finding(path / finding.path.relative_to(folder), finding.problem.replace(f"{folder}/", ""))
                for finding in _state_directory(folder)
            ]
    except OSError as error:
        raise StorageError(f"{path} cannot be unpacked: {error.strerror or error}") from error
