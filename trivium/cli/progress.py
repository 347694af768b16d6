"""Progress of many steps on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

import click

#: Time between two lines [s].
_LINES = 10.0
#: Time between two drawings of the bar [s].
_DRAWINGS = 0.2


@contextlib.contextmanager
def bar(
    steps: int, label: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[float], None]]:
    """Show progress.

    Parameters
    ----------
    steps : int
        How many there are.
    label : str
    stream : TextIO, optional
        Default: the process's standard error.
    clock : callable
        Returns the time [s].

    Yields
    ------
    callable
        To be called after each step; takes its length, which does not matter here.
    """
    stream = stream or sys.stderr
    if stream.isatty():
        with click.progressbar(length=max(steps, 1), label=label, file=stream, show_pos=True) as shown:
            pending, last = 0, clock()

            def advance(_: float) -> None:
                nonlocal pending, last
                pending += 1
                time = clock()
                if time - last >= _DRAWINGS:
                    shown.update(pending)
                    pending, last = 0, time

            try:
                yield advance
            finally:
                shown.update(pending)
        return
    yield _Lines(steps, label, stream, clock).step


class _Lines:
    """Writes a line now and then, the first after some time: short runs need none."""

    def __init__(self, steps: int, label: str, stream: TextIO, clock: Callable[[], float]) -> None:
        self._steps, self._label, self._stream, self._clock = steps, label, stream, clock
        self._done, self._last = 0, clock()

    def step(self, _: float) -> None:
        self._done += 1
        if self._clock() - self._last >= _LINES:
            self._last = self._clock()
            click.echo(f"{self._label}: {self._done} of {self._steps} steps", file=self._stream)
