"""The integrator's coefficients against the order conditions of Rosenbrock methods."""

import numpy as np
import pytest

from workshop.fmi.rosenbrock import RODAS4P


@pytest.fixture
def tableau():
    """alpha, gamma (matrices) and the weights b, b_hat of the untransformed method (Hairer and Wanner, IV.7)."""
    a, c = RODAS4P.matrices()
    gamma = np.linalg.inv(np.eye(RODAS4P.stages) / RODAS4P.gamma - c)
    m = a[-1].copy()
    m[-1] = 1.0
    return a @ gamma, gamma, m @ gamma, a[-1] @ gamma


def test_diagonal_and_row_sums_are_those_stated(tableau):
    alpha, gamma, _, _ = tableau
    assert np.diag(gamma) == pytest.approx([RODAS4P.gamma] * RODAS4P.stages)
    assert np.triu(gamma, 1) == pytest.approx(0.0)
    assert alpha.sum(axis=1) == pytest.approx(RODAS4P.alpha, abs=1e-13)
    assert gamma.sum(axis=1) == pytest.approx(RODAS4P.gamma_sum, abs=1e-13)


def conditions(alpha, gamma, b):
    """Left sides minus right sides of the order conditions, order by order."""
    beta = alpha + gamma
    a1, b1 = alpha.sum(axis=1), beta.sum(axis=1)
    return {
        1: [b.sum() - 1],
        2: [b @ b1 - 1 / 2],
        3: [b @ a1**2 - 1 / 3, b @ beta @ b1 - 1 / 6],
        4: [
            b @ a1**3 - 1 / 4,
            b @ (a1 * (alpha @ b1)) - 1 / 8,
            b @ beta @ a1**2 - 1 / 12,
            b @ beta @ beta @ b1 - 1 / 24,
        ],
    }


def test_order_four_with_an_embedded_third_order(tableau):
    alpha, gamma, b, b_hat = tableau
    for order, residuals in conditions(alpha, gamma, b).items():
        assert residuals == pytest.approx([0.0] * len(residuals), abs=1e-12), order
    embedded = conditions(alpha, gamma, b_hat)
    for order in (1, 2, 3):
        assert embedded[order] == pytest.approx([0.0] * len(embedded[order]), abs=1e-12), order
    assert max(map(abs, embedded[4])) > 1e-3, "no error estimate when both have order four"


def stability(alpha, gamma, b, z):
    """Stability function R(z) = 1 + z b (I - z beta)^-1 1."""
    n = len(b)
    return 1 + z * b @ np.linalg.solve(np.eye(n) - z * (alpha + gamma), np.ones(n))


def test_l_stability(tableau):
    alpha, gamma, b, b_hat = tableau
    for weights in (b, b_hat):
        assert abs(stability(alpha, gamma, weights, -1e12)) < 1e-6
    for y in np.logspace(-3, 6, 200):
        assert abs(stability(alpha, gamma, b, 1j * y)) <= 1 + 1e-12
