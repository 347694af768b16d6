"""The row files of a session and of its snapshots: names in a folder, shared by hard links, never changed.

`trivium.simulation.history` only ever appends to a file, so a link keeps the rows that were there when it was made, and
costs as much for a year as for an hour.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trivium.errors import StorageError
from trivium.session.frames import Block
from trivium.simulation.row_files import RowFile


class Named(NamedTuple):
    """A row file as it is stored: without the folder.

    Attributes
    ----------
    name : str
    rows : int
        How many of its rows count.
    size : int
        What they take [bytes].
    checksums : bytes
        Of these; see `trivium.simulation.checksums`.
    """

    name: str
    rows: int
    size: int
    checksums: bytes


def names(parts: Iterable[RowFile]) -> list[Named]:
    """Return what `trivium.simulation.history.History.parts` returned, as it is stored."""
    return [Named(file.path.name, *file[1:]) for file in parts]


def heads(stored: Iterable[Named]) -> list[tuple[str, int, int]]:
    """Return what JSON can hold of row files; their checksums are stored beside it."""
    return [file[:3] for file in stored]


def named(heads: Iterable[Sequence[Any]], checksums: Iterable[Block]) -> list[Named]:
    """Return row files of what `heads` returned, and their checksums."""
    return [
        Named(str(name), int(rows), int(size), bytes(sums))
        for (name, rows, size), sums in zip(heads, checksums, strict=True)
    ]


def parts(folder: Path, stored: Iterable[Named]) -> list[RowFile]:
    """Return the argument of `names`, for a folder that has these files."""
    return [RowFile(folder / file.name, *file[1:]) for file in stored]


def share(files: Iterable[RowFile], folder: Path) -> None:
    """Give files a second name in another folder; where the file system has no links they are copied.

    Raises
    ------
    StorageError
        When that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            path, second = file.path, folder / file.path.name
            if second.exists():
                if second.samefile(path) or not file._replace(path=second).check():
                    continue
                second.unlink()  # a copy that was made when the file was shorter, or that is damaged
            try:
                os.link(path, second)
            except OSError:
                shutil.copyfile(path, second)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror or error}") from error


def prune(folder: Path, files: Iterable[RowFile]) -> None:
    """Remove the files of a folder that are not among these."""
    needed = {file.path.name for file in files}
    with contextlib.suppress(OSError):  # who comes next removes them
        for path in folder.iterdir():
            if path.name not in needed:
                path.unlink()
