"""How iterations end, on maps of which it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.coupling.linear import iterate, linear, sizes
from trivium.coupling.acceleration import Method
from trivium.coupling.ending import Ending, contraction_rate, exhausted, hopeless, remaining, spectral_radius

PLAIN = Method("constant", 1.0)


@pytest.mark.parametrize(
    ("eigenvalues", "ending"),
    [
        ([0.5], "converged"),
        ([-0.95, 0.3], "converged"),
        ([-1.0], "oscillating"),
        ([-1.0, 0.5, 0.2], "oscillating"),
        ([(0.0, 1.0)], "oscillating"),
        ([(-0.5, math.sqrt(0.75))], "oscillating"),
        ([(math.cos(1), math.sin(1))], "oscillating"),
        ([1.5], "diverged"),
        ([-1.5], "diverged"),
        ([1.02], "diverged"),
        ([(0.8, 0.9)], "diverged"),
    ],
)
def test_the_undamped_iteration_of_a_linear_map_ends_as_its_spectrum_says(eigenvalues, ending):
    a, b, _ = linear(eigenvalues)
    assert iterate(lambda x: a @ x + b, np.zeros(len(b)), PLAIN, most=600)[2] == ending


@pytest.mark.parametrize("name", ["constant", "aitken", "anderson", "iqn-ils"])
def test_a_map_without_a_fixed_point_drifts(name):
    assert iterate(lambda x: x + 1.0, [0.0], Method(name), relative=1e-10)[2] == "drifting"


def test_an_orbit_of_period_three_oscillates():
    """The logistic map at r = 3.83 has a stable orbit of period three."""
    assert iterate(lambda x: 3.83 * x * (1 - x), [0.156], PLAIN)[2] == "oscillating"


def test_what_overflows_diverges():
    assert iterate(lambda x: x**3 + 10.0, [10.0], PLAIN)[2] == "diverged"


@pytest.mark.parametrize("name", ["constant", "aitken", "anderson", "iqn-ils"])
def test_slow_progress_is_no_stall(name):
    a, b, _ = linear([0.99, 0.98])
    assert iterate(lambda x: a @ x + b, np.zeros(2), Method(name, 0.2), most=60)[2] in (
        "out of iterations",
        "converged",
    )


def test_growth_at_the_last_iteration_is_divergence():
    a, b, _ = linear([1.1])
    assert iterate(lambda x: a @ x + b, np.zeros(1), PLAIN, most=8)[2] == "diverged"


def test_rate_and_prediction_of_a_linear_map():
    a, b, _ = linear([0.5, 0.1])
    xs, gs, _ = iterate(lambda x: a @ x + b, np.zeros(2), PLAIN, relative=1e-12)
    rate = contraction_rate(sizes(xs[:10], gs[:10], np.ones(2)))
    assert rate == pytest.approx(0.5, rel=1e-3)
    assert remaining(1024.0, 0.5) == 10
    assert remaining(1.0, 0.5) == 0
    assert remaining(2.0, 1.0) is None
    assert remaining(math.inf, 0.5) is None
    assert remaining(2.0, None) is None
    assert contraction_rate([1.0]) is None
    assert contraction_rate([1.0, 0.0]) == 0.0


@pytest.mark.parametrize("method", [PLAIN, Method("constant", 0.3), Method()])
@pytest.mark.parametrize("eigenvalues", [[0.5], [-0.8, 0.3], [(0.3, 0.6), 0.1], [1.3, -0.2]])
def test_the_spectral_radius_is_estimated_whatever_the_method(eigenvalues, method):
    a, b, _ = linear(eigenvalues)
    xs, gs, _ = iterate(lambda x: a @ x + b, np.zeros(len(b)), method, most=6, relative=1e-6)
    expected = np.abs(np.linalg.eigvals(a)).max()
    assert spectral_radius(xs, gs, np.ones(len(b))) == pytest.approx(expected, rel=1e-2)
    assert spectral_radius(xs[:1], gs[:1], np.ones(len(b))) is None


def residuals(norms):
    """Return iterates of one number whose residuals have these norms."""
    return [np.zeros(1) for _ in norms], [np.array([norm]) for norm in norms], np.ones(1)


@pytest.mark.parametrize(
    ("norms", "ending"),
    [
        ([1.0, 1e6], None),  # a sudden residual may be a million times the least
        ([1.0, 1.0001e6], Ending.DIVERGED),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 10.0], None),  # it grew five times, and is no more than ten times its least
        ([1.0, 2.0, 3.0, 4.0, 5.0, 10.01], Ending.DIVERGED),
        ([1.0, 2.0, 3.0, 5.0, 10.01], None),  # it grew four times
        ([1.0, 2.0, 2.0, 3.0, 5.0, 10.01], None),  # once it did not grow
        ([1.0, math.inf], Ending.DIVERGED),
        ([1.0, math.nan], Ending.DIVERGED),
    ],
)
def test_a_residual_diverges_beyond_its_bounds_only(norms, ending):
    assert hopeless(*residuals(norms), patience=20) is ending


def test_an_iteration_may_stand_still_as_long_as_the_patience():
    assert hopeless(*residuals([1.0, 1.0, 1.0]), patience=3) is None
    assert hopeless(*residuals([1.0, 1.0, 1.0, 1.0]), patience=3) is Ending.DRIFTING
    assert hopeless(*residuals([1.0, 1.0, 1.0, 0.9989]), patience=3) is None
    assert hopeless(*residuals([1.0, -1.0, 1.0, -1.0]), patience=3) is Ending.OSCILLATING


def test_iterations_that_are_used_up_have_diverged_where_the_residual_grew_five_times():
    assert exhausted(*residuals([1.0, 1.1, 1.2, 1.3, 1.4, 1.5])) is Ending.DIVERGED
    assert exhausted(*residuals([1.0, 1.1, 1.1, 1.3, 1.4, 1.5])) is Ending.OUT_OF_ITERATIONS
    assert exhausted(*residuals([1.0, 1.1, 1.2, 1.3, 1.4])) is Ending.OUT_OF_ITERATIONS


def test_there_is_no_rate_of_a_residual_that_is_no_number():
    assert contraction_rate([4.0, 2.0, math.inf]) is None
    assert contraction_rate([4.0, 2.0, 1.0]) == pytest.approx(0.5)
    assert contraction_rate([0.0, 1.0]) is None
    assert contraction_rate([1.0]) is None
