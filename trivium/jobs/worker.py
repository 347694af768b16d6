"""The worker claims jobs, runs each in a process group of its own, renews their leases and ends what was cancelled.

``python -m trivium.jobs.worker work <parent>`` is a worker; ``keep <parent>`` keeps one running. The keeper does
nothing else, so that it has nothing to die of.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from trivium import logs
from trivium.environment import ROOT, child_environment
from trivium.errors import SettingsError, StorageError, StoreError, TriviumError
from trivium.jobs import retention
from trivium.jobs.launcher import Launcher
from trivium.jobs.limits import Limits
from trivium.jobs.record import Job, State
from trivium.jobs.store import LostError, Store
from trivium.jobs.table import is_dead, process_name
from trivium.process import die_with, is_stopped, readable
from trivium.session import layout
from trivium.settings import Settings
from trivium.space import Room

log = logging.getLogger("trivium.jobs.worker")

#: Time between two looks at processes and store [s].
_LOOK = 0.2
#: Most time between two signs of life [s]; a cancelled job notices it as soon.
_RENEW = 1.0
#: How long a job that is to end may take to do so by itself [s].
GRACE = 5.0
#: Most jobs that run at a time.
_MOST = 100_000
#: How long a worker may give no sign of life beyond a lease: so long it may wait for the database [s].
_SILENCE = 60.0
#: What Python runs for a job; with -m the processes that run a study would each import the module again, as theirs.
_CHILD = ("-c", "from trivium.jobs.child import leave; leave()")
#: Time before a worker that died is replaced [s].
_PAUSE = 1.0


@dataclass
class _Run:
    """A job that runs here.

    Attributes
    ----------
    process : Popen
        Leader of the job's process group; stdin is its lifeline.
    why : str
        Why it is to end; empty while it is not.
    patience : float
        When it is killed then [s, monotonic].
    stopped : float
        Since when it has been stopped by a signal [s, monotonic].
    started : float
        When it was started [s, monotonic].
    excess : str
        What it took beyond its limits.
    """

    job: Job
    process: subprocess.Popen[bytes]
    why: Literal["", "cancel", "stop", "lost", "limit"] = ""
    patience: float = float("inf")
    stopped: float = float("inf")
    started: float = field(default_factory=time.monotonic)
    excess: str = ""


class Worker:
    """Runs jobs until it receives a signal to stop.

    Parameters
    ----------
    settings : Settings
    child : sequence of str
        What Python is to run for a job.
    beat : int, optional
        A pipe to write signs of life to.
    """

    def __init__(self, settings: Settings, child: Sequence[str] = _CHILD, beat: int | None = None) -> None:
        self._beat = beat
        self._settings = settings
        self._store = Store(settings)
        self._room = Room(settings.state_dir, settings.disk_reserve * 2**20, settings.max_storage * 2**20)
        self._limits = Limits(settings)
        self._full = False
        environment = child_environment(**settings.environment(), PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")
        self._launcher = Launcher(child, environment, settings.state_dir / "jobs", ahead=bool(settings.worker_ready))
        self._name = process_name()
        self._runs: list[_Run] = []
        self._renewed = 0.0
        self._reachable = True
        self._stopping = False

    def stop(self, *_: object) -> None:
        """End the jobs that run here, which others may go on with, and then `run`."""
        self._stopping = True

    def run(self) -> None:
        """Run jobs."""
        if self._settings.jobs_keep:
            retention.start(self._store, self._settings.jobs_keep)
        while self._runs or not self._stopping:
            if self._beat is not None:
                with contextlib.suppress(OSError):  # the keeper was stopped, and reads nothing
                    os.write(self._beat, b".")
            for run in list(self._runs):
                self._attend(run)
            try:
                self._talk()
                self._reachable = True
            except StoreError as error:
                if self._reachable:
                    log.warning("%s; going on when it can be", error)
                self._reachable = False
            time.sleep(_LOOK)
        self._launcher.close()
        self._store.close()

    def _talk(self) -> None:
        """All that is between the worker and the store while jobs run."""
        if time.monotonic() >= self._renewed + min(_RENEW, self._settings.job_lease / 4):
            self._renewed = time.monotonic()
            for run in self._runs:
                self._renew(run)
            self._take_back()
        self._look_for_room()
        while not self._stopping and not self._full and len(self._runs) < self._settings.worker_jobs:
            deadline = self._deadline()
            job = self._store.claim(self._name)
            if job is None:
                break
            self._start(job, deadline)
        if not self._stopping and not self._full:
            self._launcher.look()

    def _look_for_room(self) -> None:
        """Give the jobs back while the disk is full: they go on when there is room."""
        try:
            self._room.check()
            self._full = False
        except StorageError as error:
            if not self._full:
                log.warning("no job runs for now: %s", error)
            self._full = True
            for run in self._runs:
                self._end(run, "stop")

    def _take_back(self) -> None:
        """Give back the jobs of workers of this machine that have ended, before their leases do."""
        for job in self._store.jobs(State.RUNNING, most=_MOST):
            if job.worker is not None and is_dead(job.worker):
                log.warning("job %s goes on later: its worker has ended", job.task_id)
                with contextlib.suppress(LostError):
                    self._store.release(job, died=True)

    def _deadline(self) -> float:
        """Return when a lease that is asked for now will have gone, however late the answer comes."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + 0.9 * self._settings.job_lease

    def _start(self, job: Job, deadline: float) -> None:
        if job.cancel:  # its last worker went away before it could end it
            with contextlib.suppress(LostError):
                self._store.finish(job, State.CANCELLED, "Cancelled")
            return
        folder = self._store.folder_of(job.task_id)
        try:
            folder.mkdir(exist_ok=True, mode=0o700)
            process = self._launcher.start((job.task_id, str(job.token), str(deadline)), folder)
        except OSError as error:
            log.error("job %s cannot be started: %s", job.task_id, error)
            with contextlib.suppress(LostError):
                self._store.release(job, died=True)
            return
        self._runs.append(_Run(job, process))
        log.info("job %s (%s), attempt %d", job.task_id, job.kind, job.attempts)

    def _renew(self, run: _Run) -> None:
        deadline = self._deadline()
        try:
            if self._store.renew(run.job):
                self._end(run, "cancel")
        except LostError:
            if run.process.returncode is None and not _has_ended(run.process):
                run.why, run.patience = "lost", 0.0
            return
        with contextlib.suppress(OSError):  # it has ended, or does not read
            os.write(run.process.stdin.fileno(), f"{deadline}\n".encode())  # type: ignore[union-attr]

    def _attend(self, run: _Run) -> None:
        """Look after a process: whether it has ended, or must."""
        if self._stopping:
            self._end(run, "stop")
        if not _has_ended(run.process):
            self._hold_to_limits(run)
            if time.monotonic() < run.patience and not self._is_stopped(run):
                return
            _kill_group(run.process)
        _kill_group(run.process)  # what it started; before it is waited for its number is not used again
        code = run.process.wait()
        run.process.stdin.close()  # type: ignore[union-attr]
        self._runs.remove(run)
        self._limits.forget(run.process.pid)
        try:
            self._settle(run, code)
        except LostError:  # the usual case: the job has kept how it ended itself
            pass
        except StoreError as error:  # its lease will end
            log.warning("%s", error)

    def _hold_to_limits(self, run: _Run) -> None:
        if run.why:
            return
        run.excess = self._limits.excess(run.process.pid, self._store.folder_of(run.job.task_id), run.started)
        if run.excess:
            self._end(run, "limit")

    def _is_stopped(self, run: _Run) -> bool:
        """Return whether a process has been stopped by a signal for as long as a lease."""
        now = time.monotonic()
        run.stopped = min(run.stopped, now) if is_stopped(run.process.pid) else float("inf")
        if now - run.stopped < self._settings.job_lease:
            return False
        log.warning("the process of job %s has been stopped for %d s; it is ended", run.job.task_id, now - run.stopped)
        return True

    def _settle(self, run: _Run, code: int) -> None:
        """Record the end of a job whose process ended without recording it."""
        if run.why == "cancel":
            self._store.finish(run.job, State.CANCELLED, "Cancelled")
        elif run.why == "limit":
            self._store.finish(run.job, State.ERROR, run.excess)
            log.warning("job %s was ended: %s", run.job.task_id, run.excess)
        elif run.why != "lost":
            self._store.release(run.job, died=run.why != "stop")
            log.warning("job %s goes on later: its process ended with %d", run.job.task_id, code)

    def _end(self, run: _Run, why: Literal["cancel", "stop", "limit"]) -> None:
        """Have a job end by itself, soon."""
        if not run.why:
            run.why, run.patience = why, time.monotonic() + GRACE
            os.kill(run.process.pid, signal.SIGTERM)  # Popen's own way would wait for it, and free its number


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def work(settings: Settings, parent: int, *child: str, beat: int | None = None) -> None:
    """Work until SIGTERM or SIGINT, or the end of the parent; see `Worker`."""
    die_with(parent)
    logs.set_up(settings.log_level, settings.log_format)
    layout.prepare(settings.state_dir)
    if beat is not None:
        os.set_blocking(beat, False)
    worker = Worker(settings, child, beat) if child else Worker(settings, beat=beat)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, worker.stop)
    worker.run()


