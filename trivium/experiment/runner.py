"""Run programs: without a shell, in a folder of their own, with what they print in files, ended with all they started.

The walls keep a case from leading a program to files outside its folder by mistake or by a crafted name. They are no
jail: a hostile program may open what its user may.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trivium.environment import child_environment
from trivium.errors import ComponentError
from trivium.process import readable

#: Where what a program prints goes, in its folder.
STDOUT, STDERR = "stdout.log", "stderr.log"
#: How much of the end of each is reported [bytes].
_TAIL = 2000
#: Most of a log, and what is left of its beginning where a program prints more [bytes].
_LONGEST, _HEAD = 100 * 2**20, 2**20
#: Interval of the checks whether a run is to stop [s].
_LOOK = 0.05
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes
    ----------
    exit_code : int
        Negative for a signal.
    seconds : float
        How long it took [s].
    tail : str
        The end of what it printed.
    """

    exit_code: int
    seconds: float
    tail: str


def run(
    argv: Sequence[str],
    folder: Path,
    timeout: float,
    inputs: Mapping[str, bytes | Path] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    check: bool = True,
    command: int = 1,
) -> Finished:
    """Run a program to its end.

    What it prints goes straight to `STDOUT` and `STDERR` in the folder, behind what is there. When it ends, when its
    time is over, when this process dies or receives a signal to stop, everything that it started is killed.

    Parameters
    ----------
    argv : sequence of str
        A program on PATH, or by its path, and its arguments; arguments must not name anything outside the folder.
    folder : Path
        Its working directory.
    timeout : float
        Longest time [s].
    inputs : Mapping[str, bytes or Path], optional
        Files to put into the folder before, by name: content, or what to copy.
    environment : Mapping[str, str], optional
        Further variables. It gets none that begins with TRIVIUM_, and one thread for numerical libraries by default.
    stop : Event, optional
        Set by another thread when the program is to end.
    check : bool
        Whether an exit code other than 0 is an error.
    command : int
        How many of `argv` are the program with arguments that may name anything, such as ``uv run --project``.

    Raises
    ------
    ComponentError
        When a path leads outside, the program is not there, fails, takes too long or is stopped.
    """
    program = _program(argv, folder)
    for argument in argv[command:]:
        _check_argument(folder, argument)
    for name, content in (inputs or {}).items():
        path = inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content)
    logs = [inside(folder, name) for name in (STDOUT, STDERR)]
    starts = [path.stat().st_size if path.exists() else 0 for path in logs]
    began = time.monotonic()
    output = _supervised([program, *argv[1:]], folder, timeout, environment or {}, stop or threading.Event())
    seconds = time.monotonic() - began
    tail = "\n".join(filter(None, map(_tail, logs, starts)))
    why, code = output.split() if output else ("lost", "-9")
    name = Path(argv[0]).name
    if why == "ended":
        if check and code != "0":
            raise ComponentError(_with_tail(f"{name} ended with {_code(int(code))}", tail))
        return Finished(int(code), seconds, tail)
    reasons = {"timeout": f"took longer than {timeout:g} s and was killed", "cancelled": "was stopped"}
    raise ComponentError(_with_tail(f"{name} {reasons.get(why, 'was lost: its supervisor was killed')}", tail))


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder.

    Raises
    ------
    ComponentError
        When the name is absolute, has ``..``, or leads out of the folder by a symbolic link.
    """
    relative = Path(name)
    path = folder / relative
    outside = relative.is_absolute() or ".." in relative.parts or not name or "\0" in name
    if outside or not path.resolve().is_relative_to(folder.resolve()):
        raise ComponentError(f"the path {name!r} leads out of the working directory")
    return path


def result(folder: Path, name: str) -> Path:
    """Return the path of a file that a program made in its folder.

    Raises
    ------
    ComponentError
        When it is not there, is no file, or leads out of the folder.
    """
    path = inside(folder, name)
    if not path.is_file():
        raise ComponentError(f"there is no file {name!r} in the working directory")
    return path


def _program(argv: Sequence[str], folder: Path) -> str:
    if not argv or not all(isinstance(argument, str) and "\0" not in argument for argument in argv):
        raise ComponentError("a program and its arguments must be texts")
    name = argv[0]
    if "/" not in name or Path(name).is_absolute():
        program = shutil.which(name)
    else:
        program = shutil.which(inside(folder, name).absolute())
    if not program:
        raise ComponentError(f"there is no program {name}")
    return str(program)


def _check_argument(folder: Path, argument: str) -> None:
    """Refuse an argument that may be a path outside: as a whole, behind ``=``, behind a letter as in ``-o/tmp/x``."""
    candidates = {argument, argument.rpartition("=")[2]}
    if argument.startswith("-") and "/" in argument:
        candidates.add(argument[argument.index("/") :])
    if argument.startswith("-") and ".." in argument:
        candidates.add(argument[argument.index("..") :])
    for candidate in candidates:
        if candidate:
            inside(folder, candidate)


def _is_setting(variable: str) -> bool:
    """Return whether a variable is the server's own affair: a program neither reads its secrets nor depends on it."""
    return variable.startswith("TRIVIUM_") or variable in ("HOST", "PORT")


def _supervised(
    argv: Sequence[str], folder: Path, timeout: float, environment: Mapping[str, str], stop: threading.Event
) -> str:
    """Run a program under a supervisor; return its report, empty when it died."""
    base = {name: value for name, value in child_environment().items() if not _is_setting(name)}
    base = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **base}
    base |= {"TMPDIR": str(folder.absolute()), "PYTHONHASHSEED": "0", **environment}
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reading)
        try:
            files = [stack.enter_context((folder / name).open("ab")) for name in (STDOUT, STDERR)]
            supervisor = subprocess.Popen(  # noqa: S603, without a shell, and checked
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(writing), repr(timeout), *argv],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=files[0],
                stderr=files[1],
                env=base,
                pass_fds=[writing],
                start_new_session=True,  # it must outlive what kills this process's group
            )
        finally:
            os.close(writing)
        try:
            while not readable(reading, _LOOK) and not stop.is_set():
                _cap([folder / name for name in (STDOUT, STDERR)])
        finally:  # also when this thread is interrupted
            supervisor.stdin.close()  # type: ignore[union-attr]  # it is a pipe
            supervisor.wait()
        return os.read(reading, 200).decode()


def _cap(logs: Sequence[Path]) -> None:
    """Leave the middle of logs out that are too long; programs write on at their end."""
    for path in logs:
        with contextlib.suppress(OSError):
            size = path.stat().st_size
            if size > _LONGEST:
                os.truncate(path, _HEAD)
                with path.open("ab") as file:
                    file.write(f"\n[{size - _HEAD} bytes are left out here: a log has {_LONGEST} at most]\n".encode())


def _tail(path: Path, start: int) -> str:
    """Return the end of what was written since, without reading more."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = min(start, size)  # a log that was too long was cut
        begin = max(start, size - _TAIL)
        file.seek(begin)
        text = file.read(_TAIL).decode(errors="replace")
    if begin > start:  # from the beginning of a line
        text = text.partition("\n")[2] or text
    return text.strip()


def _code(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {-code} ({signal.Signals(-code).name})"
    return f"signal {-code}"


def _with_tail(label: str, tail: str) -> str:
    return f"{label}; it printed last:\n{tail}" if tail else f"{label}; it printed nothing"
