"""Run policies and baselines on the test days of a task."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trivium.benchmark import result
from trivium.benchmark.baselines import ORACLE, baseline, beginnings, names, oracle
from trivium.benchmark.player import Episode, PlanPlayer, Player, PolicyPlayer, play
from trivium.benchmark.store import Store
from trivium.benchmark.submission import Submission
from trivium.gym.tasks.env import DAY, TaskEnv
from trivium.gym.tasks.periods import day_of_seed

#: Seeds of a result: every second test day. With fewer the ranking of policies would depend on which days they are.
SEEDS = tuple(range(39))
#: What a baseline has in place of the hash of its files.
_SHIPPED = "shipped"
Progress = Callable[[], object]


class Bench:
    """A task at a level, with what its scores are measured by.

    Parameters
    ----------
    task : str
    level : str
    objective : str
        ``cost`` or ``energy``.
    seeds : sequence of int
        Of the episodes; each has its day of the test weeks.
    state_dir : Path, optional
        Where the member's test case is kept.
    progress : Callable
        Called after each episode.
    """

    def __init__(
        self,
        task: str,
        level: str = "perfect",
        objective: str = "cost",
        seeds: Sequence[int] = SEEDS,
        state_dir: Path | None = None,
        progress: Progress = lambda: None,
    ) -> None:
        self._level, self._seeds, self._progress = level, tuple(seeds), progress
        self._options: Mapping[str, Any] = {"objective": objective, "state_dir": state_dir}
        self._env = TaskEnv(task, level=level, split="test", **self._options)

    def close(self) -> None:
        """End the plant."""
        self._env.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the task's baselines, in the order of tables."""
        return names(self._env.task)

    def submission(self, path: Path) -> dict[str, Any]:
        """Run a policy on disk and return its result.

        Raises
        ------
        TriviumError
            When the policy cannot be loaded, or the plant cannot be opened.
        """
        submission = Submission(path)
        player = PolicyPlayer(submission.policy(self._env, self._level))
        return self._result({"name": submission.name, "sha256": submission.sha256}, self._play(player))

    def baseline(self, name: str) -> dict[str, Any]:
        """Run a baseline and return its result.

        Raises
        ------
        InvalidValueError
            When there is none of that name.
        """
        return self._result({"name": name, "sha256": _SHIPPED}, self._episodes(name))

    def _result(self, policy: Mapping[str, str], played: Sequence[Episode]) -> dict[str, Any]:
        rules, oracle = self._episodes("rules"), self._episodes(ORACLE)
        return result.document(self._env, self._level, policy, played, rules, oracle)

    def _episodes(self, name: str) -> list[Episode]:
        """Return the episodes of a baseline; they are kept, because a search takes minutes and is always the same."""
        store = Store(self._env, self._level, name, self._seeds)
        episodes = store.read()
        if episodes is None:
            episodes = self._searched() if name == ORACLE else self._play(self._baseline(name))
            store.write(episodes)
        return episodes

    def _baseline(self, name: str) -> Player:
        with contextlib.closing(TaskEnv(self._env.task, split="train", **self._options)) as train:
            return baseline(name, train)

    def _searched(self) -> list[Episode]:
        """Return the episodes of the oracle, which begins with what the others did on the same day."""
        steps = round(DAY / self._env.task.kind.step)
        days = zip(*(self._episodes(name) for name in beginnings(self._env.task)), strict=True)
        episodes = []
        for seed, day in zip(self._seeds, days, strict=True):
            plans = [PlanPlayer(other.commands) for other in day if len(other.commands) == steps]
            episodes += self._play(oracle(self._env, plans), [seed])
        return episodes

    def _play(self, player: Player, seeds: Sequence[int] | None = None) -> list[Episode]:
        episodes = []
        for seed in self._seeds if seeds is None else seeds:
            episodes.append(play(self._env, player, seed, day_of_seed("test", seed)))
            self._progress()
        return episodes


def run(bench: Bench, policy: str) -> dict[str, Any]:
    """Run a baseline by its name, or a policy by its path."""
    return bench.baseline(policy) if policy in bench.names else bench.submission(Path(policy))


@contextlib.contextmanager
def opened(*arguments: Any, **options: Any) -> Iterator[Bench]:
    """Open a bench and close it at the end."""
    with contextlib.closing(Bench(*arguments, **options)) as bench:
        yield bench
