"""Arrays as tables and back; units on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.coupling.connection import Link, as_array, as_frame
from trivium.coupling.spec import Connection
from trivium.errors import ComponentError
from trivium.model.variable import Variable

DIMS = {"sector": ("homes", "industry"), "year": (2020, 2030, 2040)}
DEMAND = Variable("demand", "PJ", dims=DIMS)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_a_table_comes_back_as_the_same_array_however_it_is_ordered(count, seed):
    rng = np.random.default_rng(seed)
    dims = {f"d{i}": tuple(f"{i}{j}" for j in range(rng.integers(1, 4))) for i in range(count)}
    variable = Variable("v", "1", dims=dims)
    value = rng.standard_normal(variable.shape)
    frame = as_frame(variable, value)
    shuffled = frame.sample(frac=1, random_state=seed % 1000)[rng.permutation(frame.columns)]
    assert as_array(variable, shuffled).tobytes() == np.ascontiguousarray(value).tobytes()


def test_what_is_missing_twice_or_unknown_is_named():
    frame = as_frame(DEMAND, np.arange(6.0).reshape(2, 3))
    with pytest.raises(ValueError, match=r"demand\[sector=homes, year=2040\] is missing"):
        as_array(DEMAND, frame.drop(index=2))
    with pytest.raises(ValueError, match=r"demand\[sector=homes, year=2020\] is there twice"):
        as_array(DEMAND, frame.iloc[[0, 0, 1, 2, 3, 4, 5]])
    with pytest.raises(ValueError, match="column year, row 5: demand has no 2050"):
        as_array(DEMAND, frame.replace({"year": {2040: 2050}}).iloc[[0, 1, 3, 4, 3, 5]])
    with pytest.raises(ValueError, match="the dimensions are sector, where demand has sector, year"):
        as_array(DEMAND, frame.drop(columns="year"))


def link(source, target, *transform, **others):
    spec = Connection.model_validate({"from": "a.x", "to": "b.x", "transform": list(transform)})
    from pathlib import Path

    return Link(spec, {"a.x": source, **others}, target, Path())


def test_units_are_converted():
    kwh = Variable("x", "kWh", dims=DIMS)
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(link(kwh, Variable("x", "MJ", dims=DIMS)).value({"a.x": value}), 3.6 * value)
    np.testing.assert_array_equal(link(kwh, Variable("x", "kWh", dims=DIMS)).value({"a.x": value}), value)


def test_axes_are_put_in_the_targets_order():
    turned = Variable("x", "PJ", dims=dict(reversed(DIMS.items())))
    value = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(link(DEMAND, turned).value({"a.x": value}), value.T)


def test_transforms_are_applied_and_their_errors_name_the_connection():
    total = Variable("x", "TJ", dims={"year": DIMS["year"]})
    value = np.arange(6.0).reshape(2, 3)
    found = link(DEMAND, total, {"kind": "aggregate", "over": ["sector"]}).value({"a.x": value})
    np.testing.assert_allclose(found, 1000 * value.sum(axis=0))
    with pytest.raises(ComponentError, match=r"a.x -> b.x: .*transform 0 \(aggregate\)"):
        link(DEMAND, total, {"kind": "aggregate", "over": ["fuel"]}).value({"a.x": value})
    with pytest.raises(ComponentError, match="a.x -> b.x: the dimensions are"):
        link(DEMAND, total).value({"a.x": value})
