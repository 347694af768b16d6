"""Runs: many steps of a session under a controller, in the background of a web worker.

A run holds no request. Its record is a file in the state directory, so any worker can report its progress
and end it; a lock on a second file says whether it is still alive, however its worker ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from trivium.dashboard.remote import Make
from trivium.errors import BusyError, ConflictError, TriviumError
from trivium.names import is_id
from trivium.storage import LockedError, acquire, is_locked, replace_file

log = logging.getLogger(__name__)

#: How often the record of a run is written [s].
_TELL = 0.4
#: Most runs of one worker at a time.
_MOST = 4
#: Most steps of a run.
MOST_STEPS = 120_000


@dataclass(frozen=True)
class Run:
    """How far a run is.

    Attributes
    ----------
    testid, controller : str
    asked, done : int
        Steps.
    state : {"running", "done", "failed", "stopped"}
    message : str
        The session's last.
    """

    testid: str
    controller: str
    asked: int
    done: int = 0
    state: Literal["running", "done", "failed", "stopped"] = "running"
    message: str = ""

    @property
    def words(self) -> str:
        """Return a sentence about the run."""
        head = f"{self.controller}: {self.done} of {self.asked} steps"
        return {
            "running": f"{head}, running.",
            "done": f"{head}, done.",
            "failed": f"{head}, then it failed: {self.message}",
            "stopped": f"{head}, stopped.",
        }[self.state]


class Runs:
    """All runs of a state directory.

    Parameters
    ----------
    folder : Path
        For the records.
    make : Make
        Makes what drives a session.
    permit : callable
        Raises `UnknownSessionError` where the present caller may not see a session.
    driven : callable
        Stores which controller drives a session from now on, given the session's id and the controller.
    """

    def __init__(
        self,
        folder: Path,
        make: Make,
        permit: Callable[[str], None] = lambda _: None,
        driven: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._folder, self._make, self._permit, self._driven = folder, make, permit, driven
        self._room = threading.BoundedSemaphore(_MOST)

    def start(
        self,
        testid: str,
        controller: str,
        steps: int,
        pace: float = 0.0,
        before: Callable[[], None] = lambda: None,
    ) -> Run:
        """Begin a run.

        Parameters
        ----------
        testid, controller : str
        steps : int
        pace : float
            Least time between two steps [s].
        before : callable
            Done first, in the background too.

        Raises
        ------
        ConflictError
            When the session has a run already.
        BusyError
            When this worker has as many runs as it may.
        TriviumError
            When the session cannot be driven by that controller.
        """
        driver = self._make(testid, controller)
        if not self._room.acquire(blocking=False):
            raise BusyError(f"{_MOST} runs are under way already; wait for one, or use a job.", 5, 1)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = acquire(self._lock_file(testid))
        except LockedError:
            self._room.release()
            raise ConflictError("The session has a run under way; stop it first.") from None
        except BaseException:
            self._room.release()
            raise
        run = Run(testid, controller, steps)
        self._stop_file(testid).unlink(missing_ok=True)
        self._keep(run)

        def work() -> None:
            result = run
            try:
                before()
                self._driven(testid, controller)
                result = self._drive(run, driver.step, pace)
            except TriviumError as error:
                result = replace(self.find(testid) or run, state="failed", message=str(error))
            except Exception:
                log.exception("the run of session %s failed", testid)
                result = replace(
                    self.find(testid) or run, state="failed", message="an internal error; see the server's log"
                )
            finally:
                self._keep(result)
                lock.release()
                self._room.release()

        threading.Thread(target=work, name=f"run-{testid}", daemon=True).start()
        return run

    def _drive(self, run: Run, step: Callable[[], object], pace: float) -> Run:
        written = time.monotonic()
        for done in range(1, run.asked + 1):
            started = time.monotonic()
            try:
                step()
            except TriviumError as error:
                return replace(run, done=done - 1, state="failed", message=str(error))
            if self._stop_file(run.testid).exists():
                return replace(run, done=done, state="stopped")
            if (moment := time.monotonic()) - written > _TELL:
                written = moment
                self._keep(replace(run, done=done))
            if (wait := started + pace - time.monotonic()) > 0:
                time.sleep(wait)
        return replace(run, done=run.asked, state="done")

    def find(self, testid: str) -> Run | None:
        """Return the last run of a session; None when there was none.

        Raises
        ------
        UnknownSessionError
            When the present caller may not see the session.
        """
        if not is_id(testid):
            return None
        self._permit(testid)
        run = self._read(testid)
        if run and run.state == "running" and not is_locked(self._lock_file(testid)):
            run = self._read(testid) or run  # it may have ended since the first look
            if run.state == "running":
                return replace(run, state="failed", message="the server's worker that did it ended")
        return run

    def _read(self, testid: str) -> Run | None:
        try:
            return Run(**orjson.loads((self._folder / f"{testid}.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def record(self, testid: str) -> dict[str, Any] | None:
        """Return the last run of a session as it is stored, to see whether something is new; None for none."""
        run = self._read(testid)
        return asdict(run) if run else None

    def stop(self, testid: str) -> None:
        """Ask a run to end after the step in hand."""
        if (run := self.find(testid)) and run.state == "running":
            self._stop_file(testid).touch()

    def _lock_file(self, testid: str) -> Path:
        return self._folder / f"{testid}.lock"

    def _stop_file(self, testid: str) -> Path:
        return self._folder / f"{testid}.stop"

    def _keep(self, run: Run) -> None:
        try:
            replace_file(self._folder / f"{run.testid}.json", orjson.dumps(asdict(run)))
        except (OSError, TriviumError):
            log.exception("the record of a run cannot be kept")
