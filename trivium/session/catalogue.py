"""The test cases of a server: the default one, and those that clients registered from a folder of the server's.

What was registered is kept in ``testcases.json`` of the state directory: test case id -> name of the file. The names of
those that clients uploaded are in ``uploads.json``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from trivium.errors import DamagedError, InvalidValueError, ResourcesError, StorageError
from trivium.model.fmu.archive import unpacked_size
from trivium.names import is_file_name
from trivium.settings import Settings
from trivium.simulation.resources import Resources
from trivium.storage import replace_file

#: How many times as large as its archive an uploaded FMU may be unpacked.
_RATIO = 20
log = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


class Catalogue:
    """Names of test cases and where they lie.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    ResourcesError
        When the default test case lacks something.
    """

    def __init__(self, settings: Settings) -> None:
        self._resources = settings.resources
        self._folder = settings.testcases
        self._file = settings.state_dir / "testcases.json"
        self._uploads_file = settings.state_dir / "uploads.json"
        self._caches = settings.state_dir / "uploads"
        self._declared: dict[Path, tuple[int, Resources]] = {}
        #: Id of the default test case.
        self.default = Resources.load(settings.resources).name

    def names(self) -> list[str]:
        """Return the ids of all test cases that are there, the default one first."""
        try:
            files = self._registered()
        except DamagedError as error:  # the default one can be selected all the same
            log.warning("only the default test case is listed: %s", error)
            files = {}
        registered = [name for name, file in files.items() if self._folder and (self._folder / file).exists()]
        return list(dict.fromkeys([self.default, *registered]))

    def path(self, testcaseid: str) -> Path:
        """Return where a test case lies.

        Raises
        ------
        InvalidValueError
            When there is none of this id.
        """
        if testcaseid == self.default:
            return self._resources
        file = self._registered().get(testcaseid)
        if file is None:
            raise InvalidValueError(f"Invalid testcase: {testcaseid}", "testcaseid")
        return self.inside(file)

    def declared(self, path: Path) -> Resources:
        """Return what a test case declares; read anew when its files have changed.

        Raises
        ------
        ResourcesError
            When something of it is missing or wrong.
        """
        try:
            stamp = max(each.stat().st_mtime_ns for each in (path, *path.glob("testcase.toml")))
        except OSError as error:
            raise ResourcesError(f"{path} cannot be read: {error.strerror}") from error
        kept = self._declared.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._declared[path] = stamp, Resources.load(path)
        return kept[1]

    def inside(self, file: str) -> Path:
        """Return a folder or FMU of the folder of test cases.

        Raises
        ------
        InvalidValueError
            When there is none of this name, or it lies elsewhere.
        """
        if self._folder is None:
            raise InvalidValueError("This server registers no test cases: TRIVIUM_TESTCASES is not set.", "file")
        if not is_file_name(file):
            raise InvalidValueError(
                f"Invalid value {file!r} for parameter file. Value must be a plain name of at most 255 bytes.", "file"
            )
        path = self._folder / file
        if not path.resolve().is_relative_to(self._folder.resolve()) or not path.exists():
            raise InvalidValueError(
                f"Invalid value {file!r} for parameter file. The folder of test cases has no such file.", "file"
            )
        return path

    def fmus(self) -> list[Path]:
        """Return the FMUs of all test cases that are there."""
        files = []
        for name in self.names():
            with contextlib.suppress(ResourcesError, InvalidValueError):
                files.append(Resources.load(self.path(name)).fmu)
        return files

    def free_id(self, file: str, testcaseid: str | None) -> str:
        """Return the id that a file is registered under; by default its name without the suffix.

        Raises
        ------
        InvalidValueError
            When the id is not acceptable, or stands for another file.
        """
        name = Path(file).stem if testcaseid is None else testcaseid
        if not _ID.fullmatch(name):
            raise InvalidValueError(
                f"Invalid value {name!r} for parameter testcaseid. Value must consist of letters, digits, '_', '-' "
                f"and '.'.",
                "testcaseid",
            )
        if name == self.default or self._registered().get(name, file) != file:
            raise InvalidValueError(
                f"Invalid value {name!r} for parameter testcaseid. It stands for another test case.", "testcaseid"
            )
        return name

    def own_cache(self, path: Path) -> Path | None:
        """Return where an FMU that a client uploaded is unpacked, and no other; None for files of the operator."""
        if self._folder is None or path.parent != self._folder or path.name not in self._uploads():
            return None
        return self._caches / path.name

    def receive(self, testcaseid: str, content: IO[bytes], check: Callable[[int], None]) -> str:
        """Put an FMU into the folder of test cases and return its name there; what is there is never replaced.

        Parameters
        ----------
        testcaseid : str
        content : IO
        check : callable
            Raises `StorageError` where there is no room for so many bytes.

        Raises
        ------
        InvalidValueError
            When the id is not acceptable or taken, there is no such folder, or the FMU is too large unpacked.
        StorageError
            When it cannot be written.
        """
        file = f"{self.free_id('', testcaseid)}.fmu"
        if self._folder is None:
            raise InvalidValueError("This server registers no test cases: TRIVIUM_TESTCASES is not set.", "testcaseid")
        partial = self._folder / f".{os.urandom(8).hex()}.partial"
        try:
            with partial.open("xb") as output:
                while data := content.read(2**20):
                    check(len(data))
                    output.write(data)
            check(unpacked_size(partial, _RATIO))
            os.link(partial, self._folder / file)  # fails where a name is taken
        except FileExistsError as error:
            raise InvalidValueError(
                f"Invalid value {testcaseid!r} for parameter testcaseid. There is a file of that name.",
                "testcaseid",
            ) from error
        except ResourcesError as error:
            raise InvalidValueError(f"The FMU cannot be used: {error}.", "testcaseid") from error
        except OSError as error:
            raise StorageError(f"The FMU cannot be stored: {error.strerror}.") from error
        finally:
            partial.unlink(missing_ok=True)
        replace_file(self._uploads_file, json.dumps([*self._uploads(), file]).encode())
        return file

    def discard(self, file: str) -> None:
        """Remove what `receive` stored."""
        if self._folder is not None:
            (self._folder / file).unlink(missing_ok=True)
        shutil.rmtree(self._caches / file, ignore_errors=True)
        replace_file(self._uploads_file, json.dumps([name for name in self._uploads() if name != file]).encode())

    def register(self, file: str, testcaseid: str) -> None:
        """Keep an id of a file; the caller sees to it that nobody else does at the same time.

        Raises
        ------
        StorageError
            When it cannot be kept.
        """
        replace_file(self._file, json.dumps({**self._registered(), self.free_id(file, testcaseid): file}).encode())

    def remove(self, testcaseid: str) -> None:
        """Forget a test case, and remove its file where a client uploaded it; see `register`.

        Raises
        ------
        InvalidValueError
            When there is none of this id, or it is the default one.
        StorageError
            When it cannot be forgotten.
        """
        if testcaseid == self.default:
            raise InvalidValueError(
                f"The test case {testcaseid} is the default one, which stays as long as the server.", "testcaseid"
            )
        registered = self._registered()
        file = registered.pop(testcaseid, None)
        if file is None:
            raise InvalidValueError(f"Invalid testcase: {testcaseid}", "testcaseid")
        replace_file(self._file, json.dumps(registered).encode())
        if file in self._uploads() and file not in registered.values():
            self.discard(file)

    def _registered(self) -> dict[str, str]:
        registered: dict[str, str] = _read(self._file, {})
        return registered

    def _uploads(self) -> list[str]:
        uploads: list[str] = _read(self._uploads_file, [])
        return uploads


def _read(file: Path, default: Any) -> Any:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return default
    except (OSError, ValueError) as error:
        raise DamagedError(f"{file} cannot be read: {error}.") from error
    names = content.values() if isinstance(content, dict) else content
    if not isinstance(content, type(default)) or not all(isinstance(name, str) for name in names):
        raise DamagedError(f"{file} does not hold names of files.")
    return content
