"""The contract of a component: what its variables take, and what its outputs must be."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.errors import ComponentError
from trivium.experiment.contract import Experiment, checked_outputs
from trivium.model.variable import Variable

DEMAND = Variable(
    "demand", "PJ", dims={"sector": ("homes", "industry"), "year": (2020, 2030, 2040)}, minimum=0.0, maximum=100.0
)


def test_a_value_has_the_shape_of_the_dimensions_in_order():
    assert DEMAND.shape == (2, 3)
    assert DEMAND.size == 6
    assert Variable("price").shape == ()


def test_a_scalar_fills_an_array_and_the_result_is_a_copy():
    assert DEMAND.check(7).tolist() == [[7.0] * 3] * 2
    given = np.ones((2, 3))
    found = DEMAND.check(given)
    given[0, 0] = 5.0
    assert found[0, 0] == 1.0
    assert found.dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1e-9, 100.1])
def test_the_element_that_is_wrong_is_named(bad):
    value = np.ones((2, 3))
    value[1, 2] = bad
    with pytest.raises(ValueError, match=r"demand\[sector=industry, year=2040\] is"):
        DEMAND.check(value)


def test_bounds_themselves_are_allowed():
    assert DEMAND.check([[0, 100, 0], [1, 2, 3]])[0, 1] == 100.0


@pytest.mark.parametrize("bad", [[1, 2], np.ones((3, 2)), np.ones((1, 2, 3))])
def test_a_wrong_shape_is_told_with_the_right_one(bad):
    with pytest.raises(ValueError, match=r"\[2, 3\] is meant"):
        DEMAND.check(bad)


@pytest.mark.parametrize("bad", ["many", None, {"a": 1}, [[1, 2], [3]]])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="demand"):
        DEMAND.check(bad)


class Two(Experiment):
    name = "two"
    inputs = ()
    outputs = (Variable("a"), Variable("b", minimum=0.0))
    fingerprint = ""

    def evaluate(self, values, folder):
        return {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": 1.0}, "did not answer its output b"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "answered c, which is none"),
        ({"a": np.nan, "b": 1.0}, "two: its output a is nan"),
        ({"a": 1.0, "b": -1.0}, "below its lower bound 0"),
    ],
)
def test_outputs_are_checked(given, said):
    with pytest.raises(ComponentError, match=said):
        checked_outputs(Two(), given)
    assert checked_outputs(Two(), {"a": 1, "b": 2})["b"].shape == ()
