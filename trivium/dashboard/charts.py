"""Charts; their colours of text and grid are the style sheet's, so that they follow the theme."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from trivium.dashboard.formatting import DAY, clock, scale

#: Of curves, in their order: distinct on white and on black, and by their dashes without colours.
COLOURS = ("#3b7fc4", "#c8641e", "#2b8a63", "#a4509a", "#8a7a1f", "#5b6f8a")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
#: Distances between marks of time [s].
_TICKS = (
    *(unit * n for unit in (0.001, 0.01, 0.1, 1, 10) for n in (1, 2, 5)),
    60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200,
    *(DAY * n for n in (1, 2, 5, 10, 20, 50, 100)),
)  # fmt: skip
_MOST_TICKS = 5


class Curve(NamedTuple):
    """A curve: its name, its unit as it is declared, its points."""

    name: str
    unit: str
    x: NDArray[Any]
    y: NDArray[Any]


def graph(id: str, label: str) -> html.Div:  # noqa: A002
    """Return an empty place for a chart; its label is for those who do not see it."""
    made = dcc.Graph(
        id=id,
        figure=blank(""),
        config={"displaylogo": False, "displayModeBar": False, "responsive": True},
        className="chart",
        responsive="auto",
    )
    return html.Div(made, role="img", **{"aria-label": label})


def blank(text: str, height: int = 120) -> dict[str, Any]:
    """Return an empty chart that says why."""
    annotation = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    return {"data": [], "layout": {**frame(height), "xaxis": hidden, "yaxis": hidden, "annotations": [annotation]}}


def over_time(curves: Sequence[Curve], *, plant: bool) -> dict[str, Any]:
    """Return curves over the time of a simulation, a panel a unit.

    Parameters
    ----------
    curves : sequence of Curve
        ``x`` in seconds.
    plant : bool
        See `trivium.dashboard.formatting.scale`.
    """
    if not any(curve.x.size for curve in curves):
        return blank("No values in this window yet.")
    units = list(dict.fromkeys(curve.unit for curve in curves))
    height = 70 + 210 * len(units)
    layout = frame(height)
    layout["margin"] = {**layout["margin"], "t": 12 + 20 * math.ceil(len(curves) / 2)}
    gap = 0.06 if len(units) > 1 else 0.0
    share = (1 - gap * (len(units) - 1)) / len(units)
    data = []
    for k, unit in enumerate(units):
        top = 1 - k * (share + gap)
        key = "" if k == 0 else str(k + 1)
        shown = scale(unit, plant=plant)
        mine = [plain(curve.y * shown.factor + shown.offset) for curve in curves if curve.unit == unit]
        layout[f"yaxis{key}"] = {
            **axis(shown.unit),
            **_span(mine),
            "domain": [max(0.0, top - share), top],
            "anchor": "x",
        }
        for number, curve in enumerate(curves):
            if curve.unit == unit:
                data.append(
                    {
                        "type": "scatter", "mode": "lines" if curve.x.size > 1 else "markers", "name": curve.name,
                        "yaxis": f"y{key}",
                        "x": curve.x.tolist(), "y": plain(curve.y * shown.factor + shown.offset),
                        "text": [clock(at) for at in curve.x.tolist()],
                        "hovertemplate": "%{y:.4g} " + shown.unit + "<br>%{text}<extra>%{fullData.name}</extra>",
                        "line": {
                            "color": COLOURS[number % len(COLOURS)], "dash": DASHES[number % len(DASHES)], "width": 1.8,
                        },
                    }
                )  # fmt: skip
    first = min(float(curve.x[0]) for curve in curves if curve.x.size)
    last = max(float(curve.x[-1]) for curve in curves if curve.x.size)
    last_axis = "y" if len(units) == 1 else f"y{len(units)}"
    layout["xaxis"] = {**axis("time of the simulation"), **ticks(first, last), "anchor": last_axis}
    layout["showlegend"] = True
    return {"data": data, "layout": layout}


def _span(values: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    """Return a range where values are all but the same: noise of the last digits is no signal."""
    finite = [value for item in values for value in item if value is not None]
    if not finite:
        return {}
    low, high = min(finite), max(finite)
    around = 0.01 * max(abs(low), abs(high), 1e-9)
    return {"range": [low - around, high + around]} if high - low < around / 5 else {}


def ticks(first: float, last: float) -> dict[str, Any]:
    """Return marks of time between two times [s] that people can read."""
    span = last - first or 1.0
    apart = next((spacing for spacing in _TICKS if span / spacing <= _MOST_TICKS), 2 * span)
    values = np.arange(math.ceil(first / apart) * apart, last + apart * 1e-6, apart)
    if not values.size:
        values = np.array([first])
    return {
        "tickvals": values.tolist(),
        "ticktext": [clock(at) for at in values.tolist()],
        "range": [first, first + span],
    }


def lines(
    curves: Sequence[Curve],
    across: str,
    up: str,
    *,
    log: bool = False,
    band: tuple[NDArray[Any], NDArray[Any]] | None = None,
    dots: bool = True,
) -> dict[str, Any]:
    """Return curves over a number; ``band`` is a range around the first, ``dots`` mark the points."""
    layout = frame(320)
    layout["xaxis"] = axis(across)
    layout["yaxis"] = {**axis(up), **({"type": "log", "exponentformat": "power"} if log else {})}
    data: list[dict[str, Any]] = []
    if band is not None:
        x, (low, high) = curves[0].x, band
        data.append(
            {
                "type": "scatter", "mode": "lines", "x": [*plain(x), *plain(x[::-1])], "fill": "toself",
                "y": [*plain(high), *plain(low[::-1])], "line": {"width": 0}, "fillcolor": "rgba(59,127,196,0.2)",
                "name": "10 to 90 % of the runs", "hoverinfo": "skip",
            }
        )  # fmt: skip
    for number, curve in enumerate(curves):
        data.append(
            {
                "type": "scatter", "mode": "lines+markers" if dots else "lines", "name": curve.name,
                "x": plain(curve.x), "y": plain(curve.y),
                "line": {"color": COLOURS[number % 6], "dash": DASHES[number % 6], "width": 1.8}, "marker": {"size": 5},
            }
        )  # fmt: skip
    layout["showlegend"] = len(data) > 1
    return {"data": data, "layout": layout}


def heat_map(across: Curve, up: Curve, values: NDArray[Any], label: str) -> dict[str, Any]:
    """Return a value over two numbers; ``values`` has shape (up, across)."""
    layout = frame(360)
    layout["xaxis"], layout["yaxis"] = axis(across.name), axis(up.name)
    drawn = {
        "type": "heatmap", "x": plain(across.x), "y": plain(up.x), "z": [plain(row) for row in values],
        "colorscale": "Cividis",
        "colorbar": {"title": {"text": label, "side": "right"}, "thickness": 14, "outlinewidth": 0},
        "hovertemplate": f"{across.name} %{{x}}<br>{up.name} %{{y}}<br>{label} %{{z:.5g}}<extra></extra>",
    }  # fmt: skip
    return {"data": [drawn], "layout": layout}


def thinned(x: NDArray[Any], y: NDArray[Any], most: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return at most so many points of a curve: its ends, and of each stretch the least and the greatest value."""
    if x.size <= most:
        return x, y
    edges = np.linspace(0, x.size, max(1, most // 2 - 1) + 1).astype(np.intp)
    kept = {0, x.size - 1}
    for start, end in itertools.pairwise(edges.tolist()):
        stretch = y[start:end]
        if np.isfinite(stretch).any():
            kept |= {start + int(np.nanargmin(stretch)), start + int(np.nanargmax(stretch))}
        else:
            kept.add(start)  # the gap
    places = np.array(sorted(kept), dtype=np.intp)
    return x[places], y[places]


def plain(values: NDArray[Any]) -> list[Any]:
    """Return numbers as JSON has them: what is not finite is None; and texts."""
    if values.dtype.kind == "U":
        return list(values)
    return [float(value) if math.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def values_of(columns: Mapping[str, NDArray[Any]], units: Mapping[str, str], prefix: str = "") -> list[Curve]:
    """Return trajectories as curves."""
    return [
        Curve(f"{prefix}{name}", units.get(name, ""), columns["time"], values)
        for name, values in columns.items()
        if name != "time"
    ]


def frame(height: int) -> dict[str, Any]:
    """Return the layout that all charts have."""
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 62, "r": 16, "t": 14, "b": 46},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        "hovermode": "closest",
        "uirevision": "kept",
    }


def axis(title: str) -> dict[str, Any]:
    """Return an axis that all charts have."""
    return {"title": {"text": title}, "zeroline": False, "automargin": True, "gridcolor": "#8884", "linecolor": "#888"}
