"""Inputs that are set by hand: how they are shown, and what was written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trivium.dashboard.callbacks import done
from trivium.dashboard.context import Context
from trivium.dashboard.formatting import clock, scale
from trivium.dashboard.quantities import parse_quantity
from trivium.dashboard.readings import About, Reading
from trivium.errors import InvalidValueError
from trivium.protocol import Override

#: Steps of a slider.
_STEPS = 200


def rows(about: About, reading: Reading, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return inputs as `trivium.dashboard.controls.Hand` shows them.

    Parameters
    ----------
    about : About
    reading : Reading
    names : sequence of str
        Of inputs.
    """
    items, overrides = [], reading.overrides
    for name in names:
        shown = scale(about.units[name], plant=about.plant is not None)
        low, high = (None if bound is None else shown.convert(bound) for bound in about.bounds[name])
        value = overrides[name].value if name in overrides else reading.values.get(name, math.nan)
        span = None if low is None or high is None else high - low
        ends = [f"{bound:g}" for bound in (low, high) if bound is not None]
        items.append(
            {
                "name": name,
                "label": about.descriptions[name] or name,
                "unit": shown.unit,
                "value": "" if math.isnan(value) else f"{shown.convert(value):.6g}",
                "low": low if span else None,
                "high": high if span else None,
                "step": f"{span / _STEPS:.2g}" if span else "any",
                "bounds": f"{' to '.join(ends)} {shown.unit}".strip() if len(ends) == 2 else "no bounds",
                "hand": name in overrides,
                "note": _note(overrides[name]) if name in overrides else name,
            }
        )
    return items


def _note(override: Override) -> str:
    author = f" by {override.who}" if override.who else ""
    return f"set at {clock(override.since)}{author}" + (
        "" if override.until is None else f" until {clock(override.until)}"
    )


def change(context: Context, testid: str, asked: Mapping[str, Any]) -> None:
    """Set an input by hand, or release it, as the reader asked in a `Hand`.

    Raises
    ------
    InvalidValueError
        When that is no value for it.
    """
    about, name = context.readings.about(testid), str(asked["name"])
    if name not in about.inputs:
        raise InvalidValueError(f"The session has no input {name}.", name)
    label = about.descriptions[name] or name
    with context.readings.session(testid) as session:
        if asked.get("value") is None:
            session.release([name])
            context.readings.forget(testid)
            done(f"{label} is released.")
            return
        unit, plant = about.units[name], about.plant is not None
        number = parse_quantity(str(asked["value"]), label, unit, about.bounds[name], plant=plant)
        session.override({name: number})
    context.readings.forget(testid)
    done(f"{label} is {scale(unit, plant=plant).text(number)} from the next step on.")
