"""Sobol indices of runs that are no design: by a polynomial chaos expansion, which knows its own error.

The metric is fitted by polynomials of the parameters that are orthonormal in the parameters' own samples (arbitrary
polynomial chaos: Oladyshkin and Nowak, Reliability Engineering & System Safety 106 (2012) 179-190). The variance of
such a sum is the sum of the squares of its coefficients, and each belongs to the parameters that are in its polynomial
(Sudret, ibid. 93 (2008) 964-979).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from trivium.model.contract import FloatArray

#: Highest degree, most polynomials, and least number of runs for each of them.
_DEGREE, _TERMS, _RUNS_PER_TERM = 10, 400, 2
#: Runs that are drawn anew to see how much the indices depend on which there are.
_RESAMPLES = 50
_SEED = 1
#: What keeps equations of a sample with too few different runs solvable, relative to the squares of the polynomials.
_RIDGE = 1e-9


@dataclass(frozen=True)
class Expansion:
    """Indices by the expansion of the degree that predicts best.

    Attributes
    ----------
    degree : int
        Of the polynomials, of all parameters together.
    terms : int
        Number of polynomials.
    predicted : float
        Share of the variance that the expansion predicts of a run that it was not fitted to (leave-one-out Q2): at
        most 1, below 0 where the mean predicts better.
    first, total : Mapping[str, tuple of float]
        By parameter: index, half of its 95 % confidence interval by a bootstrap over the runs.
    """

    degree: int
    terms: int
    predicted: float
    first: Mapping[str, tuple[float, float]]
    total: Mapping[str, tuple[float, float]]


def expand(parameters: Mapping[str, FloatArray], metric: FloatArray) -> Expansion | None:
    """Fit the expansion and return its indices; None where there are too few runs for the lowest degree.

    Parameters
    ----------
    parameters : Mapping[str, FloatArray]
        Independent of each other, each of shape (k,) with at least two values.
    metric : FloatArray, shape (k,)
        Finite, not all the same.
    """
    names, count = list(parameters), metric.size
    values = (metric - metric.mean()) / metric.std()
    columns = [_orthonormal(parameters[name]) for name in names]
    best: tuple[float, int, NDArray[np.intp], FloatArray] | None = None
    for degree in range(1, _DEGREE + 1):
        if comb(len(names) + degree, degree) > min(_TERMS, count / _RUNS_PER_TERM):
            break
        powers = np.array([each for each in _powers(len(names), degree) if _exist(each, columns)], dtype=np.intp)
        table = _table(columns, powers)
        predicted = _leave_one_out(table, values)
        if best is None or predicted > best[0]:
            best = (predicted, degree, powers, table)
    if best is None:
        return None
    predicted, degree, powers, table = best
    first, total = _shares(_fit(table, values, np.ones(count)), powers)
    random = np.random.default_rng(_SEED)
    each = [
        _shares(_fit(table, values, random.multinomial(count, np.full(count, 1 / count))), powers)
        for _ in range(_RESAMPLES)
    ]
    spread = 1.96 * np.std(each, axis=0)
    return Expansion(
        degree,
        len(powers),
        predicted,
        {name: (float(first[k]), float(spread[0, k])) for k, name in enumerate(names)},
        {name: (float(total[k]), float(spread[1, k])) for k, name in enumerate(names)},
    )


def _orthonormal(values: FloatArray) -> FloatArray:
    """Return polynomials of one parameter, of degree 0 and growing, orthonormal in its sample; shape (k, m)."""
    low, high = values.min(), values.max()
    degree = min(_DEGREE, np.unique(values).size - 1)
    basis = legendre.legvander(2 * (values - low) / (high - low) - 1, degree)
    orthonormal: FloatArray = np.linalg.qr(basis)[0] * np.sqrt(values.size)
    return orthonormal


def _powers(count: int, degree: int) -> Iterator[tuple[int, ...]]:
    """Yield the degrees of each parameter in each polynomial whose degrees sum to at most ``degree``."""
    for chosen in itertools.combinations_with_replacement(range(count + 1), degree):
        yield tuple(chosen.count(place) for place in range(count))


def _exist(powers: tuple[int, ...], columns: list[FloatArray]) -> bool:
    return all(power < column.shape[1] for power, column in zip(powers, columns, strict=True))


def _table(columns: list[FloatArray], powers: NDArray[np.intp]) -> FloatArray:
    """Return the values of the polynomials, shape (k, n)."""
    table = np.ones((columns[0].shape[0], len(powers)))
    for place, column in enumerate(columns):
        table *= column[:, powers[:, place]]
    return table


def _leave_one_out(table: FloatArray, values: FloatArray) -> float:
    """Return the share of the variance that is predicted of runs that the fit leaves out, one at a time."""
    orthogonal, _ = np.linalg.qr(table)
    leverage = np.minimum((orthogonal**2).sum(axis=1), 1 - 1e-9)
    errors = (values - orthogonal @ (orthogonal.T @ values)) / (1 - leverage)
    return 1 - float((errors**2).mean() / values.var())


def _fit(table: FloatArray, values: FloatArray, weights: NDArray[np.generic]) -> FloatArray:
    weighted = table * np.asarray(weights, dtype=np.float64)[:, None]
    # near the identity times the number of runs, since the polynomials are orthonormal; the rest is for a sample of few
    gram = weighted.T @ table + _RIDGE * weights.sum() * np.eye(table.shape[1])
    coefficients: FloatArray = np.linalg.solve(gram, weighted.T @ values)
    return coefficients


def _shares(coefficients: FloatArray, powers: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Return the first and the total order of each parameter, shape (p,)."""
    squares = np.where((powers > 0).any(axis=1), coefficients**2, 0.0)
    alone = (powers > 0) & ((powers > 0).sum(axis=1) == 1)[:, None]
    return squares @ alone / squares.sum(), squares @ (powers > 0) / squares.sum()
