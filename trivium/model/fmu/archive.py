"""The files of an FMU on disk: it is unpacked once, and its binary for this platform is found."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path
from typing import IO

from trivium.errors import ResourcesError
from trivium.suggestions import did_you_mean

log = logging.getLogger(__name__)

#: How much is read at a time [bytes].
_CHUNK = 2**20
#: Where the binary of this platform is: the name of FMI 3.0, then those of FMI 1.0 and 2.0, which have none for ARM,
#: so that each tool has its own there.
_FOLDERS = {
    ("linux", "x86_64"): ("x86_64-linux", "linux64"),
    ("linux", "aarch64"): ("aarch64-linux", "linux64-aarch64", "linux-aarch64", "linuxaarch64", "aarch64-linux-gnu"),
    ("darwin", "x86_64"): ("x86_64-darwin", "darwin64"),
    ("darwin", "arm64"): ("aarch64-darwin", "darwin64"),
    ("win32", "amd64"): ("x86_64-windows", "win64"),
}
#: Most that an FMU may be unpacked [bytes]; a small archive may hold more than a disk.
_MOST = 8 * 2**30
#: What a member takes at least, and what any FMU may take unpacked [bytes].
_MEMBER, _ANY = 4096, 64 * 2**20
#: Folders of unpacked FMUs, and those that were left while they were unpacked.
_UNPACKED = re.compile(r"[0-9a-f]{32}|unpacking-\w+")
_SUFFIXES = {"linux": ".so", "darwin": ".dylib", "win32": ".dll"}
_BINARY = frozenset(_SUFFIXES.values())
#: Most binaries that a refusal names.
_LISTED = 8


def unpack(path: Path, cache: Path) -> Path:
    """Unpack an FMU once and return the folder; safe against a second process that does the same.

    What was unpacked before is compared with the checksums of the archive, and unpacked again where it differs.

    Raises
    ------
    ResourcesError
        When the file cannot be read, is no archive or would be unpacked beside the folder.
    """
    try:
        with path.open("rb") as file:
            directory = cache / _digest(file)
            if directory.is_dir():
                _note_use(directory)
                _mend(file, directory)
                return directory
            cache.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix="unpacking-", dir=cache))
            try:
                with zipfile.ZipFile(file) as archive:
                    _size(archive, f"the FMU {path.name}", _MOST)
                    archive.extractall(temporary)  # zipfile itself keeps members inside
                temporary.chmod(0o755)
                os.rename(temporary, directory)
            except OSError:
                if not directory.is_dir():  # otherwise another process was faster
                    raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except FileNotFoundError as error:
        raise ResourcesError(f"there is no FMU {path}.{_near(path)}") from error
    except zipfile.BadZipFile as error:
        raise ResourcesError(f"{path.name} is no FMU, or is damaged: it cannot be unpacked ({error})") from error
    except OSError as error:
        raise ResourcesError(
            f"the FMU {path.name} cannot be unpacked into {cache}: {error.strerror or error}; "
            "TRIVIUM_STATE_DIR chooses another state directory"
        ) from error
    return directory


def prune(cache: Path, keep: Iterable[Path], age: float) -> int:
    """Remove what was unpacked of FMUs that nobody has opened for long, with what is kept beside it; return how many.

    Parameters
    ----------
    cache : Path
    keep : iterable of Path
        FMUs that stay: a process may have opened them long ago.
    age : float
        For how long [s].
    """
    kept = set()
    for path in keep:
        with contextlib.suppress(OSError), path.open("rb") as file:
            kept.add(_digest(file))
    removed = 0
    for folder in cache.iterdir() if cache.is_dir() else ():
        if not (_UNPACKED.fullmatch(folder.name) and folder.is_dir()) or folder.name in kept:
            continue
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > age:
                for part in cache.glob(f"{folder.name}-*"):
                    part.unlink()
                shutil.rmtree(folder)
                removed += 1
    return removed


def _digest(file: BufferedReader) -> str:
    """Return what names the folder of an FMU: the beginning of its hash."""
    return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _note_use(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it is read only here, and is not pruned from here
        os.utime(folder)


def unpacked_size(path: Path, ratio: float) -> int:
    """Return how large an FMU is unpacked [bytes].

    Parameters
    ----------
    path : Path
    ratio : float
        How many times as large as its archive it may be, beyond what any may be.

    Raises
    ------
    ResourcesError
        When it is larger, or no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _size(archive, "it", min(_MOST, round(_ANY + ratio * path.stat().st_size)))
    except zipfile.BadZipFile as error:
        raise ResourcesError(f"it is no FMU, or is damaged: it cannot be unpacked ({error})") from error


