"""Whether the file of a part is the one that was listed: absent, unreadable and damaged are three different things."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from trivium.errors import StorageError
from trivium.study.places import Numbers, Places


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
    part : int
        Its number.
    runs : array of int64
        The runs of the study in it, growing.
    kind : str
        ``absent``: there is no file. ``unreadable``: there is one that this process cannot read now. ``damaged``: it is
        not what was written.
    reason : str
    """

    part: int
    runs: Numbers
    kind: Literal["absent", "unreadable", "damaged"]
    reason: str

    def __str__(self) -> str:
        return f"{part_name(self.part)} ({_named(self.runs)}) is {self.kind}: {self.reason}"


def _named(runs: Numbers) -> str:
    if not runs.size:
        return "no runs of the study"
    first, last = int(runs[0]), int(runs[-1])
    if first == last:
        return f"run {first}"
    return f"runs {first} to {last}" if last - first < runs.size else f"{runs.size} of the runs {first} to {last}"


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


def check(folder: Path, listed: Listed, places: Places, *, deep: bool) -> Lost | None:
    """Compare a part with what was listed.

    Parameters
    ----------
    folder : Path
        Of the results.
    listed : Listed
    places : Places
        Where the runs are.
    deep : bool
        Whether its content is read and compared with its hash; else its size only is.

    Returns
    -------
    Lost or None
        None where it is whole.
    """

    def lost(kind: Literal["absent", "unreadable", "damaged"], reason: str) -> Lost:
        first = listed.part * places.size
        return Lost(listed.part, places.runs(np.arange(first, first + listed.runs)), kind, reason)

    path = folder / part_name(listed.part)
    try:
        size = path.stat().st_size
        if size != listed.size:
            return lost("damaged", f"it has {size} bytes, and {listed.size} were written")
        if deep and digest_of(path) != listed.digest:
            return lost("damaged", "its content is not what was written")
    except FileNotFoundError:
        return lost("absent", "there is no such file")
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise StorageError(f"{path} cannot be opened: {error.strerror}; close files, or raise ulimit -n") from error
        return lost("unreadable", error.strerror or str(error))
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
