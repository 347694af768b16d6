"""Methods of iteration against fixed points that are known, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.coupling.linear import iterate, linear
from trivium.coupling.acceleration import Method, following, mixing_of
from trivium.coupling.secants import differences, filtered

METHODS = ["constant", "aitken", "anderson", "iqn-ils"]
CONVERGING = {
    "one": [0.5],
    "turning": [-0.9],
    "several": [0.8, 0.3, -0.5, 0.1],
    "spiral": [(0.5, 0.6), 0.2],
    "slow": [0.97, 0.4, -0.3],
}


@pytest.mark.parametrize("case", CONVERGING)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_fixed_point_of_a_contraction(name, case):
    a, b, fixed = linear(CONVERGING[case])
    xs, _, ending = iterate(lambda x: a @ x + b, np.zeros(len(b)), Method(name), most=2000)
    assert ending == "converged"
    np.testing.assert_allclose(xs[-1], fixed, rtol=1e-7)


@pytest.mark.parametrize("eigenvalues", [[-1.5], [3.0], [-2.0, 0.5], [1.2, -1.7, 0.3], [(0.8, 1.1), -0.4]])
@pytest.mark.parametrize("name", ["anderson", "iqn-ils"])
def test_anderson_finds_fixed_points_that_repel(name, eigenvalues):
    a, b, fixed = linear(eigenvalues)
    xs, _, ending = iterate(lambda x: a @ x + b, np.zeros(len(b)), Method(name))
    assert ending == "converged"
    np.testing.assert_allclose(xs[-1], fixed, rtol=1e-7)


@pytest.mark.parametrize("name", ["anderson", "iqn-ils"])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_on_linear_maps_anderson_ends_after_as_many_steps_as_there_are_unknowns(name, n):
    """With as many columns as unknowns the fixed point is an affine combination of the iterates (Walker and Ni 2011)."""
    a, b, fixed = linear(np.linspace(-0.8, 0.9, n) if n > 1 else [0.9])
    xs, _, ending = iterate(lambda x: a @ x + b, np.zeros(n), Method(name, depth=n), relative=1e-9)
    assert ending == "converged"
    assert len(xs) <= n + 3
    np.testing.assert_allclose(xs[-1], fixed, rtol=1e-8)


def test_constant_damping_is_the_formula():
    a, b, _ = linear([0.5, -0.7])
    xs, gs, _ = iterate(lambda x: a @ x + b, np.ones(2), Method("constant", 0.2), most=20)
    for before, value, after in zip(xs, gs, xs[1:], strict=False):
        np.testing.assert_allclose(after, 0.2 * value + 0.8 * before, rtol=1e-14)


def test_aitken_is_the_secant_method_for_one_unknown():
    xs, _, ending = iterate(np.cos, [1.0], Method("aitken"))
    assert ending == "converged"
    secant = scipy.optimize.root_scalar(lambda x: np.cos(x) - x, x0=1.0, x1=float(np.cos(1.0)), method="secant")
    assert xs[-1][0] == pytest.approx(secant.root, rel=1e-9)
    assert abs(len(xs) - secant.function_calls) <= 1


def nonlinear(x):
    """Couple three unknowns, with a contraction towards one of the fixed points."""
    return np.array([np.cos(x[1]) * 0.8 + 0.1, np.sin(x[0]) + 0.2 * x[2], 0.5 * np.exp(-x[0] * x[1])])


@pytest.mark.parametrize("name", METHODS)
def test_a_nonlinear_map_ends_where_scipy_does(name):
    expected = scipy.optimize.anderson(lambda x: nonlinear(x) - x, np.full(3, 0.5), f_tol=1e-9)
    xs, _, ending = iterate(nonlinear, np.full(3, 0.5), Method(name))
    assert ending == "converged"
    np.testing.assert_allclose(xs[-1], expected, rtol=1e-7)


def test_a_step_of_anderson_is_the_least_squares_solution_of_lstsq():
    rng = np.random.default_rng(1)
    xs = list(rng.standard_normal((4, 6)))
    gs = list(rng.standard_normal((4, 6)))
    w = rng.uniform(0.1, 10.0, 6)
    found, mixing = following(Method("anderson", 0.7, depth=3), xs, gs, w)
    rs = [g - x for x, g in zip(xs, gs, strict=True)]
    dr = np.array([rs[-1] - r for r in rs[:-1]]).T  # other columns of the same space
    dx = np.array([xs[-1] - x for x in xs[:-1]]).T
    c, *_ = np.linalg.lstsq(w[:, None] * dr, w * rs[-1], rcond=None)
    np.testing.assert_allclose(found, xs[-1] + mixing * rs[-1] - (dx + mixing * dr) @ c, rtol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_units_do_not_matter(name):
    a, b, _ = linear([0.6, -0.4, 0.1])
    units = np.array([1e-6, 1.0, 1e9])
    plain, _, _ = iterate(lambda x: a @ x + b, np.ones(3), Method(name), most=6, apart=True)
    other, _, _ = iterate(lambda x: (a @ (x / units) + b) * units, units, Method(name), most=6, apart=True)
    np.testing.assert_allclose(np.array(other) / units, plain, rtol=1e-6)


def test_the_mixing_backs_off_when_the_residual_grows_and_comes_back():
    assert mixing_of(1.0, [1.0]) == 1.0
    assert mixing_of(1.0, [1.0, 2.0, 3.0]) == 0.25
    assert mixing_of(1.0, [1.0, 2.0, 3.0, 1.0, 0.5, 0.1]) == 1.0
    assert mixing_of(0.8, np.arange(1.0, 30.0)) == 0.8 / 16


def test_a_column_that_says_nothing_new_is_left_out():
    columns = np.array([[1.0, 2.0, 0.0], [0.0, 1e-9, 1.0], [1.0, 2.0, 0.0]])
    _, upper, kept = filtered(columns, 1e-6)
    assert kept == [0, 2]
    assert upper.shape == (2, 2)
    assert filtered(np.zeros((3, 2)), 1e-6)[2] == []


def test_the_depth_is_a_limit():
    a, b, _ = linear([0.9, -0.8, 0.7, 0.5])
    xs, gs, _ = iterate(lambda x: a @ x + b, np.zeros(4), Method("constant"), most=10)
    dx, _ = differences(xs, gs, np.ones(4), 2)
    assert dx.shape == (4, 2)
    np.testing.assert_allclose(dx[:, 0], xs[-1] - xs[-2])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(st.lists(st.floats(-0.95, 0.95), min_size=n, max_size=n), st.integers(0, 99))
    )
)
def test_contractions_of_any_kind_converge(drawn):
    eigenvalues, seed = drawn
    a, b, fixed = linear(eigenvalues, seed)
    xs, _, ending = iterate(lambda x: a @ x + b, np.zeros(len(b)), Method(), relative=1e-8)
    assert ending == "converged"
    np.testing.assert_allclose(xs[-1], fixed, rtol=1e-5, atol=1e-5 * np.abs(fixed).max())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 999))
def test_the_factors_are_orthonormal_and_make_the_columns_again(n, m, seed):
    columns = np.random.default_rng(seed).standard_normal((n, m))
    q, upper, kept = filtered(columns, 1e-8)
    np.testing.assert_allclose(q.T @ q, np.eye(len(kept)), atol=1e-12)
    np.testing.assert_allclose(q @ upper, columns[:, kept], atol=1e-12)
    assert len(kept) == min(n, m)
