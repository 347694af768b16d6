"""What is tuned on the training days of a task: figures of the rule book, and constant commands.

A coordinate search after Hooke and Jeeves (J. ACM 8, 1961): each number in turn takes the value of a grid that earns
the most over some training days, until a round changes nothing. Everything is decided by the task alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

from trivium.benchmark.player import ConstantPlayer, ControllerPlayer, Player, play
from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed
from trivium.gym.tasks.task import UNITS
from trivium.plants.data_center.loops import Loops
from trivium.plants.data_center.rules import Figures

Point = dict[str, float]
#: Training days that are played for each try.
_DAYS = tuple(day_of_seed("train", seed) for seed in range(4))
_ROUNDS = 2
#: Which figures of the rule book are tuned, and what they may be.
_FIGURES: Mapping[str, Sequence[float]] = {
    "chilled": (281.15, 285.15, 287.15, 289.15, 291.15),
    "air": (293.15, 295.15, 296.15, 297.15),
    "pressure": (4e4, 6e4, 8e4),
    "approach": (2.5, 5.5, 7.0),
    "condenser_speed": (0.6, 0.7, 1.0),
    "stage_up": (0.75, 0.95, 1.0),
    "pumps_each": (0.5, 0.75, 1.0),
    "free_pumps": (1, 2, 3),
    "spare_cells": (0, 1, 2),
    "margin": (1.0, 1.2),
    "liquid": (301.15, 309.15),
}
#: Values of a command that are tried, of its range [1].
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def best_figures(env: TaskEnv) -> Figures:
    """Return the figures of `Loops` that earn the most on the training days of a task."""
    start = {name: value for name, value in asdict(Figures()).items() if name in _FIGURES}

    def player(point: Point) -> Player:
        figures = replace(Figures(), **point)
        return ControllerPlayer(lambda nominal, step: Loops(nominal, step, figures))

    return replace(Figures(), **_search(env, start, _FIGURES, player))


def best_constant(env: TaskEnv) -> Point:
    """Return the constant commands that earn the most on the training days of a task."""
    inputs = env.inner.plant.inputs
    start: Point = {}
    options: dict[str, Sequence[float]] = {}
    for name in env.task.kind.commands:
        low, high = float(inputs[name].minimum or 0.0), float(inputs[name].maximum or 0.0)
        start[name] = float(inputs[name].start or 0.0)
        shares = [low + share * (high - low) for share in _SHARES]
        options[name] = range(round(low), round(high) + 1) if name in UNITS else shares
    return _search(env, start, options, ConstantPlayer)


def _search(
    env: TaskEnv, start: Point, options: Mapping[str, Sequence[float]], player: Callable[[Point], Player]
) -> Point:
    best, most = start, _value(env, player(start))
    for _ in range(_ROUNDS):
        before = best
        for name, values in options.items():
            for value in values:
                if value == best[name]:
                    continue
                tried = {**best, name: float(value)}
                earned = _value(env, player(tried))
                if earned > most:
                    best, most = tried, earned
        if best == before:
            break
    return best


def _value(env: TaskEnv, player: Player) -> float:
    return sum(play(env, player, seed, day).reward for seed, day in enumerate(_DAYS))
