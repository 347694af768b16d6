"""Finite numbers, and numbers as clients send them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import InvalidValueError
from trivium.model.variable import Variable, parse_input
from trivium.numbers import finite, parse_count, parse_number, parse_window_end, whole, window_end


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_pass_also_as_strings(number):
    assert parse_number(number, "x") == number
    assert parse_number(repr(number), "x") == number
    assert finite(number, "x") == finite(np.float64(number), "x") == number


@pytest.mark.parametrize("value", ["1", "x", None, True, [1], math.nan, -math.inf, 10**400, b"1"])
def test_text_and_infinity_are_no_finite_numbers(value):
    for check in (finite, whole):
        with pytest.raises(
            InvalidValueError, match="for parameter field_name. Value must be (a number|finite)"
        ) as caught:
            check(value, "field_name")
        assert caught.value.field == "field_name"


def test_whole_numbers_begin_with_one():
    assert whole(3.0, "n") == whole(np.int64(3), "n") == parse_count("3", "n") == 3
    for value in (0, -1, 1.5):
        with pytest.raises(InvalidValueError, match="a whole number of at least 1"):
            whole(value, "n")


@given(st.integers(min_value=-(2**1000), max_value=2**1000))
def test_integers_pass(number):
    assert parse_number(number, "x") == float(number)


@given(
    st.sampled_from(
        [math.nan, math.inf, -math.inf, "nan", "inf", "-Infinity", 10**400, "1e999", True, False, None, b"1"]
    )
    | st.text().filter(lambda text: not _is_number(text))
    | st.lists(st.integers())
)
def test_anything_else_is_refused_and_the_field_named(value):
    with pytest.raises(InvalidValueError, match="parameter field_name") as caught:
        parse_number(value, "field_name")
    assert caught.value.field == "field_name"
    assert caught.value.status == 400
    assert len(str(caught.value)) < 400


def _is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_inputs_keep_their_bounds(value):
    variable = Variable("x", unit="K", minimum=270.0, maximum=300.0)
    if 270 <= value <= 300:
        assert parse_input(value, variable) == value
    else:
        bound = "below the minimum 270.0" if value < 270 else "above the maximum 300.0"
        with pytest.raises(InvalidValueError, match=bound):
            parse_input(value, variable)


def test_switches_take_no_fractions():
    switch = Variable("on", kind="boolean", minimum=0.0, maximum=1.0)
    assert parse_input("1", switch) == 1.0
    with pytest.raises(InvalidValueError, match="on"):
        parse_input(0.5, switch)


@pytest.mark.parametrize(("value", "position"), [(True, 1.0), (False, 0.0), ("true", 1.0), ("False", 0.0), (1, 1.0), ("0", 0.0)])  # fmt: skip
def test_switches_take_booleans_and_their_words(value, position):
    assert parse_input(value, Variable("on", kind="boolean", minimum=0.0, maximum=1.0)) == position


@pytest.mark.parametrize("kind", ["real", "integer"])
@pytest.mark.parametrize("value", [True, "true"])
def test_other_inputs_take_no_booleans(kind, value):
    with pytest.raises(InvalidValueError, match="parameter n. Value must be a float"):
        parse_input(value, Variable("n", kind=kind))


def test_counts_take_whole_numbers_only():
    assert parse_input("-7", Variable("n", kind="integer")) == -7.0
    with pytest.raises(InvalidValueError, match="between two integers"):
        parse_input(7.5, Variable("n", kind="integer"))


@pytest.mark.parametrize("value", [math.inf, "inf", "Infinity", "-inf", "-Infinity", " -INF "])
def test_a_window_may_have_no_end(value):
    end = parse_window_end(value, "final_time")
    assert end == float(value)
    assert window_end(end, "final_time") == end


@pytest.mark.parametrize("value", [math.nan, "nan", True, None, "soon", [1], 10**400])
def test_a_window_has_an_end_that_is_a_number(value):
    with pytest.raises(InvalidValueError, match="parameter final_time"):
        parse_window_end(value, "final_time")
    with pytest.raises(InvalidValueError, match="parameter final_time"):
        window_end(value, "final_time")


def test_booleans_are_values_of_what_is_on_or_off():
    valve, switch = Variable("valve", minimum=0.0, maximum=1.0), Variable("switch", kind="boolean")
    assert [parse_input(value, valve) for value in (True, False, 0.5)] == [1.0, 0.0, 0.5]
    assert [parse_input(value, switch) for value in (True, False, "true", 1)] == [1.0, 0.0, 1.0, 1.0]
    for variable, value in (
        (valve, "true"),
        (Variable("speed"), True),
        (Variable("n", minimum=0.0, maximum=3.0), True),
    ):
        with pytest.raises(InvalidValueError, match=variable.name):
            parse_input(value, variable)
