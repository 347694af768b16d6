"""What checksums add to a step of a session. ``python -m benchmarks.checksums``.

Processor time of the parts of a step that compute or compare checksums, each with and without them in turns: the row
that is appended and read back, the two records, the status.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

from trivium.session.folder import Folder, StatusFile
from trivium.session.journal import Journal, Kind
from trivium.simulation.history import History

#: Columns of the shipped plant.
COLUMNS = 191
INTENT, COMMIT = bytes(2500), bytes(9000)
ROUNDS, STEPS = 15, 2000


def _nothing(*_: object) -> int:
    return 0


@contextmanager
def without() -> Iterator[None]:
    """Let checksums cost nothing but the call."""
    with mock.patch.object(zlib, "crc32", _nothing):
        yield


@contextmanager
def with_them() -> Iterator[None]:
    """Let checksums be what they are."""
    yield


def microseconds(step: Callable[[], None]) -> float:
    """Return the processor time of a call [us]."""
    started = time.process_time()
    for _ in range(STEPS):
        step()
    return 1e6 * (time.process_time() - started) / STEPS


def main() -> None:
    """Print the cost of each part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name), "session")
        folder.create({"testcase": "none"})
        row = np.random.default_rng(0).random((1, COLUMNS))

        def history() -> Callable[[], None]:
            rows = History(Path(name) / "history", [f"x{k}" for k in range(COLUMNS)])

            def step() -> None:
                rows.append(row)
                rows.rows(len(rows) - 1)

            return step

        def journal() -> Callable[[], None]:
            writer = Journal(folder.path / f"journal{time.monotonic_ns()}")
            writer.start_generation([(Kind.BASE, b"")])

            def step() -> None:
                writer.append(Kind.INTENT, INTENT)
                writer.append(Kind.COMMIT, COMMIT)

            return step

        def status() -> Callable[[], None]:
            file = StatusFile(folder)

            def step() -> None:
                file.write(1.0, "0123456789abcdef0123456789abcdef", 300.0)
                file.write(0.0, "", 600.0)

            return step

        total = 0.0
        print("| part of a step | with [us] | without [us] | checksums [us] |\n|---|--:|--:|--:|")
        for part in (history, journal, status):
            taken: dict[str, list[float]] = {"with": [], "without": []}
            for _ in range(ROUNDS):
                for which, mode in (("with", with_them), ("without", without)):
                    with mode():
                        taken[which].append(microseconds(part()))
            most, least = (statistics.median(taken[which]) for which in ("with", "without"))
            total += most - least
            print(f"| {part.__name__} | {most:.1f} | {least:.1f} | {most - least:+.1f} |")
        print(f"\nchecksums of a step: {total:.1f} us")


if __name__ == "__main__":
    main()
