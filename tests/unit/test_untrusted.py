"""Bytes that somebody else may have written: readers refuse them as they document, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing import NAMES
from tests.untrusted import FMI2, FMI3, Reader, describe, readers
from trivium.session import frames

READERS = readers()


def test_every_reader_is_fuzzed():
    assert sorted(READERS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_readers_start_from_is_accepted(name):
    for seed in READERS[name].seeds:
        READERS[name].read(seed)


@st.composite
def damaged(draw: Any, reader: Reader) -> bytes:
    """Return a seed of which bytes are changed, removed, repeated or put in."""
    data = bytearray(draw(st.sampled_from(reader.seeds)))
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        match draw(st.sampled_from(("change", "remove", "repeat", "put in"))):
            case "change" if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "remove":
                del data[at:end]
            case "repeat":
                data[at:at] = data[at:end]
            case _:
                data[at:at] = draw(
                    st.one_of(st.binary(max_size=8), st.sampled_from([b"nan", b"-1", b"\xff" * 8, b"1e999"]))
                )
    return bytes(data)


@pytest.mark.parametrize(("name", "count"), [("description", 150), ("frame", 500), ("journal", 500)])
def test_a_damaged_one_is_refused_as_is_documented(name, count):
    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damaged(READERS[name]))
    def check(data: bytes) -> None:
        READERS[name].read(data)

    check()


@pytest.mark.parametrize(
    "document",
    [
        FMI2.replace(b'encoding="UTF-8"', b'encoding="UTF-0"'),
        FMI2.replace(b'derivative="2"', b'derivative="x"'),
        FMI2.replace(b'valueReference="1"', b'valueReference="-1"'),
        FMI2.replace(b'min="0"', b'min="none"'),
        FMI3.replace(b'<Dimension valueReference="1"/>', b""),
        FMI3.replace(b'start="2"', b'start="1e999"'),
        FMI3.replace(b'start="2"', b'start="99999999999"'),
        b"",
        b"\0" * 100,
    ],
    ids=range(9),
)
def test_model_descriptions_that_fuzzing_found_or_might(document):
    describe(document)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff\xff\xff{}",
        frames.pack({"arrays": [], "restored": ""}),
        frames.pack({"arrays": [["O", [1]]], "restored": ""}, [b"null", b"12345678"]),  # objects: pointers
        frames.pack_value(1.0)[:-1],
        frames.pack_value(1.0) + b"x",
        frames.pack_value({"a": 1}).replace(b'"a"', b'"\\u0000"'),
    ],
)
def test_a_damaged_frame_is_named(data):
    with pytest.raises(frames.FrameError, match="a frame cannot be read"):
        frames.unpack_value(data)
