"""Sessions and jobs as one file, taken while a server runs, and put back: `trivium backup`, `trivium restore`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path

from trivium.errors import InvalidValueError, StorageError
from trivium.session import layout
from trivium.session.folder import Folder, keep_clock

#: What a server makes anew, or what means nothing elsewhere.
_LEFT_OUT = frozenset({"fmu", "history", "sweep", "coupling", "metrics", "rates", "run"})
_DATABASES = (".sqlite", ".sqlite3")
_ASIDE = ("-wal", "-shm", "-journal")
#: How often a session that is busy is taken again, until its parts fit together.
_TRIES = 100


def backup(state_dir: Path, out: Path) -> int:
    """Write what a state directory holds into an archive; servers over it may run meanwhile.

    What was acknowledged before the call is in it, of each session up to one moment.

    Parameters
    ----------
    state_dir : Path
    out : Path
        A ``.tar``, which appears as a whole or not at all.

    Returns
    -------
    int
        How many sessions there are in it.

    Raises
    ------
    InvalidValueError
        When there is no such state directory.
    StorageError
        When something cannot be read or written.
    """
    if not state_dir.is_dir():
        raise InvalidValueError(
            f"There is no state directory {state_dir}; TRIVIUM_STATE_DIR names another one.", "state_dir"
        )
    if not out.absolute().parent.is_dir():
        raise StorageError(f"The backup cannot be written: there is no folder {out.absolute().parent}.")
    layout.prepare(state_dir)
    partial = out.with_name(f".{out.name}-{os.getpid()}")
    try:
        with _room(state_dir) as staged:
            sessions = _stage(state_dir, staged)
            with tarfile.open(partial, "w") as archive:
                archive.add(staged, arcname=".")
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(out)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"The backup cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return sessions


def restore(file: Path, state_dir: Path) -> None:
    """Make a state directory from an archive.

    Raises
    ------
    InvalidValueError
        When the file is none, or the state directory holds something.
    StorageError
        When it cannot be written.
    """
    try:
        if state_dir.exists() and any(state_dir.iterdir()):
            raise InvalidValueError(
                f"The state directory {state_dir} is not empty; set TRIVIUM_STATE_DIR to another one, or move it away.",
                "state_dir",
            )
        state_dir.parent.mkdir(parents=True, exist_ok=True)
        unpacked = state_dir.with_name(f".{state_dir.name}-{os.getpid()}")
        try:
            with tarfile.open(file) as archive:
                archive.extractall(unpacked, filter="data")
            if not (unpacked / "VERSION").is_file():
                raise InvalidValueError(f"{file} is no backup of a state directory.", "file")
            layout.prepare(unpacked)
            unpacked.replace(state_dir)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    except tarfile.TarError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise InvalidValueError(f"{file} is no backup of a state directory: {reason}", "file") from error
    except FileNotFoundError as error:
        raise InvalidValueError(f"There is no file {file}.", "file") from error
    except OSError as error:
        raise StorageError(f"The backup cannot be restored: {error}") from error


@contextlib.contextmanager
def _room(state_dir: Path) -> Iterator[Path]:
    """Give a folder on the same disk, so that large files are linked and not copied."""
    path = state_dir / f".backup-{os.getpid()}"
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _stage(state_dir: Path, staged: Path) -> int:
    sessions = 0
    for path in sorted(state_dir.iterdir()):
        if path.name == "sessions":
            for session in sorted(path.iterdir()):
                if not session.name.startswith("."):
                    sessions += _stage_session(session, staged / "sessions" / session.name)
        elif not path.name.startswith(".") and path.name not in _LEFT_OUT:
            _stage_files(path, staged / path.name)
    return sessions


def _stage_session(session: Path, staged: Path) -> bool:
    """Add a session: its journal first, because everything that the journal refers to is already on disk."""
    for _ in range(_TRIES):
        try:
            before, status = _generation(session), Folder(session.parent.parent, session.name).status()
            shutil.copytree(session / "journal", staged / "journal")
            for name in ("rows", "snapshots", "about.json", "queued", "labels.json", "listed.json", "indicators.json"):
                if (session / name).exists():
                    _stage_files(session / name, staged / name)
            keep_clock(status, staged / "status")
            if _generation(session) == before:
                return True
        except FileNotFoundError:  # a file of an old generation, or the session was stopped
            if not (session / "about.json").exists():
                shutil.rmtree(staged, ignore_errors=True)
                return False
            if not (session / "journal").exists():  # nothing was asked of it yet
                _stage_files(session / "about.json", staged / "about.json")
                return True
        shutil.rmtree(staged, ignore_errors=True)
    raise StorageError(f"The session {session.name} changes too fast to be taken.")


def _generation(session: Path) -> str:
    return max((path.name for path in (session / "journal").glob("journal-*")), default="")


def _stage_files(path: Path, staged: Path) -> None:
    """Take files and folders: databases as of one moment, others as links."""
    if path.is_dir():
        staged.mkdir(parents=True)
        for inside in sorted(path.iterdir()):
            if not inside.name.startswith("."):
                _stage_files(inside, staged / inside.name)
    elif path.suffix in _DATABASES:
        with (
            contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as source,
            contextlib.closing(sqlite3.connect(staged)) as target,
        ):
            source.backup(target)
    elif path.is_file() and not path.name.endswith(_ASIDE):
        staged.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, staged)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(path, staged)