class Keeper:
    """Starts a worker, and another one when it dies, until `stop`.

    Parameters
    ----------
    settings : Settings
        Of the worker.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = child_environment(**settings.environment(), PYTHONPATH=str(ROOT))
        self._patience = settings.job_lease + _SILENCE
        self._stopping = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None

    def stop(self, *_: object) -> None:
        """End the worker and then `run`."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.terminate()

    def run(self) -> None:
        """Keep a worker running."""
        while not self._stopping.is_set():
            life, beat = os.pipe()
            command = [sys.executable, "-m", "trivium.jobs.worker", "work", str(os.getpid()), str(beat)]
            self._worker = subprocess.Popen(command, env=self._environment, pass_fds=[beat])  # noqa: S603, ours
            os.close(beat)
            if self._stopping.is_set():  # while it was started
                self._worker.terminate()
            code = self._ended(self._worker, life)
            os.close(life)
            if code == 0:
                break
            time.sleep(_PAUSE)

    def _ended(self, worker: subprocess.Popen[bytes], life: int) -> int:
        """Wait for the end of a worker, and end one that gives no sign of life; return its exit code."""
        while readable(life, self._patience):
            if not os.read(life, 4096):
                return worker.wait()
        log.warning("the worker (%d) gave no sign of life for %g s; it is replaced", worker.pid, self._patience)
        worker.kill()
        return worker.wait()


def keep(settings: Settings, parent: int | None = None) -> None:
    """Keep a worker running until SIGTERM or SIGINT.

    Parameters
    ----------
    settings : Settings
    parent : int, optional
        The process whose end ends this one.

    Raises
    ------
    TriviumError
        When the settings do not let a worker work.
    """
    if parent is not None:
        die_with(parent)
    if not settings.worker_jobs:
        raise SettingsError("TRIVIUM_WORKER_JOBS is 0: a worker would run nothing")
    Store(settings).close()
    keeper = Keeper(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, keeper.stop)
    keeper.run()


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(Settings(), int(sys.argv[2]), beat=int(sys.argv[3]))
    else:
        try:
            keep(Settings(), int(sys.argv[2]))
        except TriviumError:
            sys.exit(1)  # the server that started the keeper gives the reason
