"""A chart as a page of its own: light and dark as the reader's system is, as wide as the screen."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from trivium.control.palette import LEFT_OUT

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; --back: light-dark(#ffffff, #12161c); --text: light-dark(#1b2430, #e6eaf0);
  --line: light-dark(#dfe3e8, #303947); }}
body {{ margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 12px; }}
h1 {{ font-size: 20px; margin: 0 0 8px; overflow-wrap: anywhere; }}
.js-plotly-plot text {{ fill: var(--text) !important; }}
.js-plotly-plot .main-svg {{ background: transparent !important; }}
.js-plotly-plot .bg {{ fill: transparent !important; }}
.js-plotly-plot .hoverlayer .bg {{ fill: var(--back) !important; stroke: var(--line) !important; }}
.js-plotly-plot .gridlayer path {{ stroke: var(--line) !important; }}
</style></head>
<body><main><h1>{title}</h1>{chart}</main></body>
</html>
"""
_LAYOUT = {
    "autosize": True,
    "hovermode": "x unified",
    "paper_bgcolor": "#ffffff",
    "plot_bgcolor": "#ffffff",
    "font": {"family": "system-ui, sans-serif", "size": 12},
    "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#8a8f98", "activecolor": "#3b7fc4"},
}


def chart_page(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], title: str) -> str:
    """Return a page that holds all it needs.

    Parameters
    ----------
    data : sequence of dict
        Curves, as Plotly takes them.
    layout : dict
        As Plotly takes it; colours, fonts and width are those of all such pages.
    title : str
        Of the page.
    """
    import plotly.io

    config = {"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": [*LEFT_OUT]}
    figure = {"data": data, "layout": {**_LAYOUT, **layout}}
    chart = plotly.io.to_html(figure, config=config, include_plotlyjs=True, full_html=False, validate=False)
    return _PAGE.format(title=html.escape(title), chart=chart)
