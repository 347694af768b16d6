"""Baselines: each decides on what the task lets an agent decide on, and the rule book on the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trivium.benchmark.candidates import CANDIDATES
from trivium.benchmark.network import LEARNED, checkpoint, read
from trivium.benchmark.oracle import Oracle
from trivium.benchmark.player import ConstantPlayer, ControllerPlayer, Player, PolicyPlayer, Stepped, commanded
from trivium.benchmark.predictive import PredictivePlayer
from trivium.benchmark.rehearsal import Rehearsal
from trivium.benchmark.search import best_constant, best_figures
from trivium.benchmark.storage import BATTERY, Schedule, StoragePlayer
from trivium.control.controller import Controller
from trivium.errors import InvalidValueError
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.task import Task
from trivium.plants.data_center.guideline36 import TrimAndRespond
from trivium.plants.data_center.loops import Loops
from trivium.suggestions import near_or_all


class RandomPlayer:
    """Plays actions drawn from the action space, with the seed of the episode."""

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        env.action_space.seed(int(env.np_random.integers(2**31)))

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        return env.step(env.action_space.sample())


class LookAheadPlayer:
    """Every hour rehearses some controllers over the hours ahead, as they are forecast, and plays the best.

    The battery follows its schedule.

    Parameters
    ----------
    hours : float
        How far ahead.
    """

    def __init__(self, hours: float = 4.0) -> None:
        self._hours = hours
        self._controllers: list[Controller] = []
        self._schedule: Schedule
        self._best, self._steps = 0, 0

    def begin(self, env: TaskEnv, observation: Any, info: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Begin an episode."""
        self._controllers = [make(env.nominal, env.task.kind.step) for make in CANDIDATES[env.task.kind.name]]
        for controller in self._controllers:
            controller.reset(env.values, env.inner.boundary)
        self._schedule = Schedule(env)
        self._best, self._steps = 0, 0

    def play(self, env: TaskEnv, observation: Any) -> Stepped:  # noqa: ARG002
        """Play a control step."""
        if self._steps * env.task.kind.step % 3600.0 == 0.0:
            self._choose(env)
        self._steps += 1
        actions = [controller.action(env.values, env.inner.boundary) for controller in self._controllers]
        return env.apply({**commanded(env, actions[self._best]), **self._schedule.commands(env)})

    def _choose(self, env: TaskEnv) -> None:
        rehearsal = Rehearsal(env)
        steps = round(self._hours * 3600.0 / env.task.kind.step)
        values = [rehearsal.value(rehearsal.continued(each), steps) for each in self._controllers]
        best = max(range(len(values)), key=values.__getitem__)
        if values[best] > values[self._best] + 1e-3 * abs(values[self._best]):
            self._best = best


def _tuned(env: TaskEnv) -> Player:
    figures = best_figures(env)
    return ControllerPlayer(lambda nominal, step: Loops(nominal, step, figures))


def _learned(name: str) -> Callable[[TaskEnv], Player]:
    return lambda env: PolicyPlayer(read(checkpoint(env.task, name)))


#: How each baseline is made for a task, by its name, in the order of tables; the environment is of the training days.
#: The oracle, which begins with all of these but chance, is made by `oracle`.
BASELINES: Mapping[str, Callable[[TaskEnv], Player]] = {
    "random": lambda _: RandomPlayer(),
    "rules": lambda _: ConstantPlayer(),
    "constant": lambda env: ConstantPlayer(best_constant(env)),
    "loops": lambda _: ControllerPlayer(Loops),
    "tuned": _tuned,
    "trim-and-respond": lambda _: ControllerPlayer(TrimAndRespond),
    "storage": lambda _: StoragePlayer(),
    "look-ahead": lambda _: LookAheadPlayer(),
    "mpc": PredictivePlayer,
    **{name: _learned(name) for name in LEARNED},
}
#: The name of the search that the others are measured by.
ORACLE = "oracle"


def names(task: Task) -> tuple[str, ...]:
    """Return the names of a task's baselines, in the order of tables.

    Those that learned are there where their checkpoint is shipped, `storage` where there is a battery.
    """
    absent = {name for name in LEARNED if not checkpoint(task, name).is_file()}
    if BATTERY not in task.kind.commands:
        absent.add("storage")
    return (*(name for name in BASELINES if name not in absent), ORACLE)


def baseline(name: str, env: TaskEnv) -> Player:
    """Make a baseline for a task.

    Parameters
    ----------
    name : str
    env : TaskEnv
        Of the task's training days, for what is tuned.

    Raises
    ------
    InvalidValueError
        When the task has none of that name.
    """
    available = names(env.task)
    if name not in available:
        raise InvalidValueError(
            f"there is no baseline {name!r} for {env.task.name}.{near_or_all(name, available)}", "baseline"
        )
    if name == ORACLE:
        return oracle(env, [BASELINES[other](env) for other in beginnings(env.task)])
    return BASELINES[name](env)


def beginnings(task: Task) -> tuple[str, ...]:
    """Return the names of the baselines that the oracle of a task begins with."""
    return tuple(name for name in names(task) if name not in ("random", ORACLE))


def oracle(env: TaskEnv, players: Iterable[Player]) -> Oracle:
    """Make the oracle of a task, which begins with some players and with the candidates of the look-ahead."""
    return Oracle([*players, *map(ControllerPlayer, CANDIDATES[env.task.kind.name])], env)
