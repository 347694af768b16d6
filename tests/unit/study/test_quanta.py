import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.errors import ModelError
from trivium.study.quanta import decode, encode

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=50), st.floats(1e-3, 1e3))
def test_the_error_is_never_larger_than_stated(values, error):
    column = np.array(values)[:, np.newaxis]
    back = decode(encode(column, 2 * error), 2 * error, axis=0)
    assert np.abs(back - column).max() <= error * (1 + 1e-9)


def test_differences_may_wrap_around():
    column = np.array([[2.0**31 - 1], [-(2.0**31)], [5.0]])
    np.testing.assert_array_equal(decode(encode(column, 1.0), 1.0, axis=0), column)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="absolute_error is too small"):
        encode(np.array([[2.0**31]]), 1.0)
