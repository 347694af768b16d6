"""Values as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from trivium.dashboard.quantities import parse_quantity, parse_time, within
from trivium.errors import InvalidValueError
from trivium.simulation.calendar import Calendar

SUPPLY = (278.15, 293.15)


@pytest.mark.parametrize(
    ("text", "kelvin"),
    [
        ("16", 289.15), ("16 °C", 289.15), ("289,15", 289.15), ("289.15 K", 289.15), ("289.15", 289.15),
        ("16,0°C", 289.15), (" 60.8 °F ", 289.15), ("16 degC", 289.15), ("1.6e1", 289.15), ("20 °C", 293.15),
    ],
)  # fmt: skip
def test_temperatures(text, kelvin):
    assert parse_quantity(text, "T", "K", SUPPLY, plant=True) == pytest.approx(kelvin, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "unit", "bounds", "value"),
    [
        ("12", "W", (0, 1e6), 12_000.0), ("12 kW", "W", (0, 1e6), 12_000.0), ("1 200 W", "W", (0, 1e6), 1200.0),
        ("36 m3/h", "m3/s", (0, 1), 0.01), ("0,25 m³/s", "m3/s", (0, 1), 0.25), ("50 %", "1", (0, 1), 0.5),
        ("1,600.5", "rpm", (0, 2000), 1600.5), ("-3", "1", (None, None), -3.0), (".5", "1", (0, 1), 0.5),
    ],
)  # fmt: skip
def test_other_units(text, unit, bounds, value):
    assert parse_quantity(text, "x", unit, bounds, plant=True) == pytest.approx(value)


def test_another_model_is_in_its_own_units():
    assert parse_quantity("289.15", "T", "K", (None, None), plant=False) == 289.15
    assert parse_quantity("16 °C", "T", "K", (None, None), plant=False) == pytest.approx(289.15)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("40", r"from 5 to 20 °C \(from 278.15 to 293.15 K\), not 40.0 °C"),
        ("300 K", "not 26.9 °C"),
        ("warm", "must be a number, such as 12.5 °C"),
        ("", "must be a number"),
        ("16 kW", "is in °C, which 'kW' is not"),
        ("16 nonsense", "which 'nonsense' is not"),
        ("1,600", "may be 1.600 or 1600"),
        ("1.2.3", "must be a number"),
    ],
)
def test_refusals_name_the_bounds_as_they_are_shown(text, reason):
    with pytest.raises(InvalidValueError, match=reason):
        parse_quantity(text, "T", "K", SUPPLY, plant=True)


def test_bounds_in_words():
    assert within((0.0, None), "rpm", plant=True) == "at least 0 rpm"
    assert within((None, 1.0), "1", plant=False) == "at most 1"
    assert within((None, None), "1", plant=False) == "any number"


ZONE = timezone(timedelta(hours=-5))
CALENDAR = Calendar(datetime(2020, 4, 1, tzinfo=ZONE), ZONE)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (" 7800000 ", 7_800_000.0), ("9\u202f504\u202f000 s", 9_504_000.0), ("1e5", 100_000.0), ("-5", -5.0), ("1e-1", 0.1),
        ("110 d", 9_504_000.0), ("day 110", 9_504_000.0), ("110d 06:30", 9_527_400.0), ("2 days", 172_800.0),
        ("2020-07-20", 9_504_000.0), ("2020-07-20 06:30", 9_527_400.0),
    ],
)  # fmt: skip
def test_times(text, seconds):
    assert parse_time(text, "Start", CALENDAR) == seconds


@pytest.mark.parametrize(
    ("text", "calendar", "reason"),
    [
        ("July", CALENDAR, "a date such as 2020-04-01 14:30, days such as 1 d 14:30, or seconds, not 'July'"),
        ("2020-13-45", CALENDAR, "is no date such as"),
        ("2020-07-20", None, "Start must be days such as 1 d 14:30, or seconds"),
        ("", CALENDAR, "Start must be"),
        ("inf", CALENDAR, "must be finite"),
    ],
)
def test_a_time_that_is_refused_says_how_to_write_one(text, calendar, reason):
    with pytest.raises(InvalidValueError, match=reason):
        parse_time(text, "Start", calendar)


def test_a_time_past_the_end_is_refused_with_the_end():
    with pytest.raises(InvalidValueError, match=r"before the end of the test case: Mon 20 Jul 2020 00:00, 110 d 00:00"):
        parse_time("2025-07-20", "Start", CALENDAR, 9_504_000.0)
