"""Dates of simulation times."""

from datetime import UTC, datetime

import pytest

from trivium.environment import ROOT
from trivium.errors import InvalidValueError, ResourcesError
from trivium.simulation.calendar import read_calendar
from trivium.simulation.resources import Resources

DAY = 86400.0


def declared(**keys):
    return read_calendar(keys)


def test_the_plant_begins_on_the_first_of_april():
    calendar = Resources.load(ROOT / "Resources").calendar
    assert calendar.text(0) == "Wed 1 Apr 2020 00:00"
    assert calendar.parse("2020-07-20") == 110 * DAY
    assert calendar.parse("2020-07-20 14:30") == 110 * DAY + 14.5 * 3600
    with pytest.raises(InvalidValueError, match="no date such as 2020-04-01"):
        calendar.parse("July")


def test_clocks_jump_and_simulation_time_does_not():
    calendar = declared(epoch=datetime(2024, 3, 31, tzinfo=None), time_zone="Europe/Berlin")
    assert calendar.text(3600) == "Sun 31 Mar 2024 01:00"
    assert calendar.text(7200) == "Sun 31 Mar 2024 03:00"
    assert calendar.seconds(calendar.date(12345.5)) == 12345.5
    assert calendar.parse("2024-04-01") == 23 * 3600


@pytest.mark.parametrize("span", [5, 600, 3600, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 120 * DAY, 334 * DAY, 4000 * DAY])
def test_marks_are_few_and_at_round_dates(span):
    calendar = declared(epoch=datetime(2020, 4, 1, tzinfo=UTC), time_zone="Asia/Kathmandu")
    marks = calendar.marks(7_800_000.0, 7_800_000.0 + span)
    assert 1 <= len(marks) <= 7
    for at in marks:
        date = calendar.date(at)
        assert (date.hour, date.minute, date.second) == (0, 0, 0) or span <= 3 * DAY
        assert date.day == 1 or span < 120 * DAY


@pytest.mark.parametrize(
    "keys",
    [
        {"epoch": "2020-04-01"},
        {"epoch": 5},
        {"time_zone": "Europe/Berlin"},
        {"epoch": datetime(2020, 4, 1, tzinfo=UTC), "time_zone": "Atlantis"},
        {"epoch": datetime(2020, 4, 1, tzinfo=UTC), "time_zone": 7},
        {"epoch": datetime(2020, 4, 1, tzinfo=UTC), "time_zone": "../../etc/passwd"},
    ],
)
def test_what_is_no_calendar_is_refused_by_name(keys):
    with pytest.raises(ResourcesError, match=r"testcase\.toml: (epoch|time_zone)"):
        declared(**keys)


def test_without_an_epoch_there_is_no_calendar():
    assert declared() is None
