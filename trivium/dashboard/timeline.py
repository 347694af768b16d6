"""The chart of points over time: a panel a unit, calendar and seconds, one crosshair, events, limits.

Of each curve and column of pixels the least and the greatest value are drawn, so that no step is lost however long the
window. The server draws the window that is looked at; `trivium.dashboard.trend` is the browser's side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.control.palette import COLOURS, DASHES
from trivium.dashboard.charts import axis, blank, frame, thinned
from trivium.dashboard.formatting import Scale, clock, scale, seconds
from trivium.session.events import Event
from trivium.simulation.calendar import Calendar

#: Height of a panel, between panels, and of a row of a legend [px].
_PANEL, _GAP, _ROW = 190, 26, 20
#: Most stretches that are shaded, and events that are marked.
_MOST_STRETCHES, MOST_EVENTS = 300, 40
#: Width of an entry of a legend, as it is reckoned [px].
_ENTRY = 190
_SET_POINT = "#8a8f98"
_SHADE = "rgba(200, 60, 30, 0.16)"
_LETTERS = {
    "initialize": "start", "restore": "back", "fork": "fork", "snapshot": "snap", "scenario": "scen",
    "controller": "ctrl", "override": "hand", "failure": "fail",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A curve over time.

    Attributes
    ----------
    name, unit : str
    x, y : array of shape (k,)
        [s]; in the unit as it is declared.
    steps : bool
        Whether each value held since the one before.
    set_point : bool
        Whether it is drawn thin, beside what it is for.
    forecast : bool
        Whether it is drawn thin, as what is to come.
    colour, dash : int or None
        Which of the colours and dashes; by default its place.
    """

    name: str
    unit: str
    x: NDArray[Any]
    y: NDArray[Any]
    steps: bool = False
    set_point: bool = False
    forecast: bool = False
    colour: int | None = None
    dash: int | None = None


@dataclass(frozen=True)
class Limit:
    """A range that a point should keep, as the indicators count; in the unit of the point, None for an open end.

    Attributes
    ----------
    point : str
    low, high : array of shape (k,) or float or None
    """

    point: str
    low: Any
    high: Any


@dataclass(frozen=True)
class Band:
    """A range in which a point will be, so often; in the unit of the point.

    Attributes
    ----------
    point : str
    x, low, high : array of shape (k,)
        [s]
    """

    point: str
    x: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]


@dataclass(frozen=True)
class Scene:
    """What is drawn besides the curves.

    Attributes
    ----------
    start, end : float
        The window [s].
    width : int
        Of the drawing [px].
    plant : bool
        See `trivium.dashboard.formatting.scale`.
    calendar : Calendar or None
    events : sequence of Event
    limits : sequence of Limit
    bands : sequence of Band
        Around forecasts, the widest first.
    now : float or None
        Where the session stands, in a chart that goes on beyond it [s].
    """

    start: float
    end: float
    width: int = 1000
    plant: bool = True
    calendar: Calendar | None = None
    events: Sequence[Event] = ()
    limits: Sequence[Limit] = field(default=())
    bands: Sequence[Band] = ()
    now: float | None = None


def draw(lines: Sequence[Line], scene: Scene) -> dict[str, Any]:
    """Return the figure of curves over time."""
    if not any(line.x.size for line in lines):
        return blank("No values in this window yet.")
    units = list(dict.fromkeys(line.unit for line in lines))
    rows = [_legend_rows([line for line in lines if line.unit == unit], scene.width) for unit in units]
    below = 62
    heights = [_PANEL + _GAP + _ROW * count for count in rows]
    total = sum(heights)
    layout = frame(total + below)
    layout["margin"] = {"l": 66, "r": 14, "t": 0, "b": below}
    layout |= {"hovermode": "x unified", "hoversubplots": "axis", "showlegend": True, "dragmode": "zoom"}
    layout["hoverlabel"] = {"bgcolor": "rgba(30, 36, 44, 0.92)", "font": {"color": "#fff"}}
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    top = 1.0
    for place, unit in enumerate(units):
        key = "" if place == 0 else str(place + 1)
        high = top - (heights[place] - _PANEL) / total
        low = max(0.0, top - heights[place] / total)
        shown = scale(unit, plant=scene.plant)
        mine = [(number, line) for number, line in enumerate(lines) if line.unit == unit]
        drawn = [_curve(line, number, shown, key, scene) for number, line in mine]
        data += [*_bands(mine, scene, shown, key), *drawn]
        layout[f"yaxis{key}"] = {
            **axis(shown.unit), **_span([each["y"] for each in drawn]), "domain": [low, high], "anchor": "x",
            "fixedrange": True,
        }  # fmt: skip
        layout[f"legend{key}"] = {
            "orientation": "h", "x": 0, "xanchor": "left", "y": high, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)",
        }  # fmt: skip
        shapes += _shades([line for _, line in mine], scene, key)
        top -= heights[place] / total
    marks = _marks(scene)
    last = "y" if len(units) == 1 else f"y{len(units)}"
    layout["xaxis"] = {
        **axis(_title(scene)), **_ticks(scene), "anchor": last, "showspikes": True, "spikemode": "across",
        "spikesnap": "cursor", "spikethickness": 1, "spikedash": "solid", "spikecolor": "#888",
        "unifiedhovertitle": {"text": " "}, "uirevision": f"{scene.start}-{scene.end}",
    }  # fmt: skip
    layout["shapes"] = [*shapes, *(shape for shape, _ in marks)]
    if scene.now is not None:
        layout["shapes"].append(_upright(scene.now, "#7b8794", "solid"))
    layout["annotations"] = [text for _, text in marks]
    return {"data": data, "layout": layout}


