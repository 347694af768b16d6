"""A study in a process of its own: ``python -m trivium.study.process``.

Each process that Python's multiprocessing starts imports the main module. Here that is this
module, so a study can be run from anywhere: a notebook, a thread, a script without a guard. The request is the first
line of stdin, as JSON; the stream is also the lifeline: when it ends, the process stops as after Ctrl-C. Lines of JSON
come back on stdout: ``state``, ``say``, and at last ``done`` or ``error``.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from trivium import errors
from trivium.environment import ROOT, child_environment
from trivium.errors import EngineError, InvalidValueError, TriviumError
from trivium.study.cache import Cache
from trivium.study.drive import State
from trivium.study.study import run_study
from trivium.study.where import Where

#: How long a study may take to stop after its lifeline ended [s].
_STOPPING = 15.0


def run_apart(
    path: Path,
    out: Path,
    places: Where,
    cache: tuple[Path, int] | None,
    on_progress: Callable[[State], None],
    say: Callable[[str], None],
) -> None:
    """Run a study, or what is missing of it, in a process of its own; see `trivium.study.study.run_study`.

    Parameters
    ----------
    path, out : Path
        The study's JSON file; folder of the results.
    places : Where
    cache : tuple of Path and int, or None
        Its file and its limit [bytes].
    on_progress, say : callable
        Called in this process.

    Raises
    ------
    TriviumError
        As `trivium.study.study.run_study`.
    EngineError
        When the process died.
    """
    request = {
        "path": str(path.absolute()),
        "out": str(out.absolute()),
        "unpacked": str(places.unpacked.absolute()),
        "scheduler": places.scheduler,
        "workers": places.workers,
        "wait": places.wait,
        "cache": None if cache is None else [str(cache[0].absolute()), cache[1]],
    }
    command = [sys.executable, "-P", "-m", "trivium.study.process"]
    environment = child_environment(PYTHONPATH=str(ROOT))
    child = subprocess.Popen(  # noqa: S603, our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # the caller receives Ctrl-C and then ends the lifeline
    )
    assert child.stdin is not None  # noqa: S101, both are pipes
    assert child.stdout is not None  # noqa: S101
    with child, contextlib.ExitStack() as stack:
        stack.callback(_end, child)
        with contextlib.suppress(BrokenPipeError):  # it died; that is found out below
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        for line in child.stdout:
            message = json.loads(line)
            if "state" in message:
                on_progress(State(**message["state"]))
            elif "say" in message:
                say(message["say"])
            elif "error" in message:
                raise error_of(**message["error"])
            else:
                return
        raise EngineError(f"the process that ran the study died (exit code {child.wait()})")


def _end(child: subprocess.Popen[str]) -> None:
    """Let a process end; kill it when it does not."""
    assert child.stdin is not None  # noqa: S101, it is a pipe
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    try:
        child.wait(_STOPPING)
    except subprocess.TimeoutExpired:
        child.kill()


def error_of(kind: str, message: str, field: str | None) -> TriviumError:
    """Return the error that a process reported."""
    if field is not None:
        return InvalidValueError(message, field)
    error_type = getattr(errors, kind, TriviumError)
    return error_type(message) if error_type.__init__ is TriviumError.__init__ else TriviumError(message)


def main() -> None:
    """Run the study of the request on stdin."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed is no answer
    request = json.loads(sys.stdin.readline())
    ended = threading.Event()
    threading.Thread(target=_watch, args=(sys.stdin, ended), daemon=True).start()

    def tell(**message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    places = Where(Path(request["unpacked"]), request["scheduler"], request["workers"], request["wait"])
    with contextlib.ExitStack() as stack:
        cache = None
        if request["cache"] is not None:
            path, limit = request["cache"]
            cache = stack.enter_context(contextlib.closing(Cache(Path(path), limit)))
        try:
            run_study(
                Path(request["path"]),
                Path(request["out"]),
                places,
                cache,
                lambda state: tell(state=asdict(state)),
                lambda text: tell(say=text),
            )
        except KeyboardInterrupt:
            os._exit(130)
        except TriviumError as error:
            ended.set()
            field = getattr(error, "field", None)
            tell(error={"kind": type(error).__name__, "message": str(error), "field": field})
        else:
            ended.set()
            tell(done=True)


def _watch(lifeline: IO[str], ended: threading.Event) -> None:
    """Interrupt this process when its lifeline ends before the study, and kill it when that does not help."""
    while lifeline.read(1):
        pass
    if ended.is_set():
        return
    _thread.interrupt_main()
    time.sleep(_STOPPING)
    os._exit(1)


if __name__ == "__main__":
    main()
