"""Numbers, units and times as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

DAY = 86400.0


class Scale(NamedTuple):
    """How values of a unit are shown: ``value * factor + offset``, in another unit, with so many decimals."""

    factor: float
    offset: float
    unit: str
    decimals: int | None

    def convert(self, value: float) -> float:
        """Return a value as it is shown."""
        return value * self.factor + self.offset

    def text(self, value: float | str | None) -> str:
        """Return a value with its unit."""
        if isinstance(value, str):
            return value
        if value is None or not math.isfinite(value):
            return "–"
        shown = self.convert(value)
        digits = f"{shown:.4g}" if self.decimals is None else grouped(f"{shown:,.{self.decimals}f}")
        return f"{digits} {self.unit}".rstrip()


#: Units of plants, and what people read instead.
_PLANT = {
    "K": Scale(1, -273.15, "°C", 1),
    "W": Scale(1e-3, 0, "kW", 1),
    "1": Scale(1, 0, "", 2),
    "m3/s": Scale(1, 0, "m³/s", 3),
    "kg/s": Scale(1, 0, "kg/s", 1),
    "m": Scale(1, 0, "m", 1),
    "rpm": Scale(1, 0, "rpm", 0),
}


def scale(unit: str, *, plant: bool) -> Scale:
    """Return how a unit is shown: of a plant in °C and kW, of any other model as it is declared."""
    declared = Scale(1, 0, "" if unit == "1" else unit, None)
    return _PLANT.get(unit, declared) if plant else declared


def clock(seconds: float) -> str:
    """Return a time of a simulation as days, hours and minutes, seconds only where there are any."""
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{days:.0f} d {hours:02.0f}:{minutes:02.0f}"
    return text if rest < 1e-6 else f"{text}:{rest:06.3f}".rstrip("0").rstrip(".")


def seconds(value: float) -> str:
    """Return a time in seconds, digits in groups."""
    return grouped(f"{value:,.6f}".rstrip("0").rstrip(".")) + " s"


def both(value: float) -> str:
    """Return a time of a simulation as a clock and in seconds."""
    return f"{clock(value)} ({seconds(value)})"


def size(count: float) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 90:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / DAY:.1f} d"


def moment(when: float | None) -> str:
    """Return a time of the real world, seconds since 1970, in the server's time zone."""
    if when is None:
        return "–"
    return datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def figure(value: float | int | str | bool | None, digits: int = 5) -> str:
    """Return a figure of a result: so many digits that tell something, those before the point in groups."""
    if value is None or value != value:
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or value == 0.0:
        return grouped(f"{value:,.0f}")
    before = math.floor(math.log10(abs(value))) + 1 if math.isfinite(value) else 0
    if not -3 <= before <= 15:
        return f"{value:.{digits}g}"
    text = f"{value:,.{max(0, digits - before)}f}"
    return grouped(text.rstrip("0").rstrip(".") if "." in text else text)


def grouped(text: str) -> str:
    """Return a number with thin spaces between its groups of digits, in place of commas."""
    return text.replace(",", "\u202f")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short(name: str) -> str:
    """Return the beginning of an id that is long enough to be unique; its kind, as in ``conv_``, stays."""
    kind, mark, rest = name.rpartition("_")
    return f"{kind}{mark}{rest[:8]}"
