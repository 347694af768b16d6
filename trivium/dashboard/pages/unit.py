"""The panel of a unit that was chosen in the drawing: its alarms, trends, and inputs to set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.dashboard import hands, strips
from trivium.dashboard.callbacks import action, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Hand, Svg
from trivium.dashboard.elements import button
from trivium.dashboard.formatting import scale
from trivium.dashboard.pages.alarms import alarms_of
from trivium.dashboard.schematic import SIGNS
from trivium.server import guard

#: How far back trends go [s], and how many a panel has.
_BACK, _MOST = 21600.0, 8
#: What a trend has: properties of its elements.
_PARTS = (("point", "hidden"), ("name", "children"), ("trend", "markup"))


def panel() -> html.Section:
    """Return the panel, closed."""
    head = html.Div(
        [html.H2(id="unit-title"), button("Close", "unit-close", "quiet", name="Close the panel")],
        className="row between",
    )
    body = [
        html.Div(id="unit-alarms"),
        html.P("The last 6 hours", className="muted"),
        html.Div([_place(i) for i in range(_MOST)], className="trends"),
        html.H3("Inputs", id="unit-inputs-title"),
        Hand("unit-inputs"),
        dcc.Store(id="unit-chosen"),
        dcc.Store(id="unit-stand"),
    ]
    return html.Section(
        [head, *body],
        id="unit",
        className="panel",
        hidden=True,
        role="dialog",
        tabIndex="-1",
        **{"aria-labelledby": "unit-title"},
    )


def _place(i: int) -> html.Div:
    return html.Div(
        [html.P(id=f"unit-name-{i}", className="what"), Svg(f"unit-trend-{i}")], id=f"unit-point-{i}", hidden=True
    )


def register(pages: Dash, context: Context) -> None:
    """Add the panel's callbacks."""
    readings = context.readings

    @view(
        pages,
        Output("unit-chosen", "data"),
        Input("plant", "picked"),
        Input("unit-close", "n_clicks"),
        Input("session", "value"),
        prevent_initial_call=True,
    )
    def choose(*_: Any) -> Any:
        value = ctx.triggered[0]["value"] if ctx.triggered else None
        return value["unit"] if isinstance(value, dict) else None

    pages.clientside_callback(  # nothing is asked of the server while the panel is closed
        ClientsideFunction("trivium", "of_open"),
        Output("unit-stand", "data"),
        Input("unit-chosen", "data"),
        Input("stand", "data"),
    )

    @view(
        pages,
        Output("unit", "hidden"),
        Output("unit-title", "children"),
        Output("unit-alarms", "children"),
        Output("unit-inputs", "rows"),
        Output("unit-inputs", "may"),
        Output("unit-inputs-title", "hidden"),
        *(Output(f"unit-{part}-{i}", name) for i in range(_MOST) for part, name in _PARTS),
        Input("unit-chosen", "data"),
        Input("unit-stand", "data"),
        Input("changed", "data"),
    )
    def show(chosen: str | None, stand: Any, _: Any) -> Any:
        nothing: list[Any] = [True, "", None, [], False, True, *[part for _ in range(_MOST) for part in (True, "", "")]]
        if not chosen or not stand:
            return nothing
        reading, about = readings.read(stand["testid"]), readings.about(stand["testid"])
        drawing = about.schematic
        if drawing is None or chosen not in drawing.units:
            return nothing
        if reading.trouble:
            return [no_update] * len(nothing)
        unit = drawing.units[chosen]
        mine = [alarm for alarm in alarms_of(stand) if chosen in drawing.marked(alarm.points)]
        words = [html.P(f"{SIGNS[alarm.priority]} {alarm.text}", className=f"mark {alarm.priority}") for alarm in mine]
        names = [name for name in (*unit.points, *unit.inputs) if name in about.units]
        columns = readings.curves(reading.testid, names, reading.clock - _BACK, reading.clock)
        still = {name for name in unit.inputs if not np.ptp(columns[name])} if len(columns["time"]) else {*names}
        points = [name for name in names if name not in still][:_MOST]
        trends: list[Any] = []
        for name in points:
            shown = scale(about.units[name], plant=True)
            label = about.descriptions[name] or name
            line = [html.Span(label), html.Strong(shown.text(float(columns[name][-1])))]
            trends += [False, line, strips.draw(columns["time"], columns[name], shown, label)]
        trends += [True, "", ""] * (_MOST - len(points))
        inputs = hands.rows(about, reading, [name for name in unit.inputs if name in about.inputs])
        return [False, unit.title, words, inputs, guard.may("control"), not inputs, *trends]

    @action(
        pages,
        "control",
        Output("unit-inputs", "change"),
        Input("unit-inputs", "change"),
        State("session", "value"),
    )
    def change(asked: Any, testid: str | None) -> Any:
        hands.change(context, needed(testid), asked)
        return no_update
