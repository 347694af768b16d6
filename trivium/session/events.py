"""What happened in a session, at which of its times: ``events.jsonl`` in its folder, a line an event.

Only what a chart of the session should mark is stored, and never a step, so that steps cost nothing. A session that
starts anew forgets its events as it forgets its results, and one that is restored those that came later.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

#: Most events that are kept; then the older half is dropped.
_MOST = 2000
_NAME = "events.jsonl"


@dataclass(frozen=True)
class Event:
    """Something that happened in a session.

    Attributes
    ----------
    time : float
        Clock of the session then [s].
    kind : str
        ``initialize``, ``restore``, ``fork``, ``snapshot``, ``scenario``, ``controller``, ``override`` or ``failure``.
    text : str
        What happened, as a sentence.
    created : float
        When it happened [s since 1970].
    """

    time: float
    kind: str
    text: str
    created: float


class Events:
    """The events of a session.

    Parameters
    ----------
    folder : Path
        Of the session.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _NAME

    def read(self) -> list[Event]:
        """Return all events, the oldest first."""
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return []
        events = []
        for line in lines:
            with contextlib.suppress(ValueError, TypeError):  # one that a crash cut
                events.append(Event(**json.loads(line)))
        return events

    def add(self, at: float, kind: str, text: str) -> None:
        """Store an event; a disk that does not take it costs no more than the mark on a chart."""
        line = json.dumps(asdict(Event(at, kind, text, time.time()))) + "\n"
        with contextlib.suppress(OSError):
            with self._file.open("ab") as file:
                file.write(line.encode())  # at once: writers do not mix
            if os.path.getsize(self._file) > _MOST * 200:
                self.keep(self.read()[-_MOST // 2 :])

    def keep(self, events: Iterable[Event]) -> None:
        """Store these events in place of all."""
        unfinished = self._file.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
        with contextlib.suppress(OSError):
            unfinished.write_text("".join(json.dumps(asdict(event)) + "\n" for event in events), encoding="utf-8")
            unfinished.replace(self._file)

    def until(self, at: float) -> list[Event]:
        """Return the events up to a time [s]."""
        return [event for event in self.read() if event.time <= at]
