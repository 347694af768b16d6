"""Metrics by expression: what they compute, and that they compute and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

import trivium.study
from trivium.errors import InvalidValueError
from trivium.study.expression import Expression
from trivium.study.prepare import prepare
from trivium.study.spec import load_study
from trivium.suggestions import did_you_mean

TIMES = np.array([0.0, 1.0, 2.0, 4.0])
COLUMNS = {
    "a": np.array([1.0, 3.0, 2.0, 5.0]), "sds.I[1]": np.array([10.0, 8.0, 9.0, 12.0]), "m.x[1,2]": np.ones(4),
    "der(a)": np.full(4, 0.5), "bz.I[1]": np.array([1.0, 1.0, 1.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("final(sds.I[1]) - first(sds.I[1])", 2.0),
        ("max(a) / min(a)", 5.0),
        ("mean(a)", 2.875),
        ("integral(a - 1)", 7.5),
        ("final(cumulative(a))", 11.5),
        ("when(sds.I[1] < 9)", 1.0),
        ("when(a > 100)", math.nan),
        ("when(2 < a < 4)", 1.0),
        ("when((a > 2) and not (a > 4))", 1.0),
        ("final(where(a > 4 or a < 2, a ** 2, -1))", 25.0),
        ("final(value('der(a)')) + first(m.x[1, 2])", 1.5),
        ("final(total('*.I?1?', 'sds*'))", 14.0),
        ("max(maximum(a, sds.I[1]) % 7)", 5.0),
        ("final(time) + sqrt(16) - abs(-1) + exp(0)", 8.0),
        ("1 / 0", math.inf),
        ("integral(1)", 4.0),
        ("9 ** 9 ** 9 ** 9", math.inf),
        ("final(a == 5) + final(a != 5) + final(a >= 5)", 2.0),
    ],
)
def test_what_they_compute(text, value):
    expression = Expression(text)
    names = expression.variables(COLUMNS, "field", did_you_mean)
    np.testing.assert_allclose(expression.evaluate(TIMES, {name: COLUMNS[name] for name in names}), value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("__import__('os').system('true')", "has no function __import__"),
        ("(lambda: 1)()", "has no function"),
        ("[x for x in a]", "may not hold"),
        ("a if a else 1", "may not hold"),
        ("final(a, a)", "final takes 1 argument"),
        ("where(a, 1)", "where takes 3 arguments"),
        ("final(a=1)", "has no function final"),
        ("'text'", "may not hold"),
        ("a[b]", "which is none"),
        ("final(a", "is no expression"),
        ("a; b", "is no expression"),
        ("total(a)", "total takes"),
        ("a @ a", "may not hold"),
        ("(" * 4990 + "1" + ")" * 4990, "nested|no expression"),
        ("1" * 10_001, "at most 10000"),
        ("9" * 400, "too large"),
        ("1e999", "too large"),
        ("a.__class__.__mro__", None),
    ],
)
def test_they_compute_and_nothing_else(text, reason):
    if reason is None:  # a name as any other, which no model has
        with pytest.raises(InvalidValueError, match="there is no variable"):
            Expression(text).variables(COLUMNS, "field", did_you_mean)
        return
    with pytest.raises(ValueError, match=reason):
        Expression(text)


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ({"expression": "final(xy)"}, r"metrics.m.expression: there is no variable xy"),
        ({"expression": "final(total('q*'))"}, "no variable matches 'q"),
        ({"expression": "x - y"}, "must be one number: take first, final"),
        ({"expression": "eval(x)"}, "has no function eval"),
        ({"expression": "final(x)", "variable": "x"}, "a variable and a method, or an expression alone"),
        ({"method": "final"}, "a variable and a method, or an expression alone"),
    ],
)
def test_what_is_wrong_is_named(write_study, unpacked, tmp_path, metric, said):
    with pytest.raises(InvalidValueError, match=said):
        prepare(load_study(write_study(metrics={"m": metric})), tmp_path, unpacked)


def test_in_a_study_with_limits(write_study, run_here):
    metrics = {
        "drop": {"expression": "first(x) - final(x)", "warn": 0.85, "stop": 0.97},
        "twice": {"expression": "2 * max(y) - max(total('y'))"},
    }
    path = write_study(simulation={"variableFilter": "x"}, metrics=metrics, simulation_parameters={"tau": [5, 10, 20]})
    with trivium.study.open(run_here(path)) as results:
        assert results.status.tolist() == [2, 1, 1]  # 0.98, 0.86, 0.63
        assert "drop is 0.98" in results.failures[0]
        assert "beyond metrics.drop.stop, 0.97" in results.failures[0]
        assert np.isfinite(results.failed().trajectories("x")).all()
        frame = results.frame()
        np.testing.assert_allclose(frame["drop"], 1 - np.exp(-20 / np.array([10, 20])), rtol=1e-9)
        (warning,) = results.warnings()
        assert warning.startswith("drop is beyond 0.85 in 1 runs, at most in run 1, where it is 0.86")
