import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import ModelError
from trivium.study.quanta import END, decode, encode

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=50), st.floats(1e-3, 1e3))
def test_the_error_is_never_larger_than_stated(values, error):
    column = np.array(values)[:, np.newaxis]
    back = decode(encode(column, 2 * error), 2 * error, axis=0)
    assert np.abs(back - column).max() <= error * (1 + 1e-9)


def test_the_greatest_differences():
    column = np.array([[2.0**30 - 1], [1 - 2.0**30], [5.0]])
    np.testing.assert_array_equal(decode(encode(column, 1.0), 1.0, axis=0), column)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="absolute_error is too small"):
        encode(np.array([[2.0**30]]), 1.0)


def test_a_trajectory_that_ends_early():
    coded = encode(np.array([[3.0, 1.0], [4.0, 1.0], [5.0, 1.0], [6.0, 1.0]]), 1.0)
    coded[2, 0] = coded[0, 1] = END
    values = decode(coded, 1.0, axis=0)
    np.testing.assert_array_equal(values, [[3, np.nan], [4, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
