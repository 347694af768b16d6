"""Charts; their colours of text and grid are the style sheet's, so that they follow the theme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from trivium.control.palette import COLOURS, DASHES, HEAT, LEFT_OUT

#: Of all charts: what the bar over them offers, and the picture that it saves.
CONFIG = {
    "displaylogo": False,
    "displayModeBar": True,
    "modeBarButtonsToRemove": [*LEFT_OUT, "autoScale2d"],
    "responsive": True,
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "trivium"},
}
#: Of a chart whose window the server draws: all that there is is the server's to know.
FOLLOWING = {
    **CONFIG,
    "doubleClick": "autosize",
    "modeBarButtonsToRemove": [*LEFT_OUT, "resetScale2d"],
}


class Curve(NamedTuple):
    """A curve: its name, its unit as it is declared, its points."""

    name: str
    unit: str
    x: NDArray[Any]
    y: NDArray[Any]


def graph(id: str, label: str, *, follows: bool = False) -> html.Div:  # noqa: A002
    """Return an empty place for a chart; its label is for those who do not see it.

    Parameters
    ----------
    id : str
    label : str
    follows : bool
        Whether a double-click returns to all that the server draws, in place of what the browser has.
    """
    made = dcc.Graph(
        id=id,
        figure=blank(""),
        config=FOLLOWING if follows else CONFIG,
        className="chart",
        responsive="auto",
    )
    return html.Div(made, role="figure", **{"aria-label": label})


def blank(text: str, height: int = 120) -> dict[str, Any]:
    """Return an empty chart that says why."""
    annotation = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    return {"data": [], "layout": {**frame(height), "xaxis": hidden, "yaxis": hidden, "annotations": [annotation]}}


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
        "colorscale": HEAT,
        "colorbar": {"title": {"text": label, "side": "right"}, "thickness": 14, "outlinewidth": 0},
        "hovertemplate": f"{across.name} %{{x}}<br>{up.name} %{{y}}<br>{label} %{{z:.5g}}<extra></extra>",
    }  # fmt: skip
    return {"data": [drawn], "layout": layout}


def thinned(x: NDArray[Any], y: NDArray[Any], columns: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the points of a curve that so many columns of pixels show: of each its least and its greatest value.

    The ends are kept, and of a column with gaps one.
    """
    if x.size <= 2 * columns:
        return x, y
    span = float(x[-1] - x[0]) or 1.0
    column = np.minimum((x - x[0]) / span * columns, columns - 1).astype(np.intp)
    finite = np.isfinite(y)
    places, gaps = np.flatnonzero(finite), np.flatnonzero(~finite)
    kept = [np.array([0, x.size - 1]), gaps[_firsts(column[gaps])]]
    order = places[np.lexsort((y[places], column[places]))]  # by column, then by value
    firsts = _firsts(column[order])
    lasts = np.append(firsts[1:], order.size) - 1 if order.size else firsts
    chosen = np.unique(np.concatenate([*kept, order[firsts], order[lasts]]))
    return x[chosen], y[chosen]


def _firsts(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places where groups of equal numbers begin."""
    return np.flatnonzero(np.diff(groups, prepend=-1))


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
        # of pictures that are saved; on the page the style sheet lets what is behind show
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        "hovermode": "closest",
        "uirevision": "kept",
    }


def axis(title: str) -> dict[str, Any]:
    """Return an axis that all charts have."""
    return {
        "title": {"text": title, "standoff": 8},
        "zeroline": False,
        "automargin": True,
        "gridcolor": "#8884",
        "linecolor": "#888",
    }
