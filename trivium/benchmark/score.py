"""Scores: what share of the way from the rule book to the oracle a policy goes.

The score of an episode is ``(rule book - policy) / (rule book - oracle)`` of the objective. A policy that violates more
than the rule book gets no credit: its score is 0, or the share where that is less, and loses what it violates more
over an allowance, down to -1. The score of a task is the mean over the episodes, with a 95 % interval of bootstrap
samples over the episodes. An interquartile mean would leave out the days on which a policy does not serve, and ranks
policies less steadily: they differ most on such days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trivium.plants.data_center.constraints import Costs

#: What a policy may violate more in a day before it has lost all: work for each megawatt that the plant is built for.
ALLOWANCES = Costs(work=10.0, hall=5.0, supply=5.0, lock=10.0, rate=10.0, flow=5.0)
#: Below this a cost counts as the same as the rule book's.
_SAME = 1e-3
#: Gap between rule book and oracle below which an episode has nothing to gain [share of the rule book's objective].
_GAP = 1e-3
_SAMPLES = 2000
#: How many results are drawn to see how stable a ranking is.
_RESULTS = 30


class Interval(NamedTuple):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


def excess(costs: Mapping[str, float], reference: Mapping[str, float], nominal: float) -> float:
    """Return how much more is violated than by the reference, 1 for an allowance [1].

    Parameters
    ----------
    costs, reference : Mapping[str, float]
        By the names of `Costs`.
    nominal : float
        IT load that the plant is built for [W].
    """
    allowances = ALLOWANCES._replace(work=ALLOWANCES.work * nominal / 1e6)._asdict()
    more = {name: costs[name] - reference[name] for name in allowances}
    return float(sum(more[name] / allowances[name] for name in allowances if more[name] > _SAME * allowances[name]))


def share(value: float, rules: float, oracle: float, violation: float) -> float:
    """Return the score of an episode.

    Parameters
    ----------
    value, rules, oracle : float
        Objective of the policy, the rule book and the oracle; less is better.
    violation : float
        What `excess` returned.
    """
    gap = max(rules - oracle, _GAP * abs(rules))
    gained = (rules - value) / gap
    if violation <= 0.0:
        return max(gained, -1.0)
    return max(min(gained, 0.0) - violation, -1.0)


def with_interval(values: Sequence[float]) -> Interval:
    """Return the mean and its 95 % interval by the bootstrap, with a fixed seed."""
    random = np.random.default_rng(0)
    samples = random.choice(np.asarray(values, dtype=np.float64), (_SAMPLES, len(values)))
    low, high = np.quantile(samples.mean(axis=1), [0.025, 0.975]).tolist()
    return Interval(float(np.mean(values)), low, high)


def rank_correlation(rankings: Sequence[Sequence[float]]) -> float:
    """Return the mean of Kendall's tau over all pairs of rankings.

    Parameters
    ----------
    rankings : sequence of sequence of float
        For each ranking the scores of the same players.
    """
    from scipy.stats import kendalltau

    pairs = [(a, b) for i, a in enumerate(rankings) for b in rankings[i + 1 :]]
    return float(np.mean([kendalltau(a, b).statistic for a, b in pairs])) if pairs else 1.0


def rank_stability(scores: Sequence[Sequence[float]]) -> float:
    """Return Kendall's tau between the rankings of two results of as many episodes, as if their days were drawn anew.

    Parameters
    ----------
    scores : sequence of sequence of float
        For each episode the scores of the same players; results are drawn from the episodes, with replacement.
    """
    random, table = np.random.default_rng(0), np.asarray(scores, dtype=np.float64)
    draws = (table[random.integers(len(table), size=len(table))] for _ in range(_RESULTS))
    return rank_correlation([draw.mean(axis=0).tolist() for draw in draws])
