"""The version of a state directory: an older one is brought up to date, a newer one is refused.

``<state directory>/VERSION`` holds a number. Sessions, row files and jobs have versions of their own besides; this one
is that of the directory's layout.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from trivium.errors import StorageError
from trivium.session.folder import described
from trivium.storage import locked, replace_file


def _join_caches(state_dir: Path) -> None:
    """Sweeps had a cache of unpacked FMUs of their own."""
    shutil.rmtree(state_dir / "fmus", ignore_errors=True)


def _seal_descriptions(state_dir: Path) -> None:
    """Sessions were described without a checksum."""
    for path in (state_dir / "sessions").glob("*/about.json"):
        with contextlib.suppress(OSError, ValueError):  # what is damaged stays so, and is shown
            description = json.loads(path.read_bytes())
            if isinstance(description, dict) and "checksum" not in description:
                replace_file(path, described(description))


#: What leads from each version to the next; done again from the start where it was interrupted.
STEPS: Sequence[Callable[[Path], None]] = (_join_caches, _seal_descriptions)


def prepare(state_dir: Path, steps: Sequence[Callable[[Path], None]] = STEPS) -> None:
    """Bring a state directory to this version; processes that come at the same time wait for one another.

    Parameters
    ----------
    state_dir : Path
        Made when there is none.
    steps : sequence of callable
        From version 0, which had no file, to 1 and so on.

    Raises
    ------
    StorageError
        When the directory is of a newer version or cannot be written.
    """
    path = state_dir / "VERSION"
    if _version(path) == len(steps):
        return
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with locked(state_dir / ".version.lock"):
            version = _version(path)
            if version > len(steps):
                reason = f"{state_dir} is of version {version}, and this server knows those up to {len(steps)}."
                raise StorageError(f"{reason} Use the newer server that wrote it, or another TRIVIUM_STATE_DIR.")
            for number in range(version, len(steps)):
                steps[number](state_dir)
                replace_file(path, b"%d\n" % (number + 1))
    except OSError as error:
        raise unwritable(state_dir, error) from error


def unwritable(state_dir: Path, error: OSError) -> StorageError:
    """Return the error of a state directory that cannot be written."""
    why = f"the state directory {state_dir} cannot be written: {error.strerror}"
    return StorageError(f"{why}; choose another one with TRIVIUM_STATE_DIR")


def _version(path: Path) -> int:
    try:
        return int(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise unwritable(path.parent, error) from error
    except ValueError as error:
        raise StorageError(f"{path} does not hold a version: {error}") from error
