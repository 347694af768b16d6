"""A chart over time with what belongs to it: the window that is looked at, files, events, all of it in the address.

The browser's side is ``assets/trend.js``. Its store ``<id>-view`` holds the window that the user chose, None while the
chart follows, and the width of the drawing; a page's callback takes it and returns what `shown` makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from trivium.dashboard import charts, timeline
from trivium.dashboard.elements import button, table
from trivium.dashboard.formatting import both
from trivium.dashboard.timeline import Line, Scene
from trivium.simulation.calendar import Calendar

#: Width of a drawing until the browser reports it [px].
_WIDTH = 1000


@dataclass(frozen=True)
class Window:
    """What of time is looked at.

    Attributes
    ----------
    chosen : tuple of float or None
        The window that the user chose [s]; None while the chart follows.
    width : int
        Of the drawing [px].
    """

    chosen: tuple[float, float] | None
    width: int

    @classmethod
    def of(cls, view: Mapping[str, Any] | None) -> Window:
        """Return the window that a store holds."""
        stored = view or {}
        chosen = stored.get("range")
        width = min(max(int(stored.get("width") or _WIDTH), 200), 4000)
        return cls((float(chosen[0]), float(chosen[1])) if chosen else None, width)

    def ends(self, start: float, end: float) -> tuple[float, float]:
        """Return the window; by default all between two times [s]."""
        return self.chosen or (start, end)


def layout(id: str, label: str) -> html.Div:  # noqa: A002
    """Return an empty chart with what belongs to it."""
    tools = [
        button("Hold", f"{id}-hold", "quiet"),
        html.Span(id=f"{id}-state", className="muted"),
        html.Span(id=f"{id}-files", className="files"),
        button("PNG", f"{id}-png", "quiet", title="Save the chart as a picture"),
    ]
    return html.Div(
        [
            html.Div(tools, className="row tools"),
            charts.graph(id, label, follows=True),
            html.P("\u00a0", id=f"{id}-readout", className="readout"),
            html.P(id=f"{id}-limits", className="muted"),
            html.P(id=f"{id}-sentence", className="hidden"),
            html.Details([html.Summary("Events"), html.Div(id=f"{id}-events")], className="events"),
            dcc.Store(id=f"{id}-view"),
            dcc.Store(id=f"{id}-calendar"),
        ],
        className="trend",
    )


def outputs(id: str) -> list[Output]:  # noqa: A002
    """Return the outputs of a page's callback, in the order of what `shown` returns."""
    parts = {"figure": "", "children": ("-files", "-limits", "-sentence", "-events"), "data": ("-calendar",)}
    return [Output(f"{id}{suffix}", name) for name, suffixes in parts.items() for suffix in suffixes or ("",)]


def nothing(text: str) -> tuple[Any, ...]:
    """Return an empty chart that says why, for `outputs`."""
    return charts.blank(text), None, "", "", None, None


def shown(
    lines: Sequence[Line],
    scene: Scene,
    units: Mapping[str, str],
    files: Sequence[tuple[str, str]] = (),
    also: str = "",
) -> tuple[Any, ...]:
    """Return a chart and what belongs to it, for `outputs`.

    Parameters
    ----------
    lines : sequence of Line
    scene : Scene
    units : Mapping[str, str]
        Of points, for the sentence about limits.
    files : sequence of (str, str)
        Names and addresses of what is shown as data.
    also : str
        What more there is to say below the chart.
    """
    links: list[Any] = [html.A(name, href=address, download="", className="button quiet") for name, address in files]
    marked = timeline.in_window(scene.events, scene.start, scene.end)
    rows = [(_when(event.time, scene.calendar), event.kind, event.text) for event in reversed(marked)]
    events = (
        table("Events in this window, the newest first", ("Time", "Kind", "What happened"), rows)
        if rows
        else html.P("None in this window.", className="muted")
    )
    return (
        timeline.draw(lines, scene),
        links,
        f"{timeline.limits_sentence(scene.limits, units, plant=scene.plant)} {also}".strip(),
        timeline.sentence(lines, scene),
        events,
        described(scene.calendar),
    )


def _when(at: float, calendar: Calendar | None) -> str:
    return both(at) if calendar is None else f"{calendar.text(at)} · {both(at)}"


def described(calendar: Calendar | None) -> dict[str, Any] | None:
    """Return a calendar as the browser takes it."""
    if calendar is None:
        return None
    name = getattr(calendar.zone, "key", None)
    offset = calendar.zone.utcoffset(None)
    return {
        "epoch": calendar.epoch.timestamp(),
        "zone": name,
        "offset": None if name or offset is None else offset.total_seconds(),
    }


def files_of(testid: str, names: Sequence[str], start: float, end: float) -> list[tuple[str, str]]:
    """Return names and addresses of results of a session as data, equal to those of ``PUT /results``."""
    query = {"point_names": ",".join(names), "start_time": repr(start), "final_time": repr(end)}
    address = f"/results/{testid}?{urlencode(query)}"
    return [(label, f"{address}&format={form}") for label, form in (("CSV", "csv"), ("Parquet", "parquet"))]


def asked(search: str | None, key: str) -> list[str]:
    """Return the values that the address of a page has for a key, separated by commas."""
    return [each for text in parse_qs((search or "").lstrip("?")).get(key, []) for each in text.split(",") if each]


def register(pages: Dash, id: str, parameters: Mapping[str, tuple[str, str]]) -> None:  # noqa: A002
    """Add the browser's callbacks of a chart.

    Parameters
    ----------
    pages : Dash
    id : str
    parameters : Mapping[str, (str, str)]
        What the address holds beside the window: names in the address, and the component and property of each.
    """

    def function(name: str) -> ClientsideFunction:
        return ClientsideFunction("trivium", name)

    pages.clientside_callback(
        function("look"),
        Output(f"{id}-view", "data"),
        Output(f"{id}-hold", "children"),
        Output(f"{id}-state", "children"),
        Input(id, "relayoutData"),
        Input(f"{id}-hold", "n_clicks"),
        State(f"{id}-view", "data"),
        State(id, "id"),
    )
    pages.clientside_callback(
        function("readout"),
        Output(f"{id}-readout", "children"),
        Input(id, "hoverData"),
        State(f"{id}-calendar", "data"),
        prevent_initial_call=True,
    )
    pages.clientside_callback(
        function("picture"),
        Output(f"{id}-png", "n_clicks"),
        Input(f"{id}-png", "n_clicks"),
        State(id, "id"),
        prevent_initial_call=True,
    )
    keep_address(pages, id, f"{id}-view", parameters)


def keep_address(pages: Dash, id: str, view: str, parameters: Mapping[str, tuple[str, str]]) -> None:  # noqa: A002
    """Add the browser's callback that writes the address of a page.

    Parameters
    ----------
    pages : Dash
    id : str
        As of `names_of_address`.
    view : str
        A store; where it holds a window over time, that is in the address.
    parameters : Mapping[str, (str, str)]
        As of `register`.
    """
    pages.clientside_callback(
        ClientsideFunction("trivium", "address"),
        Output(f"{id}-names", "storage_type"),  # what changes nothing: the address is no component
        Input(view, "data"),
        *(Input(component, name) for component, name in parameters.values()),
        State(f"{id}-names", "data"),
        prevent_initial_call=True,
    )


def names_of_address(id: str, parameters: Mapping[str, tuple[str, str]]) -> dcc.Store:  # noqa: A002
    """Return the store of the names that `register` puts into the address."""
    return dcc.Store(id=f"{id}-names", data=list(parameters))
