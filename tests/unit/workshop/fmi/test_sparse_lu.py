"""The symbolic factorisation, run through by an interpreter of its tables, against NumPy's dense solver."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.fmi.sparse_lu import factorise


def solve(symbolic, values, diagonal, right):
    """Do with the tables what lu.c does."""
    lu = np.zeros(len(symbolic.column))
    np.add.at(lu, list(symbolic.from_matrix), values)
    lu[list(symbolic.diagonal)] += diagonal
    target = iter(symbolic.target)
    n = len(symbolic.diagonal)
    for i in range(n):
        for a in range(symbolic.row[i], symbolic.diagonal[i]):
            k = symbolic.column[a]
            lu[a] /= lu[symbolic.diagonal[k]]
            for b in range(symbolic.diagonal[k] + 1, symbolic.row[k + 1]):
                lu[next(target)] -= lu[a] * lu[b]
    assert next(target, None) is None
    lower, upper = np.eye(n), np.zeros((n, n))
    for i in range(n):
        for a in range(symbolic.row[i], symbolic.row[i + 1]):
            (lower if a < symbolic.diagonal[i] else upper)[i, symbolic.column[a]] = lu[a]
    result = np.empty(n)
    result[list(symbolic.order)] = np.linalg.solve(upper, np.linalg.solve(lower, right[list(symbolic.order)]))
    return result


@given(n=st.integers(1, 25), density=st.floats(0.0, 0.5), seed=st.integers(0, 2**32 - 1))
def test_factors_solve_like_a_dense_solver(n, density, seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random((n, n)) < density)
    values = rng.normal(size=len(rows))
    matrix = np.zeros((n, n))
    matrix[rows, columns] = values
    diagonal = 2.0 * n
    right = rng.normal(size=n)
    symbolic = factorise(n, rows.tolist(), columns.tolist())
    expected = np.linalg.solve(matrix + diagonal * np.eye(n), right)
    assert solve(symbolic, values, diagonal, right) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_an_arrow_matrix_gets_no_fill_in():
    n = 30
    rows = [0] * n + list(range(1, n))
    columns = [*range(n), *([0] * (n - 1))]
    symbolic = factorise(n, rows, columns)
    assert len(symbolic.column) == 3 * n - 2, "the hub must be eliminated last"
    assert symbolic.order[-1] in (0, n - 1)
