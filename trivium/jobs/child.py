"""The process that runs one job, by `leave`; stdin is its lifeline.

Its worker gives it the settings as its environment. The first line of the lifeline is the job: task id, token, and
until when its lease goes [s of CLOCK_BOOTTIME]; the lines that follow renew that. The process ends itself and all that
it started when that time has come, or when the lifeline ends: before the store gives the job away. While it waits for
its job it loads what jobs need.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, NoReturn

from trivium.errors import StoreError, TriviumError
from trivium.jobs import kinds
from trivium.jobs.record import Job, State
from trivium.jobs.store import LostError, Store
from trivium.process import readable
from trivium.recorder import CancelledError, Outcome, Scalar
from trivium.settings import Settings

#: Least time between two writes of progress [s].
_PAUSE = 0.25
#: How long the process of an earlier attempt may take to be gone after it was killed [s].
_PATIENCE = 10.0
#: Jobs leave the processor to sessions.
_NICENESS = 5


class JobRecorder:
    """Reports the progress of a job to the store; see `trivium.recorder.Recorder`.

    A thread of its own writes the last report, so that reporting costs nothing and the last report is written soon
    even if the run then reports nothing for long.
    """

    def __init__(self, store: Store, job: Job, folder: Path) -> None:
        self.folder = folder
        self.attempt = job.attempts
        self._store, self._job = store, job
        self._told: tuple[str, float | None] = ("Loading what it needs", job.progress)
        self._counts: dict[str, Scalar] = dict(job.counts)
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closed = False
        self._news.set()
        threading.Thread(target=self._write_on, daemon=True).start()

    def progress(self, message: str, fraction: float | None = None, **counts: Scalar) -> None:
        """Report the progress of the run."""
        self._counts = {**self._counts, **counts}
        self._told = (message, self._told[1] if fraction is None else fraction)
        self._news.set()

    def close(self) -> None:
        """Write the last report; nothing is written after that."""
        with self._lock:
            self._closed = True
            self._write()

    def _write_on(self) -> None:
        while self._news.wait():
            self._news.clear()
            with self._lock:
                if self._closed:
                    return
                try:
                    self._write()
                except LostError:
                    os.killpg(0, signal.SIGKILL)
            time.sleep(_PAUSE)

    def _write(self) -> None:
        with contextlib.suppress(StoreError):  # reported again soon; the end of the job is not lost
            self._store.tell(self._job, *self._told, self._counts)


def run(store: Store, job: Job, folder: Path, settings: Settings) -> None:
    """Run a job and keep how it ended.

    Raises
    ------
    LostError
        When the job is another worker's by now.
    """
    recorder = JobRecorder(store, job, folder)
    ending: tuple[State, str, Outcome | None]
    try:
        kind = kinds.find(job.kind)
        outcome = kind.run(kinds.parse(kind, job.spec, settings), recorder, settings)
        files = {name: _inside(folder, path) for name, path in outcome.files.items()}
        outcome = Outcome(files, outcome.values, outcome.outcome, outcome.error)
    except CancelledError:
        return  # the worker knows why
    except Exception as error:
        traceback.print_exc()
        message = str(error) if isinstance(error, TriviumError) else f"{type(error).__name__}: {error}"
        ending = (State.ERROR, message, None)
    else:
        ending = (State.ERROR if outcome.error else State.SUCCESS, outcome.error or "Completed", outcome)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    recorder.close()
    while True:
        try:
            store.finish(job, *ending)
        except StoreError as error:  # until the lease ends, and with it this process
            print(error, file=sys.stderr, flush=True)  # noqa: T201
            time.sleep(1)
        else:
            return


def _inside(folder: Path, path: Path) -> Path:
    return (folder / path).resolve().relative_to(folder.resolve())


def hold(folder: Path) -> IO[str]:
    """Make the folder of a job this process's own, and go there; what is left of an earlier attempt is killed.

    Raises
    ------
    TimeoutError
        When the process of an earlier attempt does not end.
    """
    # not by trivium.storage: whatever the job forks is to hold the lock too, until it is dead
    file = (folder / "process").open("a+")
    deadline = time.monotonic() + _PATIENCE
    while True:
        kill_leftovers(folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process holds {folder}") from None
            time.sleep(0.05)
        else:
            break
    os.chdir(folder)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def kill_leftovers(folder: Path) -> None:
    """Kill what an earlier attempt started: the processes of its group that work in the job's folder.

    Pids get reused, so the group's number alone is not enough.
    """
    text = (folder / "process").read_text()
    if not text.isdigit():
        return
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == int(text) and _works_in(entry, folder):
                os.kill(int(entry.name), signal.SIGKILL)


def _works_in(entry: Path, folder: Path) -> bool:
    return (entry / "cwd").resolve().is_relative_to(folder.resolve())


def _watch(lifeline: int, deadline: float) -> NoReturn:
    """Kill this process and its group when the lease goes or the worker ends."""
    data = b""
    while True:
        left = max(0.0, deadline - time.clock_gettime(time.CLOCK_BOOTTIME))
        # also at a deadline that has passed: a process that started slowly has later ones waiting in its lifeline
        if not readable(lifeline, left):
            break
        read = os.read(lifeline, 4096)
        if not read:
            break
        *lines, data = (data + read).split(b"\n")
        if lines:
            deadline = float(lines[-1])
    os.killpg(0, signal.SIGKILL)
    raise AssertionError  # not reached


def _cancel(*_: object) -> None:
    raise CancelledError


def _prepare(lifeline: int) -> None:
    """Load what jobs need, until there is one."""
    for name in kinds.names():
        if readable(lifeline, 0.0):
            return
        with contextlib.suppress(TriviumError):  # one that cannot be loaded fails when it is to run
            kind = kinds.find(name)
            if kind.prepare is not None and not readable(lifeline, 0.0):
                kind.prepare()


def _assigned(lifeline: int) -> list[str]:
    """Wait for the first line of the lifeline, and return its words; none where the worker needs no job run."""
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(lifeline, 1)  # what follows is for the watch
        if not read:
            return []
        line += read
    return line.decode().split()


def main() -> None:
    """Run the job that the worker names."""
    lifeline = os.dup(0)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.nice(_NICENESS)
    settings = Settings()
    store = Store(settings)
    _prepare(lifeline)
    words = _assigned(lifeline)
    if not words:
        return
    task_id, token, deadline = words
    threading.Thread(target=_watch, args=(lifeline, float(deadline)), daemon=True).start()
    job = store.get(task_id)
    if job.token != int(token) or job.state is not State.RUNNING:
        raise LostError
    signal.signal(signal.SIGTERM, _cancel)
    with contextlib.suppress(CancelledError):
        holding = hold(store.folder_of(task_id))
        print(f"-- attempt {job.attempts}, {time.strftime('%Y-%m-%d %H:%M:%S')}", flush=True)  # noqa: T201
        run(store, job, store.folder_of(task_id), settings)
        holding.close()


def leave() -> NoReturn:
    """Run the job that the worker names, and end this process."""
    code = 1
    try:
        main()
        code = 0
    except LostError:
        print("the job is another worker's by now", file=sys.stderr)  # noqa: T201
    except BaseException:  # whatever it is, the log has it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # native libraries may hang while they are unloaded
