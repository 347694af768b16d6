"""Clocks that do not drift, against exact fractions; times as clients send them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trivium.errors import InvalidValueError
from trivium.simulation.times import Clock, check_step, check_time, difference, plain


@given(
    step=st.one_of(
        st.builds(lambda n, digits: n / 10**digits, st.integers(1, 10**6), st.integers(0, 6)),
        st.builds(lambda n, parts: n / parts, st.integers(1, 100), st.integers(1, 100)),
    ),
    start=st.integers(-1000, 1000),
    done=st.integers(0, 10**5),
)
@example(step=1 / 11, start=64, done=0)  # 64.0909090909091 has no more digits than a float can hold
@example(step=1 + 1 / 99, start=-935, done=0)  # nor has 933.989898989899
def test_the_time_between_two_steps_is_the_step(step, start, done):
    first, second = Clock(float(start), step, done).times(1)
    assert difference(second, first) == step


def test_the_time_between_any_two_times_is_right():
    assert difference(0.7071067811865476, 0.1234567890123456) == pytest.approx(0.583649992174202, rel=1e-15)
    assert difference(1e9 + 1e-3, 1e9) == 1e-3


@given(st.integers(min_value=0, max_value=10**6))
def test_times_are_multiples_of_the_grid(k):
    assert check_time(300 * k, "t", 300.0) == 300.0 * k
    if k % 300:
        with pytest.raises(InvalidValueError, match=r"Value must be  0 or a multiple of 300 \."):
            check_time(k, "t", 300.0)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_grid_of_decimal_fractions_knows_its_multiples(k):
    assert check_time(float(f"{k}e-1"), "t", 0.1) == k / 10
    assert check_step(float(f"{k + 1}e-1"), 0.1) == (k + 1) / 10
    with pytest.raises(
        InvalidValueError, match=r"a multiple of 0.1 \. For example, valid values include 0, 0.1, 0.2, 0.3"
    ):
        check_time(float(f"{k}.05"), "t", 0.1)


@pytest.mark.parametrize("time", [0.01, 1e300, 1 / 3])
def test_without_a_grid_any_time_will_do(time):
    assert check_time(time, "t") == check_step(time) == time


@given(st.floats(max_value=0, exclude_max=True, allow_infinity=False))
def test_times_are_not_negative(time):
    with pytest.raises(InvalidValueError, match="Value must not be negative."):
        check_time(time, "t")


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        (0, "greater than 0"),
        (-0.0, "greater than 0"),
        (-300, "not be negative"),
        (math.nan, "finite"),
        (math.inf, "finite"),
    ],
)
@pytest.mark.parametrize("grid", [None, 300.0])
def test_steps_are_positive(step, rule, grid):
    with pytest.raises(InvalidValueError, match=f"Value must (be )?{rule}"):
        check_step(step, grid)


@pytest.mark.parametrize("step", [1e-9, 299, 300.5, 1e308 / 3])
def test_steps_are_multiples_of_the_grid(step):
    with pytest.raises(InvalidValueError, match=r"a multiple of 300\. .* valid values include 300, 600, 900, etc\.$"):
        check_step(step, 300.0)


@given(st.integers(0, 10**9), st.integers(1, 10**4), st.integers(0, 4), st.integers(0, 10**7))
def test_a_clock_stands_at_the_decimal_number_that_the_steps_add_up_to(anchor, step, digits, done):
    clock = Clock(anchor / 10**digits, step / 10**digits).after(done)
    exact = Fraction(anchor + step * done, 10**digits)
    assert clock.time == float(exact)
    now, then = clock.times(1)
    assert (now, then) == (float(exact), float(exact + Fraction(step, 10**digits)))
    assert difference(then, now) == step / 10**digits


@given(st.floats(1e-6, 1e6), st.floats(0, 1e8), st.integers(0, 10**9))
def test_a_clock_is_never_off_by_more_than_rounding(step, anchor, done):
    clock = Clock(anchor, step, done)
    exact = Fraction(anchor) + Fraction(step) * done
    assert abs(Fraction(clock.time) - exact) <= Fraction(2e-16) * (exact + Fraction(step) * done)


def test_a_new_step_counts_from_now():
    clock = Clock(0.0, 0.1).after(7).with_step(0.25)
    assert clock.times(2) == [0.7, 0.95, 1.2]
    assert clock.after(2).time == 1.2


def test_whole_times_are_shown_as_such():
    assert [repr(plain(time)) for time in (300.0, 0.5)] == ["300", "0.5"]