def _size(archive: zipfile.ZipFile, name: str, most: int) -> int:
    """Return how large an archive is unpacked [bytes], with what each member takes besides.

    Raises
    ------
    ResourcesError
        When that is more than may be.
    """
    size = sum(member.file_size + _MEMBER for member in archive.infolist())  # no member is read beyond its size
    if size > most:
        raise ResourcesError(f"{name} is larger than {most} bytes unpacked")
    return size


def _mend(file: IO[bytes], directory: Path) -> None:
    """Unpack those files again that are not what the archive holds."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            path = directory / member.filename
            elsewhere = (path.is_absolute() and not path.is_relative_to(directory)) or ".." in path.parts
            if member.is_dir() or elsewhere or _is_whole(path, member):
                continue
            log.warning("%s is not what the FMU holds; it is unpacked again", path)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}-{os.getpid()}")
            with archive.open(member) as source, fresh.open("wb") as target:
                shutil.copyfileobj(source, target)
            fresh.chmod(0o644)
            fresh.replace(path)  # who has it open keeps the old one


def _is_whole(path: Path, member: zipfile.ZipInfo) -> bool:
    try:
        if path.stat().st_size != member.file_size:
            return False
        checksum = 0
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                checksum = zlib.crc32(data, checksum)
    except FileNotFoundError:
        return False
    return checksum == member.CRC


def _near(path: Path) -> str:
    folder = path.parent
    return did_you_mean(path.name, [file.name for file in folder.glob("*.fmu")]) if folder.is_dir() else ""


def binary_name(identifier: str, version: str) -> str:
    """Return the member of an FMU that is its binary for this platform, as new ones are named.

    Parameters
    ----------
    identifier : str
        Its model identifier.
    version : str
        Of FMI. From 3.0 on the folder has one name on every platform.

    Raises
    ------
    ResourcesError
        When FMI has no name for this platform.
    """
    return _candidates(identifier, version)[0 if version.startswith("3") else -1 if _key()[1] == "x86_64" else 0]


def find_library(directory: Path, identifier: str, version: str, name: str) -> Path:
    """Return the binary of an unpacked FMU for this platform.

    Parameters
    ----------
    directory : Path
        The unpacked FMU.
    identifier : str
        Its model identifier.
    version : str
        Of FMI.
    name : str
        For the error.

    Raises
    ------
    ResourcesError
        Naming the binary that was looked for, and those that there are.
    """
    candidates = _candidates(identifier, version)
    for candidate in candidates:
        if (directory / candidate).is_file():
            return directory / candidate
    binaries = directory / "binaries"
    there = sorted(path.relative_to(directory).as_posix() for path in binaries.glob("*/*") if path.suffix in _BINARY)
    shown = ", ".join(there[:_LISTED]) + (f" and {len(there) - _LISTED} more" if len(there) > _LISTED else "")
    sources = any((directory / "sources").glob("*"))
    hint = f". It has C sources; trivium compile {name} makes a binary" if sources else ""
    needed = " or ".join(candidates)
    raise ResourcesError(
        f"{name} has no binary for {' '.join(_key())}: it needs {needed}; it has {shown or 'none'}{hint}"
    )


def _key() -> tuple[str, str]:
    """Return the system and the processor, as `_FOLDERS` has them."""
    return sys.platform, platform.machine().lower() if sys.platform == "win32" else platform.machine()


def _candidates(identifier: str, version: str) -> list[str]:
    """Return where the binary of this platform may be in an FMU.

    Raises
    ------
    ResourcesError
        When FMI has no name for this platform.
    """
    key = _key()
    if key not in _FOLDERS:
        raise ResourcesError(f"FMUs have no binaries for {' '.join(key)}")
    folders = _FOLDERS[key]
    return [
        f"binaries/{folder}/{identifier}{_SUFFIXES[key[0]]}"
        for folder in (folders[:1] if version.startswith("3") else folders)
    ]
