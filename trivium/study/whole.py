"""Whether the file of a part is the one that was listed: absent, unreadable and damaged are three different things."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trivium.errors import StorageError


@dataclass(frozen=True)
class Listed:
    """A part as the index lists it.

    Attributes
    ----------
    part, runs : int
        Its number; how many runs it has.
    size : int
        Of its file [bytes].
    digest : str
        SHA-256 of its file.
    """

    part: int
    runs: int
    size: int
    digest: str


@dataclass(frozen=True)
class Lost:
    """A part that is listed and cannot be read.

    Attributes
    ----------
    part, first, last : int
        Its number; its first and its last run.
    kind : str
        ``absent``: there is no file. ``unreadable``: there is one that this process cannot read now. ``damaged``: it is
        not what was written.
    reason : str
    """

    part: int
    first: int
    last: int
    kind: Literal["absent", "unreadable", "damaged"]
    reason: str

    def __str__(self) -> str:
        runs = f"run {self.first}" if self.first == self.last else f"runs {self.first} to {self.last}"
        return f"{part_name(self.part)} ({runs}) is {self.kind}: {self.reason}"


def part_name(part: int) -> str:
    """Return the path of a part's file in the folder of the results."""
    return f"parts/{part:05d}.h5"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(folder: Path, listed: Listed, runs_per_part: int, *, deep: bool) -> Lost | None:
    """Compare a part with what was listed.

    Parameters
    ----------
    folder : Path
        Of the results.
    listed : Listed
    runs_per_part : int
    deep : bool
        Whether its content is read and compared with its hash; else its size only is.

    Returns
    -------
    Lost or None
        None where it is whole.
    """
    first = listed.part * runs_per_part
    last = first + listed.runs - 1
    path = folder / part_name(listed.part)
    try:
        size = path.stat().st_size
        if size != listed.size:
            return Lost(listed.part, first, last, "damaged", f"it has {size} bytes, and {listed.size} were written")
        if deep and digest_of(path) != listed.digest:
            return Lost(listed.part, first, last, "damaged", "its content is not what was written")
    except FileNotFoundError:
        return Lost(listed.part, first, last, "absent", "there is no such file")
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise StorageError(f"{path} cannot be opened: {error.strerror}; close files, or raise ulimit -n") from error
        return Lost(listed.part, first, last, "unreadable", error.strerror or str(error))
    return None


def raise_lost(folder: Path, lost: Sequence[Lost]) -> None:
    """Raise an error that names all parts that cannot be read.

    Raises
    ------
    StorageError
        Unless there are none.
    """
    if lost:
        names = "\n".join(map(str, lost))
        raise StorageError(
            f"{len(lost)} parts of the results in {folder} cannot be read; trivium sweep repair runs these runs again:"
            f"\n{names}"
        )
