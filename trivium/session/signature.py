"""Which files a test case is made of, computed fast, so that a change since it was opened is noticed."""

from __future__ import annotations

from pathlib import Path

from trivium.errors import TriviumError
from trivium.simulation.resources import Resources

Signature = tuple[object, ...]


def signature(resources: Path, engine: str) -> Signature | None:
    """Return what is the same as long as nothing changed; None when the test case is not whole.

    Parameters
    ----------
    resources : Path
        Folder of the test case, or its FMU.
    engine : str
        What runs the FMU where the test case does not choose.
    """
    try:
        files = Resources.load(resources)
        paths = [(key, *_file(path)) for key, path in files.paths.items()]
    except (TriviumError, OSError):
        return None
    return (str(resources), engine, repr(files), *paths)


def _file(path: Path) -> tuple[object, ...]:
    stat = path.stat()
    return (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)