def _legend_rows(lines: Sequence[Line], width: int) -> int:
    count = sum(not line.forecast for line in lines)
    return math.ceil(count * _ENTRY / max(width - 80, _ENTRY))


def _curve(line: Line, number: int, shown: Scale, key: str, scene: Scene) -> dict[str, Any]:
    x, y = thinned(line.x, line.y, scene.width)
    place = number if line.colour is None else line.colour
    dash = number if line.dash is None else line.dash
    style = {
        "color": _SET_POINT if line.set_point else COLOURS[place % len(COLOURS)],
        "dash": "solid" if line.set_point or line.forecast else DASHES[dash % len(DASHES)],
        "width": 1.2 if line.set_point or line.forecast else 1.8,
    }
    if line.steps:
        style["shape"] = "vh"  # a value in the results held since the row before
    return {
        "type": "scatter", "mode": "lines" if x.size > 1 else "markers", "name": line.name, "yaxis": f"y{key}",
        "legend": f"legend{key}", "showlegend": not line.forecast, "line": style,
        "x": x, "y": y * shown.factor + shown.offset,
        "hovertemplate": "%{y:.5g} " + shown.unit + "<extra>%{fullData.name}</extra>",
    }  # fmt: skip


def _bands(lines: Sequence[tuple[int, Line]], scene: Scene, shown: Scale, key: str) -> list[dict[str, Any]]:
    """Return the bands of the points of a panel, in the colours of their curves."""
    places = {line.name: number for number, line in lines}
    return [
        {
            "type": "scatter", "mode": "lines", "yaxis": f"y{key}", "fill": "toself", "hoverinfo": "skip",
            "x": np.concatenate([band.x, band.x[::-1]]),
            "y": np.concatenate([band.high, band.low[::-1]]) * shown.factor + shown.offset,
            "line": {"width": 0}, "fillcolor": COLOURS[places[band.point] % len(COLOURS)], "opacity": 0.16,
            "showlegend": False,
        }
        for band in scene.bands
        if band.point in places
    ]  # fmt: skip


def _span(values: Iterable[NDArray[Any]]) -> dict[str, Any]:
    """Return a range where values are all but the same: noise of the last digits is no signal."""
    every = np.concatenate([np.asarray(item, dtype=float) for item in values])
    finite = every[np.isfinite(every)]
    if not finite.size:
        return {}
    low, high = float(finite.min()), float(finite.max())
    around = 0.01 * max(abs(low), abs(high), 1e-9)
    return {"range": [low - around, high + around]} if high - low < around / 5 else {}


def outside(x: NDArray[Any], y: NDArray[Any], limit: Limit) -> list[tuple[float, float]]:
    """Return the stretches of time [s] in which a curve is outside its limit.

    A value stands for the time since the row before.
    """
    wrong = np.zeros(y.size, dtype=bool)
    if limit.high is not None:
        wrong |= y > limit.high
    if limit.low is not None:
        wrong |= y < limit.low
    changes = np.flatnonzero(np.diff(np.concatenate(([False], wrong, [False])).astype(np.int8)))
    return [
        (float(x[max(first - 1, 0)]), float(x[last - 1]))
        for first, last in zip(changes[::2], changes[1::2], strict=True)
    ]


def _shades(lines: Sequence[Line], scene: Scene, key: str) -> list[dict[str, Any]]:
    """Return rectangles over a panel where points are outside their limits, those of less than a pixel together."""
    pixel = (scene.end - scene.start) / max(scene.width, 1)
    shapes = []
    for limit in scene.limits:
        for line in lines:
            if line.name != limit.point:
                continue
            merged: list[list[float]] = []
            for first, last in outside(line.x, line.y, limit):
                if merged and first - merged[-1][1] < pixel:
                    merged[-1][1] = last
                else:
                    merged.append([first, last])
            shapes += [
                {
                    "type": "rect", "xref": "x", "yref": f"y{key} domain", "x0": first, "x1": max(last, first + pixel),
                    "y0": 0, "y1": 1, "fillcolor": _SHADE, "line": {"width": 0}, "layer": "below",
                }
                for first, last in merged[:_MOST_STRETCHES]
            ]  # fmt: skip
    return shapes


