"""How far a sweep is, for people."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from typing import TextIO

from trivium.study.drive import State

#: Time between two lines where the output is no terminal, and between two drawings where it is [s].
_LINES, _FRAMES = 10.0, 0.2
_WIDTH = 30


class Progress:
    """A bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    stream : TextIO, optional
        Default: the process's standard error.
    clock : callable
        Returns the time [s].
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        # None where the process was started with standard error closed
        self._stream: TextIO | None = stream or sys.stderr
        self._clock = clock
        self._drawn = self._stream is not None and self._stream.isatty()
        self._last = -math.inf

    def __call__(self, state: State) -> None:
        """Show a state, unless one was shown just now."""
        time = self._clock()
        if time - self._last >= (_FRAMES if self._drawn else _LINES) or state.done == state.total:
            self._last = time
            self._show(state)

    def say(self, text: str) -> None:
        """Say something beside the bar."""
        self._write(f"{text}\n")

    def _show(self, state: State) -> None:
        line = describe(state)
        if not self._drawn:
            self.say(line)
            return
        full = int(_WIDTH * (state.done + state.ahead) / max(state.total, 1))
        end = "\n" if state.done == state.total else ""
        bar = "#" * full + "." * (_WIDTH - full)
        self._write(f"\r\x1b[K[{bar}] {line}{end}")

    def _write(self, text: str) -> None:
        """Write; a reader that has gone or a full disk is no reason to end a study."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.write(text)
                self._stream.flush()


def describe(state: State) -> str:
    """Return a state in words."""
    rest = f", {state.failed} failed" if state.failed else ""
    rest += f", {state.cached} from the cache" if state.cached else ""
    rate = f"; {state.rate:.3g} runs/s" if state.rate else ""
    left = "" if state.done == state.total or state.eta is None else f", {duration(state.eta)} left"
    stage = f": {state.stage}" if state.stage else ""
    return f"{state.done + state.ahead} of {state.total} runs{rest}{rate}{left}{stage}"


def duration(seconds: float) -> str:
    """Return a time in words."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def amount(size: float) -> str:
    """Return bytes in words."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"
