"""Numbers, units and times as people read them."""

import math

import pytest

from trivium.dashboard import formatting


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 d 00:00"),
        (7_800_000, "90 d 06:40"),
        (86400 * 3 + 3600 * 23 + 59 * 60, "3 d 23:59"),
        (300.5, "0 d 00:05:00.5"),
        (61, "0 d 00:01:01"),
    ],
)
def test_clock(seconds, said):
    assert formatting.clock(seconds) == said


def test_temperatures_and_powers_of_the_plant_are_shown_in_the_units_of_people():
    assert formatting.scale("K", plant=True).text(287.15) == "14.0 °C"
    assert formatting.scale("W", plant=True).text(1_234_567.0) == "1\u202f234.6 kW"


def test_other_models_keep_their_units():
    assert formatting.scale("K", plant=False).text(287.15) == "287.1 K"
    assert formatting.scale("1", plant=False).text(0.25) == "0.25"
    assert formatting.scale("g", plant=True).text(2.0) == "2 g"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_no_number_is_told_as_such(value):
    assert formatting.scale("K", plant=True).text(value) == "–"


@pytest.mark.parametrize(
    ("name", "said"), [("85a66ad9c12f469e", "85a66ad9"), ("conv_9df68945ddc24ceb", "conv_9df68945"), ("abc", "abc")]
)
def test_ids_are_shortened_and_keep_their_kind(name, said):
    assert formatting.short(name) == said