def in_window(events: Sequence[Event], start: float, end: float) -> list[Event]:
    """Return the events of a window [s], of many the newest."""
    return [event for event in events if start <= event.time <= end][-MOST_EVENTS:]


def _marks(scene: Scene) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return a line and a word for each event; words that would cover each other are left out."""
    made, free = [], -math.inf
    room = 44 * (scene.end - scene.start) / max(scene.width, 1)
    for event in in_window(scene.events, scene.start, scene.end):
        colour = "#c23b22" if event.kind == "failure" else "#7b8794"
        line = _upright(event.time, colour, "dot")
        word = _LETTERS.get(event.kind, event.kind) if event.time >= free else ""
        if word:
            free = event.time + room
        text = {
            "x": event.time, "xref": "x", "y": 0, "yref": "paper", "yanchor": "bottom", "text": word, "textangle": -90,
            "showarrow": False, "xshift": 7, "font": {"size": 10}, "hovertext": event.text,
        }  # fmt: skip
        made.append((line, text))
    return made


def _upright(at: float, colour: str, dash: str) -> dict[str, Any]:
    """Return a line through all panels at a time [s]."""
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": {"color": colour, "width": 1, "dash": dash},
    }  # fmt: skip


def _title(scene: Scene) -> str:
    return "days since time 0, and seconds" if scene.calendar is None else f"{scene.calendar.zone_name}, and seconds"


def _ticks(scene: Scene) -> dict[str, Any]:
    """Return marks of time: the date or the day, and below the seconds."""
    most = max(2, min(7, (scene.width - 80) // 130))
    if scene.calendar is not None:
        marks = scene.calendar.marks(scene.start, scene.end, most)
    else:
        marks = day_marks(scene.start, scene.end, most)
    if not marks:
        at = scene.start
        marks = {at: clock(at) if scene.calendar is None else scene.calendar.text(at)}
    return {
        "tickvals": list(marks),
        "ticktext": [f"{text}<br>{seconds(at)}" for at, text in marks.items()],
        "range": [scene.start, scene.end if scene.end > scene.start else scene.start + 1.0],
        "tickangle": 0,
    }


#: Distances between marks of time [s].
_TICKS = (
    *(unit * n for unit in (0.001, 0.01, 0.1, 1, 10) for n in (1, 2, 5)),
    60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200,
    *(86400 * n for n in (1, 2, 5, 10, 20, 50, 100)),
)  # fmt: skip


def day_marks(first: float, last: float, most: int) -> dict[float, str]:
    """Return times [s] at round days, hours and seconds between two times, and how they are written."""
    span = last - first or 1.0
    apart = next((spacing for spacing in _TICKS if span / spacing <= most), 2 * span)
    values = np.arange(math.ceil(first / apart) * apart, last + apart * 1e-6, apart)
    return {float(at): clock(float(at)) for at in values} or {first: clock(first)}


def shown(value: float, unit: str) -> str:
    """Return a value of a plant with its unit, as people read it."""
    return scale(unit, plant=True).text(value)


def sentence(lines: Sequence[Line], scene: Scene) -> str:
    """Return what the chart shows, for those who do not see it."""
    parts = []
    for line in lines:
        inside = line.y[(line.x >= scene.start) & (line.x <= scene.end)]
        finite = inside[np.isfinite(inside)]
        if finite.size and not line.set_point:
            units = scale(line.unit, plant=scene.plant)
            least, most, last = (units.text(float(each)) for each in (finite.min(), finite.max(), finite[-1]))
            parts.append(f"{line.name} from {least} to {most}, at the end {last}.")
    return " ".join(parts)


def limits_sentence(limits: Sequence[Limit], units: Mapping[str, str], *, plant: bool) -> str:
    """Return which limits are shaded."""
    parts = []
    for limit in limits:
        read = scale(units.get(limit.point, ""), plant=plant)
        ends = [None if end is None else np.unique(np.asarray(end, dtype=float)) for end in (limit.low, limit.high)]
        low, high = (None if end is None or end.size != 1 else read.text(float(end[0])) for end in ends)
        if low and high:
            parts.append(f"{limit.point} outside {low} to {high}")
        elif high:
            parts.append(f"{limit.point} above {high}")
        elif low:
            parts.append(f"{limit.point} below {low}")
        else:
            parts.append(f"{limit.point} off its set point")
    return f"Shaded, as the indicators count: {'; '.join(parts)}." if parts else ""
