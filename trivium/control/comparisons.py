"""Comparisons of controllers that `trivium compare` made, kept for the leaderboard of a server with the same state.

A comparison is a file in ``<state directory>/comparisons``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from trivium.control.commands import span_of
from trivium.evaluation.testcase import TestCase
from trivium.storage import replace_file

_FOLDER = "comparisons"
#: Newest comparisons that are kept.
_MOST = 100


@dataclass(frozen=True)
class Compared:
    """A controller over a time period.

    Attributes
    ----------
    testcase, controller : str
    scenario : Mapping[str, Any]
        Its parts as in ``GET /sessions``, with ``time_period``.
    start, end : float
        [s]
    created : float
        When it was compared [s since 1970].
    indicators : Mapping[str, float or None]
    """

    testcase: str
    controller: str
    scenario: Mapping[str, Any]
    start: float
    end: float
    created: float
    indicators: Mapping[str, float | None]


def keep(
    state_dir: Path,
    case: TestCase,
    compared: Mapping[str, Mapping[str, Mapping[str, float | None]]],
    days: float | None,
) -> None:
    """Store a comparison; older ones than the newest are removed.

    Parameters
    ----------
    state_dir : Path
    case : TestCase
        As `trivium.control.commands.compare` left it.
    compared : Mapping
        What that returned.
    days : float, optional
        How much of each period was simulated [d].

    Raises
    ------
    StorageError
        When it cannot be stored.
    """
    created = time.time()
    scenario = {name: value for name, value in case.scenario.items() if value is not None}
    rows = [
        Compared(
            case.name,
            controller,
            {**scenario, "time_period": period},
            *span_of(case, period, days),
            created,
            indicators,
        )
        for period, controllers in compared.items()
        for controller, indicators in controllers.items()
    ]
    folder = state_dir / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / f"{time.time_ns():020d}.json", orjson.dumps([asdict(row) for row in rows]))
    for path in sorted(folder.glob("*.json"))[:-_MOST]:
        path.unlink(missing_ok=True)


def read(state_dir: Path) -> Iterator[Compared]:
    """Yield what was compared, the newest first; a file that is damaged is passed over."""
    for path in sorted((state_dir / _FOLDER).glob("*.json"), reverse=True):
        with contextlib.suppress(OSError, ValueError, TypeError):
            yield from [Compared(**row) for row in orjson.loads(path.read_bytes())]
