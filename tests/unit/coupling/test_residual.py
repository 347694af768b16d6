"""The scaled residual."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trivium.coupling.residual import Part, clip, excess, excesses, split, weights


def test_the_largest_element_over_the_tolerance_counts():
    part = Part("a", 3, absolute=0.5, relative=0.01)
    # 0.5 + 0.01 * 100 = 1.5 are allowed
    assert excess(part, np.array([1.0, 2.0, 97.0]), np.array([1.0, 2.5, 100.0])) == pytest.approx(2.0)
    assert excess(part, np.array([1.0, 2.0, 98.5]), np.array([1.0, 2.5, 100.0])) == pytest.approx(1.0)


def test_a_scale_takes_the_place_of_the_magnitude():
    assert excess(Part("a", 1, relative=0.1, scale=10.0), np.array([1000.0]), np.array([1002.0])) == pytest.approx(2.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_never_converges(bad):
    part = Part("a", 2, absolute=1e300, relative=1e300)
    assert excess(part, np.array([0.0, bad]), np.zeros(2)) == math.inf
    assert excess(part, np.zeros(2), np.array([0.0, bad])) == math.inf
    assert excess(part, np.array([0.0, bad]), np.array([0.0, bad])) == math.inf


def test_zero_at_the_fixed_point():
    part = Part("a")
    assert excess(part, np.zeros(1), np.zeros(1)) == 0.0
    assert (
        excess(part, np.full(1, 1e-300), np.zeros(1)) == math.inf
    )  # without absolute tolerance nothing but zero is zero
    assert excess(Part("a", absolute=1e-6), np.full(1, 1e-7), np.zeros(1)) == pytest.approx(0.1)


def test_a_difference_beyond_all_numbers_is_no_error():
    assert excess(Part("a"), np.array([-1e308]), np.array([1e308])) == math.inf


def test_every_part_has_its_own_tolerance_and_weight():
    parts = [Part("a", 2, relative=0.1), Part("b", 1, relative=0.001), Part("c", 1, scale=5.0)]
    x, g = np.array([1.0, 2.0, 100.0, 0.0]), np.array([1.0, 4.0, 101.0, 0.0])
    found = excesses(parts, x, g)
    assert list(found) == ["a", "b", "c"]
    assert found["a"] == pytest.approx(2.0 / 0.4)
    assert found["b"] == pytest.approx(1.0 / 0.101)
    np.testing.assert_allclose(weights(parts, x, g), [1 / 4, 1 / 4, 1 / 101, 1 / 5])
    np.testing.assert_allclose(weights([Part("a")], np.zeros(1), np.zeros(1)), [1.0])
    assert [part.tolist() for part in split(parts, x)] == [[1, 2], [100], [0]]


def test_bounds_are_those_of_each_part():
    parts = [Part("a", 2, lower=0.0), Part("b", 1, upper=1.0)]
    assert clip(parts, np.array([-1.0, 5.0, 3.0])).tolist() == [0.0, 5.0, 1.0]


def test_nothing_to_iterate_is_allowed():
    assert excesses([], np.zeros(0), np.zeros(0)) == {}
    assert weights([], np.zeros(0), np.zeros(0)).shape == (0,)
    assert clip([], np.zeros(0)).shape == (0,)
