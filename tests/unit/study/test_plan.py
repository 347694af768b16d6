import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from trivium.errors import InvalidValueError
from trivium.study.plan import make_plan
from trivium.study.spec import Sampling
from trivium.study.values import parse


def plan(sampling=None, **given):
    return make_plan({n: parse(v, n, Path(), 0) for n, v in given.items()}, Sampling(**(sampling or {})))


def test_a_grid_is_nested_loops():
    grid = plan(a=[1, 2], b=[10, 20, 30], c=[0.5, 0.6])
    assert grid.count == 12
    assert grid.rows(0, 12).tolist() == [list(t) for t in itertools.product([1, 2], [10, 20, 30], [0.5, 0.6])]
    assert np.concatenate([grid.rows(i, i + 1) for i in range(12)]).tolist() == grid.rows(0, 12).tolist()


def test_the_grid_of_the_seed_is_a_function():
    sizes = [8, 6, 7, 9, 10, 4, 15]
    grid = plan(**{f"p{i}": list(range(n)) for i, n in enumerate(sizes)})
    assert grid.count == 1_814_400
    for run in (0, 14, 15, 999_999, 1_814_399):
        assert grid.rows(run, run + 1)[0].tolist() == [int(digit) for digit in np.unravel_index(run, sizes)]


def test_a_plan_without_parameters_is_one_run():
    assert plan().count == 1
    assert plan().rows(0, 1).shape == (1, 0)


def test_zipped_columns():
    assert plan({"method": "zip"}, a=[1, 2], b=[5, 6], c=9).rows(0, 2).tolist() == [[1, 5, 9], [2, 6, 9]]
    with pytest.raises(InvalidValueError, match="simulation_parameters.b: has 2 values where others have 3"):
        plan({"method": "zip"}, a=[1, 2, 3], b=[5, 6])


def test_a_latin_hypercube_meets_every_stratum_once():
    sample = plan({"method": "latin_hypercube", "runs": 40, "seed": 3}, a="range:0:40", b="range:100:140")
    rows = sample.rows(0, 40)
    assert sorted(np.floor(rows[:, 0])) == list(range(40))
    assert sorted(np.floor(rows[:, 1])) == list(range(100, 140))
    assert sample.rows(7, 9).tolist() == rows[7:9].tolist()


def test_blocks_of_a_sobol_sequence_are_those_of_the_whole():
    sample = plan({"method": "sobol", "runs": 64, "seed": 5}, a="range:0:1", b="range:-1:0")
    whole = qmc.Sobol(2, rng=5, bits=32).random(64) + np.array([0, -1])
    for first, last in ((0, 64), (0, 1), (1, 2), (5, 5), (5, 33), (63, 64)):
        np.testing.assert_array_equal(sample.rows(first, last), whole[first:last])


def test_saltellis_design_exchanges_one_parameter_at_a_time():
    sample = plan({"method": "saltelli", "runs": 16 * 5, "seed": 2}, a="range:0:1", b="range:0:2", c="logrange:1:9")
    base = qmc.Sobol(6, rng=2, bits=32).random(16)
    first, second = (
        np.stack([half[:, 0], 2 * half[:, 1], 9 ** half[:, 2]], axis=1) for half in (base[:, :3], base[:, 3:])
    )
    rows = sample.rows(0, 80).reshape(16, 5, 3)
    np.testing.assert_allclose(rows[:, 0], first)
    np.testing.assert_allclose(rows[:, 4], second)
    for place in range(3):
        others = [other for other in range(3) if other != place]
        np.testing.assert_array_equal(rows[:, 1 + place, place], rows[:, 4, place])
        np.testing.assert_array_equal(rows[:, 1 + place][:, others], rows[:, 0][:, others])
    for begin, end in ((0, 0), (3, 3), (0, 1), (4, 6), (13, 41), (79, 80)):
        np.testing.assert_array_equal(sample.rows(begin, end), rows.reshape(80, 3)[begin:end])
    with pytest.raises(InvalidValueError, match=r"sampling.runs: saltelli needs 5 runs .* such as 160"):
        plan({"method": "saltelli", "runs": 162}, a="range:0:1", b="range:0:2", c=[1, 2])


def test_morris_changes_one_parameter_at_a_time():
    sample = plan({"method": "morris", "runs": 50 * 4, "seed": 2}, a="range:0:3", b="range:3:6", c=[7, 8])
    rows = sample.rows(0, 200)
    assert set(np.round(rows[:, 0])) == {0, 1, 2, 3}
    assert set(rows[:, 2]) == {7, 8}
    changed = np.diff(rows.reshape(50, 4, 3), axis=1) != 0
    assert (changed.sum(axis=1) == 1).all()
    assert (changed.sum(axis=2) == 1).all()
    np.testing.assert_array_equal(sample.rows(7, 133), rows[7:133])


def test_each_curve_of_fast_covers_every_parameter_evenly():
    rows = plan({"method": "fast", "runs": 2 * 200, "seed": 2}, a="range:0:4", b="range:10:14").rows(0, 400)
    for curve in (rows[:200], rows[200:]):
        for column, low in zip(curve.T, (0, 10), strict=True):
            assert np.histogram(column, 4, (low, low + 4))[0] == pytest.approx([50] * 4, abs=8)


@pytest.mark.parametrize(
    ("method", "runs", "reason"),
    [
        ("morris", 10, r"morris needs 4 runs .* such as 8"),
        ("morris", 4, "at least 8"),
        ("fast", 3 * 64, "fast needs 3 runs .* at least 195"),
        ("fast", 3 * 66 + 1, "such as 198"),
        ("latin_hypercube", 33_333_334, "at most 33333333 runs; sobol draws"),
        ("morris", 40_000_000, "at most 33333333 runs; sobol draws"),
        ("fast", 39_000_000, "at most 33333333 runs; sobol draws"),
    ],
)
def test_numbers_of_runs_that_do_not_fit(method, runs, reason):
    with pytest.raises(InvalidValueError, match=rf"sampling\.runs: .*{reason}"):
        plan({"method": method, "runs": runs}, a="range:0:1", b="range:0:2", c=[1, 2])


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "saltelli", "morris", "fast"])
def test_samples_need_a_number_of_runs(method):
    with pytest.raises(InvalidValueError, match="sampling.runs"):
        plan({"method": method}, a="range:0:1")
    with pytest.raises(InvalidValueError, match="needs parameters"):
        plan({"method": method, "runs": 3})


@pytest.mark.parametrize("method", ["grid", "zip"])
def test_ranges_are_for_samples(method):
    with pytest.raises(InvalidValueError, match="simulation_parameters.a: a range is for"):
        plan({"method": method}, a="range:0:1")


def test_there_are_no_other_runs():
    with pytest.raises(IndexError):
        plan(a=[1, 2]).rows(1, 3)
    with pytest.raises(IndexError):
        plan(a=[1, 2]).rows(-1, 1)


def test_a_latin_hypercube_that_no_memory_holds_is_refused():
    values = parse("range:0:1", "a", Path(), 0)
    with pytest.raises(InvalidValueError, match=r"sampling\.runs: .* at most 50000000 runs; sobol"):
        make_plan({"a": values, "b": values}, Sampling(method="latin_hypercube", runs=2**31))
