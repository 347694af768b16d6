"""The Pareto front, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.dashboard.pareto import pareto_front


def by_definition(first, second, signs):
    a, b = (np.array(values) * sign for values, sign in zip((first, second), signs, strict=True))
    known = np.isfinite(a) & np.isfinite(b)
    beaten = [
        any(known[j] and a[j] <= a[i] and b[j] <= b[i] and (a[j] < a[i] or b[j] < b[i]) for j in range(a.size))
        for i in range(a.size)
    ]
    return {i for i in range(a.size) if known[i] and not beaten[i]}


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_the_front_is_what_nothing_beats(signs):
    random = np.random.default_rng(1)
    for levels in (3, 6, 1000):  # few levels: many runs are equal
        first, second = random.integers(0, levels, (2, 60)).astype(float)
        first[random.random(60) < 0.1] = np.nan
        front = pareto_front(first, second, smaller=(signs[0] > 0, signs[1] > 0))
        assert {*front.tolist()} == by_definition(first, second, signs)
        assert len(front) == len({*front.tolist()})
        assert (np.diff(signs[0] * first[front]) >= 0).all()
        assert (np.diff(signs[1] * second[front]) <= 0).all()


def test_no_run_has_values():
    nothing = np.full(3, np.nan)
    assert pareto_front(nothing, np.arange(3.0), smaller=(True, True)).size == 0
