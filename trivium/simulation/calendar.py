"""Dates of simulation times: where ``testcase.toml`` says what date time 0 stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from trivium.errors import InvalidValueError, ResourcesError

_DAY = 86400.0
#: Distances between marks within a day [s], whole days, and months.
_WITHIN = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAYS = (1, 2, 5, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class Calendar:
    """The dates of a test case.

    Attributes
    ----------
    epoch : datetime
        Of time 0, with its offset from UTC.
    zone : tzinfo
        In which dates are shown and read.
    """

    epoch: datetime
    zone: tzinfo

    @property
    def zone_name(self) -> str:
        """Name of the time zone."""
        return str(self.zone)

    def date(self, seconds: float) -> datetime:
        """Return the date of a time [s].

        Raises
        ------
        OverflowError
            When it is beyond the years 1 to 9999.
        """
        return (self.epoch.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.zone)

    def seconds(self, date: datetime) -> float:
        """Return the time [s] of a date; one without a zone is in that of the calendar."""
        aware = date if date.tzinfo is not None else date.replace(tzinfo=self.zone)
        # in UTC: dates of one zone are subtracted by their clocks, which jump
        return (aware.astimezone(UTC) - self.epoch.astimezone(UTC)).total_seconds()

    def parse(self, text: str) -> float:
        """Return the time [s] of a date as people write it, such as 2020-07-20 or 2020-07-20 14:30.

        Raises
        ------
        InvalidValueError
            When it is no date.
        """
        for form in _FORMS:
            try:
                return self.seconds(datetime.strptime(text.strip(), form))
            except ValueError:
                continue
        raise InvalidValueError(
            f"{text!r} is no date such as {self.epoch:%Y-%m-%d} or {self.epoch:%Y-%m-%d} 14:30.", "date"
        )

    def text(self, seconds: float) -> str:
        """Return the date of a time [s] in words."""
        try:
            date = self.date(seconds)
        except OverflowError:
            return f"{seconds:g} s"
        return f"{date:%a} {date.day} {date:%b %Y %H:%M}" + (f":{date:%S}" if date.second else "")

    def marks(self, first: float, last: float, most: int = 6) -> dict[float, str]:
        """Return times [s] at round dates between two times, and how they are written.

        Parameters
        ----------
        first, last : float
            [s]
        most : int
            How many at most.
        """
        span = max(last - first, 1e-9)
        for apart in _WITHIN:
            if span / apart <= most and apart < _DAY:
                return self._within(first, last, apart)
        for days in _DAYS:
            if span / _DAY / days <= most:
                return self._days(first, last, days)
        months = next((each for each in _MONTHS if span / (30.4 * _DAY) / each <= most), 120)
        return self._months(first, last, months)

    def _within(self, first: float, last: float, apart: float) -> dict[float, str]:
        midnight = self.date(first).replace(hour=0, minute=0, second=0, microsecond=0)
        start = self.seconds(midnight)
        marks: dict[float, str] = {}
        at = start + math.ceil((first - start) / apart - 1e-9) * apart
        while at <= last + 1e-6:
            date = self.date(at)
            clock = f"{date:%H:%M}" if apart >= 60 else f"{date:%H:%M:%S}"
            marks[at] = f"{date.day} {date:%b} {clock}" if not marks or (date.hour, date.minute) == (0, 0) else clock
            at += apart
        return marks

    def _days(self, first: float, last: float, days: int) -> dict[float, str]:
        date = self.date(first).replace(hour=0, minute=0, second=0, microsecond=0)
        marks: dict[float, str] = {}
        while (at := self.seconds(date)) <= last + 1e-6:
            if at >= first - 1e-6:
                marks[at] = f"{date.day} {date:%b}" + ("" if marks else f" {date:%Y}")
                date += timedelta(days=days)
            else:
                date += timedelta(days=1)
        return marks

    def _months(self, first: float, last: float, months: int) -> dict[float, str]:
        begin = self.date(first)
        count = begin.year * 12 + begin.month - 1
        count = math.ceil(count / months) * months
        marks: dict[float, str] = {}
        while count < 9999 * 12:
            date = datetime(count // 12, count % 12 + 1, 1, tzinfo=self.zone)
            if (at := self.seconds(date)) > last + 1e-6:
                break
            if at >= first - 1e-6:
                marks[at] = f"{date:%b %Y}"
            count += months
        return marks


def read_calendar(toml: Mapping[str, Any]) -> Calendar | None:
    """Return the calendar that ``epoch`` and ``time_zone`` of a test case declare; None where it has none.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """
    epoch, name = toml.get("epoch"), toml.get("time_zone")
    if epoch is None:
        if name is not None:
            raise ResourcesError("testcase.toml: time_zone needs epoch, the date of time 0")
        return None
    if not isinstance(epoch, datetime):
        raise ResourcesError(
            f"testcase.toml: epoch must be the date and time of time 0, such as 2020-04-01T00:00:00-05:00, not {epoch}"
        )
    zone: tzinfo | None = epoch.tzinfo
    if name is not None:
        try:
            zone = ZoneInfo(name)
        except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise ResourcesError(
                f"testcase.toml: time_zone must be the name of a time zone, such as Europe/Berlin, not {name}"
            ) from error
    zone = zone or UTC
    return Calendar(epoch if epoch.tzinfo is not None else epoch.replace(tzinfo=zone), zone)
