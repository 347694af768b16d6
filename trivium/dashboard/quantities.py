"""Values and times as people write them: with a point or a comma, with a unit or without one; as dates and as days."""

from __future__ import annotations

import re

import numpy as np

from trivium.coupling import units
from trivium.dashboard.formatting import DAY, Scale, both, scale
from trivium.errors import InvalidValueError
from trivium.numbers import finite
from trivium.simulation.calendar import Calendar

_WRITTEN = re.compile(r"\s*(?P<number>[+-]?(?:\d[\d\s\u202f.,]*|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s].*)?$")
#: A comma that may stand before decimals or between thousands.
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
#: How people write units, and how pint reads them.
_SPELLINGS = {"°C": "degC", "°F": "degF", "°K": "K", "C": "degC", "%": "percent", "³": "**3", "²": "**2"}
_POWER = re.compile(r"(?<=[A-Za-z])(\d)")
#: A time as pages show it: days, and perhaps hours and minutes.
_DAYS = re.compile(r"(?:day\s*(\d+)|(\d+)\s*d(?:ays?)?)(?:\s+(\d{1,2}):(\d{2}))?", re.IGNORECASE)


def parse_quantity(text: str, name: str, unit: str, bounds: tuple[float | None, float | None], *, plant: bool) -> float:
    """Return a value in the unit of its variable.

    A number without a unit is in the unit that pages show; where only the declared unit brings it within the bounds, in
    that: 16 and 289.15 are the same temperature.

    Parameters
    ----------
    text : str
        Such as ``16``, ``16 °C``, ``289,15`` or ``289.15 K``.
    name : str
        Of the variable, for errors.
    unit : str
        That the model declares.
    bounds : tuple of (float or None, float or None)
        Least and greatest value [unit].
    plant : bool
        See `trivium.dashboard.formatting.scale`.

    Raises
    ------
    InvalidValueError
        When it is no number, has a unit of another kind, or is out of its bounds, which the error has as they are
        shown.
    """
    written, shown = _WRITTEN.match(text), scale(unit, plant=plant)
    if written is None:
        raise InvalidValueError(f"{name} must be a number, such as {_example(bounds, shown)}, not {text!r}.", name)
    number = _number(written["number"], name)
    if written["unit"] is None:
        candidates = [(number - shown.offset) / shown.factor, number]
        value = next((each for each in candidates if _within(each, bounds)), candidates[0])
    else:
        value = _converted(number, written["unit"].strip(), unit, shown, name)
    if not _within(value, bounds):
        raise InvalidValueError(f"{name} must be {within(bounds, unit, plant=plant)}, not {shown.text(value)}.", name)
    low, high = bounds
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def parse_time(text: str | None, name: str, calendar: Calendar | None, last: float | None = None) -> float:
    """Return a time of a simulation [s].

    Parameters
    ----------
    text : str or None
        Seconds, days such as ``110 d`` or ``110 d 14:30``, or a date such as ``2020-07-20 14:30``.
    name : str
        What the time is of, for errors.
    calendar : Calendar or None
        Of the test case; without one there are no dates.
    last : float or None
        Before which the time must be [s].

    Raises
    ------
    InvalidValueError
        When it is none of these, or too late.
    """
    value = _time((text or "").strip(), name, calendar)
    if last is not None and value >= last:
        date = "" if calendar is None else f"{calendar.text(last)}, "
        raise InvalidValueError(f"{name} must be before the end of the test case: {date}{both(last)}.", name.lower())
    return value


def _time(written: str, name: str, calendar: Calendar | None) -> float:
    if found := _DAYS.fullmatch(written):
        day, days, hours, minutes = found.groups()
        return int(day or days) * DAY + int(hours or 0) * 3600 + int(minutes or 0) * 60
    try:
        return finite(float(re.sub(r"[\s\u202f]|s$", "", written)), name)
    except ValueError:
        pass
    if calendar is not None and "-" in written:
        return calendar.parse(written)
    dates = "" if calendar is None else f"a date such as {calendar.epoch:%Y-%m-%d} 14:30, "
    raise InvalidValueError(f"{name} must be {dates}days such as 1 d 14:30, or seconds, not {written!r}.", name.lower())


def within(bounds: tuple[float | None, float | None], unit: str, *, plant: bool) -> str:
    """Return bounds in words, in the unit that is shown and in the declared one."""
    shown = scale(unit, plant=plant)
    first = _range(bounds, shown)
    declared = Scale(1, 0, "" if unit == "1" else unit, None)
    return first if shown.unit == declared.unit else f"{first} ({_range(bounds, declared)})"


def _range(bounds: tuple[float | None, float | None], shown: Scale) -> str:
    low, high = (None if bound is None else _digits(shown.convert(bound)) for bound in bounds)
    if low is None and high is None:
        return f"any number of {shown.unit}" if shown.unit else "any number"
    if high is None:
        return f"at least {low} {shown.unit}".rstrip()
    if low is None:
        return f"at most {high} {shown.unit}".rstrip()
    return f"from {low} to {high} {shown.unit}".rstrip()


def _digits(value: float) -> str:
    return f"{round(value, 9):.10g}"


def _example(bounds: tuple[float | None, float | None], shown: Scale) -> str:
    limits = [bound for bound in bounds if bound is not None]
    return f"{_digits(shown.convert(sum(limits) / len(limits) if limits else 1.0))} {shown.unit}".rstrip()


def _within(value: float, bounds: tuple[float | None, float | None]) -> bool:
    low, high = bounds
    slack = 1e-9 * max(abs(value), 1.0)  # 20 °C is not beyond 293.15 K by a rounding
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)


def _number(text: str, name: str) -> float:
    compact = re.sub(r"[\s\u202f]", "", text)
    if _AMBIGUOUS.fullmatch(compact):
        raise InvalidValueError(
            f"{name}: {text} may be {compact.replace(',', '.')} or {compact.replace(',', '')}; write one of them.", name
        )
    if compact.count(",") == 1 and "." not in compact:
        compact = compact.replace(",", ".")
    try:
        return float(compact.replace(",", ""))
    except ValueError:
        raise InvalidValueError(f"{name} must be a number, not {text!r}.", name) from None


def _converted(number: float, written: str, unit: str, shown: Scale, name: str) -> float:
    if written == unit:
        return number
    if written == shown.unit:
        return (number - shown.offset) / shown.factor
    try:
        return float(units.convert(np.array([number]), _spelt(written), _spelt(unit))[0])
    except InvalidValueError as error:
        raise InvalidValueError(f"{name} is in {shown.unit or unit}, which {written!r} is not.", name) from error


def _spelt(unit: str) -> str:
    for sign, word in _SPELLINGS.items():
        unit = word if unit == sign else unit.replace(sign, word) if len(sign) == 1 and not sign.isalpha() else unit
    return _POWER.sub(r"**\1", unit)
