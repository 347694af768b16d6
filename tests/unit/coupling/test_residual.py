"""The residual and its tolerance, element by element."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trivium.coupling.residual import Part, clip, element_weights, excesses, split, vanishing, weights


def excess(part, x, g):
    return excesses([part], np.asarray(x, float), np.asarray(g, float))[part.name]


def test_every_element_has_a_tolerance_of_its_own():
    part = Part("a", 3, absolute=0.5, relative=0.01)
    # 0.5 + 0.01 * 97 = 1.47 are allowed of the last, 0.52 of the second
    assert excess(part, [1.0, 2.0, 97.0], [1.0, 2.5, 100.0]) == pytest.approx(3.0 / 1.47)
    assert excess(part, [1.0, 2.0, 98.5], [1.0, 2.5, 98.5]) == pytest.approx(0.5 / 0.52)


def test_a_large_element_does_not_hide_a_small_one():
    assert excess(Part("a", 2), [1e9, 1e-6], [1e9, 1e-7]) == pytest.approx(9e-7 / 1e-11)
    x = np.array([[1e9, 1e-6], [2e9, 1e-7]])
    np.testing.assert_allclose(element_weights([Part("a", 2)], x), [0.5e-9, 0.05])  # not below rounding of the other


def test_a_scale_takes_the_place_of_the_magnitude():
    assert excess(Part("a", 1, relative=0.1, scale=10.0), [1000.0], [1002.0]) == pytest.approx(2.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_never_converges(bad):
    part = Part("a", 2, absolute=1e300, relative=1e300)
    assert excess(part, [0.0, bad], [0.0, 0.0]) == math.inf
    assert excess(part, [0.0, 0.0], [0.0, bad]) == math.inf
    assert excess(part, [0.0, bad], [0.0, bad]) == math.inf


def test_zero_at_the_fixed_point():
    assert excess(Part("a"), [0.0], [0.0]) == 0.0
    assert excess(Part("a"), [1e-300], [0.0]) == math.inf  # without absolute tolerance nothing but zero is zero
    assert excess(Part("a", absolute=1e-6), [1e-7], [0.0]) == pytest.approx(0.1)


def test_a_difference_beyond_all_numbers_is_no_error():
    assert excess(Part("a"), [-1e308], [1e308]) == math.inf


def test_variables_that_go_to_zero_get_a_scale():
    parts = [Part("a", 2), Part("b"), Part("c", scale=1.0), Part("d")]
    xs = [np.array([3.0, 5.0, 2.0, 1.0, 4.0]), np.array([1e-9, 5.0, 1.9, 1e-9, 1e-9])]
    assert vanishing(parts, xs, np.array([2.0, 2.0, 2.0, 2.0, 0.5])) == {"a": 5.0}


def test_every_part_has_its_own_tolerance_and_weight():
    parts = [Part("a", 2, relative=0.1), Part("b", 1, relative=0.001), Part("c", 1, scale=5.0)]
    x, g = np.array([1.0, 2.0, 100.0, 0.0]), np.array([1.0, 4.0, 101.0, 0.0])
    found = excesses(parts, x, g)
    assert list(found) == ["a", "b", "c"]
    assert found["a"] == pytest.approx(2.0 / 0.2)
    assert found["b"] == pytest.approx(1.0 / 0.1)
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
