"""Errors that cross a socket, whatever they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trivium.errors import BusyError, InvalidValueError, TriviumError
from trivium.session.frames import pack_error, pack_value, unpack_value


class _WordlessError(TriviumError):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def _odd(value) -> InvalidValueError:
    error = InvalidValueError("wrong", "field")
    error.odd = value
    return error


def _endless() -> list:
    value: list = []
    value.append(value)
    return value


def test_an_error_arrives_as_it_was():
    with pytest.raises(BusyError, match="full") as caught:
        unpack_value(pack_error(BusyError("full", 5, 2)))
    assert (caught.value.retry_after, caught.value.position) == (5, 2)


@pytest.mark.parametrize("value", [object(), {1j: 2}, {(1, 2): 3}, b"\xff", np.arange(3), math.nan, {"\udfff"},
                                   "\udfff", {"\ud800": ["\udfff"]}])  # fmt: skip
def test_an_error_with_odd_attributes_arrives(value):
    for data in (pack_error(_odd(value)), pack_error(InvalidValueError(f"wrong: \udfff {value!r}", "\udfff"))):
        with pytest.raises(InvalidValueError, match="wrong") as caught:
            unpack_value(data)
        assert isinstance(caught.value.field, str)
    nested, _ = unpack_value(pack_value([_odd(value)]))
    assert isinstance(nested[0], InvalidValueError)


@pytest.mark.parametrize("error", [_odd(_endless()), _WordlessError()])
def test_an_error_that_cannot_be_sent_arrives_as_one(error):
    with pytest.raises(TriviumError, match="cannot be sent"):
        unpack_value(pack_error(error))
