"""The plant as it stands: schematic, figures, charts of chosen points; of any other model its points as a table."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from trivium.dashboard import charts, schematic
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, Svg, card, field, options, table, tiles
from trivium.dashboard.formatting import DAY, clock, scale, seconds
from trivium.dashboard.readings import About, Reading
from trivium.simulation.plant import View

_WINDOWS = {
    "3600": "1 hour",
    "21600": "6 hours",
    "86400": "1 day",
    str(int(7 * DAY)): "7 days",
    "1e15": "the whole test",
}


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Plant"),
        html.Div(id="plant-figures"),
        html.Section(
            [
                html.H2("The plant now", className="hidden"),
                Svg("plant-wide", className="schematic wide"),
                Svg("plant-tall", className="schematic tall"),
                html.Div(id="plant-legend"),
            ],
            id="plant-drawing",
            className="card drawing",
        ),
        card(
            "Over time",
            html.Div(
                [
                    field(
                        "Points",
                        Choices("points", "point"),
                        wide=True,
                    ),
                    field("Window", Select("window", [{"value": k, "label": v} for k, v in _WINDOWS.items()], "86400")),
                ],
                className="row",
            ),
            charts.graph("plant-chart", "Chosen points over time"),
        ),
        html.Details(
            [html.Summary("All points as a table"), html.Div(id="plant-points")], className="card", open=False
        ),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    readings = context.readings

    @view(
        pages,
        Output("plant-figures", "children"),
        Output("plant-wide", "markup"),
        Output("plant-tall", "markup"),
        Output("plant-drawing", "hidden"),
        Output("plant-legend", "children"),
        Output("plant-points", "children"),
        Input("stand", "data"),
    )
    def draw(stand: Any) -> Any:
        if not stand:
            return html.P("There is no session to show."), "", "", True, None, None
        reading = readings.read(stand["testid"])
        if reading.trouble:
            return html.P(reading.trouble, className="trouble"), no_update, no_update, no_update, no_update, no_update
        variables = readings.about(reading.testid)
        rows = _points(variables, reading)
        drawing = variables.schematic
        if drawing is None:
            return _clock(reading), "", "", True, None, rows
        seen = drawing.view(reading.values)
        wide, narrow = schematic.draw(drawing.wide, "wide", seen), schematic.draw(drawing.narrow, "tall", seen)
        return _figures(reading, seen), wide, narrow, False, html.P(drawing.legend, className="muted"), rows

    @view(
        pages,
        Output("points", "options"),
        Output("points", "value"),
        Input("session", "value"),
        State("points", "value"),
    )
    def choices(testid: str | None, selected: list[str] | None) -> Any:
        if not testid:
            return [], []
        variables = readings.about(testid)
        valid = [name for name in selected or [] if name in variables.units]
        labels = {
            name: f"{name}: {variables.descriptions[name]}" if variables.descriptions[name] else name
            for name in variables.points
        }
        return options(variables.points, labels), valid or list(variables.charted)

    @view(
        pages,
        Output("plant-chart", "figure"),
        Input("stand", "data"),
        Input("points", "value"),
        Input("window", "value"),
    )
    def chart(stand: Any, selected: list[str] | None, window: str) -> Any:
        if not stand or stand["trouble"]:
            return no_update
        if not selected:
            return charts.blank("Choose points above.")
        testid, end = stand["testid"], stand["clock"]
        variables = readings.about(testid)
        names = [name for name in selected if name in variables.units][:12]
        if not names:
            return no_update  # of another test case; the choice is on its way
        columns = readings.curves(testid, names, end - float(window), end)
        return charts.over_time(charts.values_of(columns, variables.units), plant=variables.plant is not None)


def _clock(reading: Reading) -> Any:
    return tiles([("Time", clock(reading.clock), seconds(reading.clock)), ("Test case", reading.testcase, "")])


def _figures(reading: Reading, seen: View) -> Any:
    chief = [(title, schematic.figure(value), remark) for title, value, remark in seen.tiles]
    return tiles([("Time", clock(reading.clock), seconds(reading.clock)), *chief])


def _points(variables: About, reading: Reading) -> Any:
    rows = [
        (
            name,
            scale(variables.units[name], plant=variables.plant is not None).text(value),
            variables.descriptions[name],
        )
        for name, value in reading.values.items()
    ]
    return table(
        f"All points at {clock(reading.clock)}", ("Point", "Value", "Description"), rows, numbers=(1,), shown=True
    )
