"""The rate of a sweep: what happens before the first chunk ends does not count."""

import pytest

from trivium.study.pace import Pace


def measured(ends, workers):
    """The rates after chunks that end at these times, with these numbers of runs."""
    times = iter([time for time, _ in ends])
    pace, rates = Pace(lambda: next(times)), []
    for _, runs in ends:
        pace.add(runs)
        rates.append(pace.rate(workers))
    return rates


def test_a_slow_start_is_not_counted():
    """Two workers that start for 40 s, then do 100 runs in 2 s each."""
    ends = [(40.0, 1), (40.1, 1)]
    ends += [(start + late, 100) for start in range(42, 102, 2) for late in (0.0, 0.1)]
    rates = measured(ends, 2)
    assert rates[:4] == [None] * 4  # less than four seconds
    assert all(70 <= rate <= 130 for rate in rates[4:])  # whole chunks, so the first are rough
    assert rates[-1] == pytest.approx(100.0, rel=0.05)


def test_long_runs_need_one_chunk_of_every_worker():
    """Four workers whose runs take 60 s and end one after the other."""
    ends = [(65.0, 1), (70.0, 1), (75.0, 1), (80.0, 1), (125.0, 1), (130.0, 1)]
    rates = measured(ends, 4)
    assert rates[:4] == [None] * 4
    assert rates[4] == pytest.approx(4 / 60)


def test_nothing_is_estimated_before_anything_ended():
    assert Pace(lambda: 0.0).rate(1) is None
