"""A plot sheet as a page."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

from trivium.control.chart_page import chart_page
from trivium.control.palette import COLOURS, DASHES
from trivium.control.panel import Panel

#: Height of a panel, of its title, and of a row of its legend, which has two entries on a phone [px].
_PANEL, _TITLE, _ROW = 190, 36, 18


def page(across: Sequence[Any], sheet: Sequence[Panel], title: str, label: str) -> str:
    """Return a page that holds all it needs.

    Parameters
    ----------
    across : sequence of float or str
        The time axis; texts are dates.
    sheet : sequence of Panel
    title, label : str
        Of the page, of the time axis.
    """
    above = [_TITLE + (_ROW * math.ceil(len(panel.lines) / 2) if len(panel.lines) > 1 else 0) for panel in sheet]
    total = len(sheet) * _PANEL + sum(above)
    layout: dict[str, Any] = {
        "height": total + 60,
        "margin": {"l": 56, "r": 12, "t": 0, "b": 60},
        "hoversubplots": "axis",
        "xaxis": {
            "title": {"text": label},
            "anchor": "y" if len(sheet) == 1 else f"y{len(sheet)}",
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "gridcolor": "#ccc",
        },
        "annotations": [],
    }
    data = []
    for place, panel in enumerate(sheet):
        key = "" if place == 0 else str(place + 1)
        top = 1 - (place * _PANEL + sum(above[: place + 1])) / total
        layout[f"yaxis{key}"] = _axis(panel) | {"domain": [max(0.0, top - _PANEL / total), top]}
        layout[f"legend{key}"] = {
            "orientation": "h",
            "x": 0,
            "y": top,
            "yanchor": "bottom",
            "font": {"size": 10.5},
            "bgcolor": "rgba(0,0,0,0)",
        }
        layout["annotations"].append(
            {
                "text": html.escape(panel.title), "x": 0, "xref": "paper", "xanchor": "left", "xshift": -48,
                "y": top + (above[place] - 28) / total, "yref": "paper", "yanchor": "bottom", "font": {"size": 13.5},
                "showarrow": False,
            }
        )  # fmt: skip
        for number, (name, line) in enumerate(panel.lines.items()):
            data.append(_curve(across, panel, name, line.tolist(), number, key))
    return chart_page(data, layout, title)


def _axis(panel: Panel) -> dict[str, Any]:
    made = {"title": {"text": panel.unit}, "anchor": "x", "zeroline": False, "automargin": True, "gridcolor": "#ccc"}
    if panel.counted:
        most = max((float(value) for line in panel.lines.values() for value in line if math.isfinite(value)), default=1)
        made |= {"range": [0, max(1.0, most) + 0.5], "dtick": max(1, round(most / 6))}
    return made


def _curve(
    across: Sequence[Any], panel: Panel, name: str, values: Sequence[float], number: int, key: str
) -> dict[str, Any]:
    colour = COLOURS[number % len(COLOURS)]
    line = {"width": 1.4, "color": colour, "dash": DASHES[0 if panel.stacked else number % len(DASHES)]}
    drawn = {
        "type": "scatter", "mode": "lines", "name": name, "x": across, "yaxis": f"y{key}", "legend": f"legend{key}",
        "y": [value if math.isfinite(value) else None for value in values], "line": line,
        "showlegend": len(panel.lines) > 1,
        "hovertemplate": f"%{{y:.5g}} {panel.unit}<extra>{html.escape(name)}</extra>",
    }  # fmt: skip
    if panel.counted:
        line["shape"] = "vh"
    return drawn | ({"stackgroup": panel.title} if panel.stacked else {})
