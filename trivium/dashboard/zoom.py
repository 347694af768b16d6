"""A chart over two numbers whose window the server draws anew, with finer data; the address of the page has the window.

The browser's side is in ``assets/trend.js``. The store ``<id>-zoom`` holds the ends of the window and the names of the
axes that it is of: with other axes it is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from trivium.dashboard import charts

#: Ends of both axes.
Window = tuple[tuple[float, float], tuple[float, float]]


def layout(id: str, label: str) -> html.Div:  # noqa: A002
    """Return an empty chart with its store."""
    return html.Div([charts.graph(id, label, follows=True), dcc.Store(id=f"{id}-zoom", data=[])])


def register(pages: Dash, id: str) -> None:  # noqa: A002
    """Add the browser's callback."""
    pages.clientside_callback(
        ClientsideFunction("trivium", "zoom"),
        Output(f"{id}-zoom", "data"),
        Input(id, "relayoutData"),
        State(f"{id}-zoom", "data"),
        State(id, "id"),
        prevent_initial_call=True,
    )


def window(zoom: Sequence[Any] | None, axes: Sequence[str]) -> Window | None:
    """Return the window that a store holds, if it is of these axes."""
    ends, names = list(zoom or [])[:4], list(zoom or [])[4:]
    if len(ends) < 4 or ",".join(names) != ",".join(axes):
        return None
    try:
        left, right, low, high = map(float, ends)
    except ValueError:  # of an address that somebody wrote
        return None
    return ((left, right), (low, high)) if left < right and low < high else None


def zoomed(figure: dict[str, Any], axes: Sequence[str], inside: Window | None) -> dict[str, Any]:
    """Return a chart with its axes' names, and within its window."""
    layout = {**figure["layout"], "meta": list(axes), "uirevision": " ".join(axes)}
    if inside is not None:
        for axis, ends in zip(("xaxis", "yaxis"), inside, strict=True):
            layout[axis] = {**layout[axis], "range": list(ends)}
    return {**figure, "layout": layout}
