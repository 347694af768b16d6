"""Indices by polynomial chaos, against those that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.study.report.polynomials import expand
from trivium.study.report.response import cut
from trivium.study.report.sensitivity import indices


def ishigami(count, seed=1):
    random = np.random.default_rng(seed)
    a, b, c = random.uniform(-np.pi, np.pi, (3, count))
    return {"a": a, "b": b, "c": c}, np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def exact():
    """Ishigami and Homma (1990), with a = 7 and b = 0.1."""
    alone_a, alone_b, both = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 7**2 / 8, 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = alone_a + alone_b + both
    first = {"a": alone_a / whole, "b": alone_b / whole, "c": 0.0}
    return first, {"a": (alone_a + both) / whole, "b": alone_b / whole, "c": both / whole}


def test_ishigamis_function():
    found = expand(*ishigami(1000))
    first, total = exact()
    assert found.predicted > 0.99
    for name in "abc":
        assert found.first[name][0] == pytest.approx(first[name], abs=0.03)
        assert found.total[name][0] == pytest.approx(total[name], abs=0.03)
        assert 0 <= found.total[name][1] < 0.15


def test_the_error_says_what_the_expansion_does_not_know():
    """New runs of the function are predicted about as well as the expansion says of those that it knows."""
    random = np.random.default_rng(5)
    parameters = {"a": random.random(300), "b": random.random(300)}
    noise = random.normal(size=300)
    signal = parameters["a"] + parameters["b"] ** 2
    metric = signal + noise * signal.std() / noise.std()
    assert expand(parameters, metric).predicted == pytest.approx(0.5, abs=0.1)
    assert expand(parameters, noise).predicted < 0.05


def test_parameters_of_few_values():
    """A product of two parameters with levels: shares of variance by hand."""
    random = np.random.default_rng(2)
    a, b = random.choice([0.0, 1.0], 500), random.choice([1.0, 2.0, 3.0], 500)
    found = expand({"a": a, "b": b, "idle": random.choice([4.0, 9.0], 500)}, a * b)
    assert found.predicted == pytest.approx(1.0, abs=1e-9)
    # var(E[ab|a]) = 4 / 4, var(E[ab|b]) = (1/4) (2/3), var(ab) = E[a] E[b^2] - 1 = 14/6 - 1
    assert found.first["a"][0] == pytest.approx(1 / (4 / 3), abs=0.05)
    assert found.first["b"][0] == pytest.approx((1 / 6) / (4 / 3), abs=0.05)
    assert found.total["idle"][0] == pytest.approx(0.0, abs=1e-12)


def test_too_few_runs():
    assert expand({"a": np.arange(3.0), "b": np.array([1.0, 0.0, 2.0])}, np.array([1.0, 2.0, 4.0])) is None


def reported(parameters, metric):
    axes = {name: cut(values, ()) for name, values in parameters.items()}
    count = metric.size
    return indices(parameters, axes, metric, np.arange(count), "random", list(parameters), count, list(parameters))


def test_a_report_has_them_where_they_predict_and_others_where_not():
    parameters, metric = ishigami(1000)
    found = reported(parameters, metric)
    assert "polynomial chaos from 1000 runs" in found.method
    assert found.total["c"][0] > 0.2 > found.first["c"][0]
    steps = np.where(np.sin(40 * parameters["a"]) > 0, 1.0, 0.0)
    rough = reported(parameters, steps)
    assert "RBD-FAST" in rough.method
    assert "Polynomials predict only" in rough.method
    assert not rough.total
