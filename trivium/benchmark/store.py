"""Episodes of baselines that were played, beside the member's test case."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from trivium import __version__
from trivium.benchmark.network import LEARNED, checkpoint
from trivium.benchmark.player import Episode
from trivium.gym.tasks.env import TaskEnv
from trivium.storage import replace_file


class Store:
    """The episodes of a baseline.

    Parameters
    ----------
    env : TaskEnv
        Of the test days.
    level, baseline : str
    seeds : sequence of int
    """

    def __init__(self, env: TaskEnv, level: str, baseline: str, seeds: Sequence[int]) -> None:
        learned = sorted(checkpoint(env.task, name) for name in LEARNED)
        weights = [hashlib.sha256(path.read_bytes()).hexdigest() for path in learned if path.is_file()]
        key = f"{env.task.name} {level} {env.reward.kpi} {baseline} {list(seeds)} {__version__} {weights} {_code()}"
        self._path = env.folder / "played" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"

    def read(self) -> list[Episode] | None:
        """Return the episodes; None where they were not played yet."""
        try:
            return [Episode(**episode) for episode in json.loads(self._path.read_bytes())]
        except (OSError, ValueError, TypeError):
            return None

    def write(self, episodes: Sequence[Episode]) -> None:
        """Store the episodes."""
        self._path.parent.mkdir(exist_ok=True)
        replace_file(self._path, json.dumps([episode._asdict() for episode in episodes]).encode())


@cache
def _code() -> str:
    """Return the hash of what episodes depend on besides the test case: tasks, benchmark, controllers."""
    package = Path(__file__).parents[1]
    files = sorted(
        path for name in ("benchmark", "gym", "plants/data_center") for path in (package / name).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
