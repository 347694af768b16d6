"""The table of baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from trivium.benchmark.score import rank_correlation, rank_stability

#: Share of a reward that is no difference [1].
_SAME = 1e-6


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with a row a result, and how stable the ranking is over the episodes."""
    kpi = results[0]["objective"]
    lines = [
        f"| policy | score | 95 % | {kpi} | energy [kWh] | hall [K h] | chiller starts | serves |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [_row(result, kpi) for result in results]
    days = list(zip(*(result["episodes"] for result in results), strict=True))
    scores = [[episode["score"] for episode in day] for day in days]
    better = sum(any(episode["serves"] and _better(episode) for episode in day) for day in days)
    lines += [
        "",
        f"Kendall's tau between the rankings of two results of {len(days)} days: {rank_stability(scores):.2f}; "
        f"of two days: {rank_correlation(scores):.2f}",
        f"Days on which a policy that serves earns more than the oracle: {better} of {len(days)}",
    ]
    return "\n".join(lines)


def _better(episode: Mapping[str, Any]) -> bool:
    return bool(episode["reward"] > episode["oracle"]["reward"] + _SAME * abs(episode["oracle"]["reward"]))


def _row(result: Mapping[str, Any], kpi: str) -> str:
    episodes = result["episodes"]

    def mean(part: str, name: str) -> float:
        return fmean(episode[part].get(name, float("nan")) for episode in episodes)

    low, high = result["interval"]
    return (
        f"| {result['policy']['name']} | {result['score']:.3f} | {low:.3f} to {high:.3f} | {mean('kpi', kpi):.0f} "
        f"| {mean('kpi', 'ener_tot'):.0f} | {mean('cost', 'hall'):.2f} | {mean('kpi', 'starts_chillers'):.1f} "
        f"| {'yes' if result['serves'] else 'no'} |"
    )
