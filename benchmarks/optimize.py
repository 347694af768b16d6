"""Samplers of ``trivium optimize`` on functions whose minimum is 0: ``python -m benchmarks.optimize``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from statistics import median

import numpy as np
import optuna

#: Runs, how many of them at a time, and seeds.
RUNS, BATCH, SEEDS = 200, 10, 5


def branin(x: np.ndarray) -> float:
    """Return Branin's function [0, 1]^2, less its minimum."""
    a, b = -5 + 15 * x[0], 15 * x[1]
    bowl = (b - 5.1 / (4 * np.pi**2) * a * a + 5 / np.pi * a - 6) ** 2
    return float(bowl + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10 - 0.397887)


def rosenbrock(x: np.ndarray) -> float:
    """Return Rosenbrock's function, from -2 to 2 in each parameter."""
    y = -2 + 4 * x
    return float(sum(100 * (y[1:] - y[:-1] ** 2) ** 2 + (1 - y[:-1]) ** 2))


def ackley(x: np.ndarray) -> float:
    """Return Ackley's function, from -4 to 6 in each parameter."""
    y = -4 + 10 * x
    return float(-20 * np.exp(-0.2 * np.sqrt((y**2).mean())) - np.exp(np.cos(2 * np.pi * y).mean()) + 20 + np.e)


SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed, popsize=BATCH),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=BATCH),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def least(function: Callable[[np.ndarray], float], size: int, sampler: optuna.samplers.BaseSampler) -> float:
    """Return the least value that was found."""
    study = optuna.create_study(sampler=sampler)
    space = {f"x{place}": optuna.distributions.FloatDistribution(0, 1) for place in range(size)}
    for _ in range(RUNS // BATCH):
        trials = [study.ask(space) for _ in range(BATCH)]
        for trial in trials:
            study.tell(trial, function(np.array([trial.params[name] for name in space])))
    return study.best_value


def main() -> None:
    """Print a table."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    for function, size in ((branin, 2), (rosenbrock, 4), (ackley, 5)):
        for name, sampler in SAMPLERS.items():
            value = median(least(function, size, sampler(seed)) for seed in range(SEEDS))
            print(f"{function.__name__:10} {name:7} {value:.2g}")


if __name__ == "__main__":
    main()
