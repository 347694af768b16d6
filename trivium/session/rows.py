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

from trivium.errors import StorageError

#: Name of a file in a folder of row files, and how many rows of it count.
Named = list[tuple[str, int]]


def names(parts: Iterable[tuple[Path, int]]) -> Named:
    """Return what `trivium.simulation.history.History.parts` returned, as it is stored."""
    return [(path.name, rows) for path, rows in parts]


def parts(folder: Path, stored: Iterable[Sequence[object]]) -> list[tuple[Path, int]]:
    """Return the argument of `names`, for a folder that has these files."""
    return [(folder / str(name), int(str(rows))) for name, rows in stored]


def share(files: Iterable[tuple[Path, int]], folder: Path) -> None:
    """Give files a second name in another folder; where the file system has no links they are copied.

    Raises
    ------
    StorageError
        When that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, _ in files:
            second = folder / path.name
            if second.exists():
                if second.stat().st_size >= path.stat().st_size:
                    continue
                second.unlink()  # a copy that was made when the file was shorter
            try:
                os.link(path, second)
            except OSError:
                shutil.copyfile(path, second)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror or error}") from error


def prune(folder: Path, files: Iterable[tuple[Path, int]]) -> None:
    """Remove the files of a folder that are not among these."""
    needed = {path.name for path, _ in files}
    with contextlib.suppress(OSError):  # who comes next removes them
        for path in folder.iterdir():
            if path.name not in needed:
                path.unlink()
