"""Numbers as clients send them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adcc.core.numbers import parse_input, parse_number, parse_step, parse_time
from adcc.core.variables import Variable
from adcc.errors import InvalidValueError


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_pass_also_as_strings(number):
    assert parse_number(number, "x") == number
    assert parse_number(repr(number), "x") == number


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


@given(st.integers(min_value=0, max_value=10**6))
def test_times_are_multiples_of_300(k):
    assert parse_time(300 * k, "t") == 300.0 * k
    if k % 300:
        with pytest.raises(InvalidValueError, match=r"Value must be  0 or a multiple of 300 \."):
            parse_time(k, "t")


@given(st.floats(max_value=0, exclude_max=True, allow_infinity=False))
def test_times_are_not_negative(time):
    with pytest.raises(InvalidValueError, match="Value must not be negative."):
        parse_time(time, "t")


@pytest.mark.parametrize("step", [0, -0.0, -300, 1e-9, 299, 300.5, math.nan, math.inf])
def test_steps_are_positive_multiples(step):
    with pytest.raises(InvalidValueError):
        parse_step(step)


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
