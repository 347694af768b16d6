"""The plant as it stands: schematic, figures, charts of chosen points; of any other model its points as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from trivium.dashboard import ahead, schematic, trend
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Drawing, Unfolded
from trivium.dashboard.elements import Choices, Select, Still, card, drawn, field, options, tiles
from trivium.dashboard.formatting import DAY, clock, scale, seconds
from trivium.dashboard.pages import faceplate, unit
from trivium.dashboard.pages.alarms import alarms_of
from trivium.dashboard.readings import About, Reading
from trivium.dashboard.trajectories import lines_of, scene_of, set_points_of, with_set_points
from trivium.dashboard.trend import Window
from trivium.simulation.plant import Schematic, View

_WINDOWS = {
    "3600": "1 hour",
    "21600": "6 hours",
    "86400": "1 day",
    str(int(7 * DAY)): "7 days",
    "1e15": "the whole test",
}
#: Most points of the chart.
_MOST = 12
#: What the address of the page holds.
_KEPT = {name: (name, "value") for name in ("session", "points", "window", "ahead")}


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Plant"),
        Still("plant-figures"),
        html.Section(
            [
                html.H2("The plant now", className="hidden"),
                Drawing("plant"),
                Still("plant-legend"),
            ],
            id="plant-drawing",
            className="card drawing",
        ),
        unit.panel(),
        faceplate.place(),
        card(
            "Over time",
            html.Div(
                [
                    field(
                        "Points",
                        Choices("points", "point"),
                        wide=True,
                    ),
                    field("Window", Select("window", options(_WINDOWS, _WINDOWS), "86400")),
                    field("Forecast", Select("ahead", options(ahead.CHOICES, ahead.CHOICES), ahead.DEFAULT)),
                ],
                className="row",
            ),
            trend.layout("plant-chart", "Chosen points over time"),
            trend.names_of_address("plant-chart", _KEPT),
        ),
        Unfolded("plant-points", "All points as a table", ("Point", "Value", "Description"), numbers=(1,)),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    readings = context.readings
    unit.register(pages, context)
    faceplate.register(pages, context)

    @view(
        pages,
        Output("plant", "wide"),
        Output("plant", "tall"),
        Output("plant-drawing", "hidden"),
        Input("session", "value"),
    )
    def draw(testid: str | None) -> Any:
        drawing = readings.about(testid).schematic if testid else None
        if drawing is None:
            return "", "", True
        files = (("wide", drawing.wide), ("tall", drawing.narrow))
        return *(schematic.draw(file, name, drawing.units) for name, file in files), False

    @view(
        pages,
        Output("plant-figures", "content"),
        Output("plant", "parts"),
        Output("plant-legend", "content"),
        Output("plant-points", "caption"),
        Output("plant-points", "rows"),
        Output("face-stand", "data"),
        Input("stand", "data"),
        Input("plant-points", "open"),
    )
    def follow(stand: Any, listed: bool) -> Any:
        if not stand:
            return drawn(html.P("There is no session to show.")), {}, None, "", [], None
        reading = readings.read(stand["testid"])
        if reading.trouble:
            return drawn(html.P(reading.trouble, className="trouble")), *[no_update] * 5
        variables = readings.about(reading.testid)
        points = (f"All points at {clock(reading.clock)}", _points(variables, reading)) if listed else ("", [])
        drawing = variables.schematic
        if drawing is None:
            return drawn(_clock(reading)), {}, None, *points, stand
        seen = drawing.view(reading.values)
        marks = schematic.marks(drawing, alarms_of(stand))
        parts = {
            name: schematic.parts(file, seen, drawing.units, marks, reading.overrides)
            for name, file in (("wide", drawing.wide), ("tall", drawing.narrow))
        }
        legend = _legend(drawing, reading.overrides, variables)
        return drawn(_figures(reading, seen)), parts, drawn(legend), *points, no_update

    @view(
        pages,
        Output("points", "options"),
        Output("points", "value"),
        Output("window", "value"),
        Output("ahead", "value"),
        Input("session", "value"),
        State("points", "value"),
        State("window", "value"),
        State("ahead", "value"),
        State("address", "search"),
    )
    def choices(testid: str | None, selected: list[str] | None, window: str, head: str, search: str | None) -> Any:
        if not testid:
            return [], [], no_update, no_update
        variables = readings.about(testid)
        wanted = selected or trend.asked(search, "points")
        valid = [name for name in wanted if name in variables.units]
        linked = {} if selected else {key: trend.asked(search, key) for key in ("window", "ahead")}
        windows = [each for each in linked.get("window", []) if each in _WINDOWS]
        heads = [each for each in linked.get("ahead", []) if each in ahead.CHOICES]
        labels = {
            name: f"{name}: {variables.descriptions[name]}" if variables.descriptions[name] else name
            for name in variables.points
        }
        points = valid or list(variables.charted)
        return options(variables.points, labels), points, (windows or [window])[0], (heads or [head])[0]

    @view(
        pages,
        *trend.outputs("plant-chart"),
        Input("stand", "data"),
        Input("points", "value"),
        Input("window", "value"),
        Input("ahead", "value"),
        Input("plant-chart-view", "data"),
    )
    def chart(stand: Any, selected: list[str] | None, window: str, head: str, view: Any) -> Any:
        if not stand or stand["trouble"] or not view:
            return [no_update] * 6
        if not selected:
            return trend.nothing("Choose points above.")
        testid, clock = stand["testid"], stand["clock"]
        variables = readings.about(testid)
        names = [name for name in selected if name in variables.units][:_MOST]
        if not names:
            return [no_update] * 6  # of another test case; the choice is on its way
        looked, fan = Window.of(view), ahead.fan_of(readings, testid, names, clock, head)
        last = clock if not fan.lines else float(fan.lines[0].x[-1])
        start, end = looked.ends(max(clock - float(window), readings.begin(testid)), last)
        margin = variables.step
        columns = readings.curves(testid, with_set_points(variables, names), start - margin, end + margin)
        lines = [*lines_of(variables, columns, names), *fan.lines, *set_points_of(variables, columns, names)]
        scene = scene_of(context, testid, columns, names, (start, end), looked.width, fan, clock)
        files = trend.files_of(testid, names, start, min(end, clock))
        return trend.shown(lines, scene, variables.units, files, fan.sentence)

    trend.register(pages, "plant-chart", _KEPT)


def _legend(drawing: Schematic, by_hand: Mapping[str, Any], variables: About) -> list[Any]:
    """Return what the drawing means, and which inputs of it are set by hand."""
    legend = [html.P(drawing.legend, className="muted")]
    if not by_hand:
        return legend
    values = (
        f"{name} {scale(variables.units.get(name, ''), plant=True).text(entry.value)}"
        for name, entry in by_hand.items()
    )
    return [
        html.P([html.Span("✎ ", **{"aria-hidden": "true"}), f"By hand: {'; '.join(values)}"], id="by-hand"),
        *legend,
    ]


def _clock(reading: Reading) -> Any:
    return tiles([("Time", clock(reading.clock), seconds(reading.clock)), ("Test case", reading.testcase, "")])


def _figures(reading: Reading, seen: View) -> Any:
    chief = [(title, schematic.figure(value), remark) for title, value, remark in seen.tiles]
    return tiles([("Time", clock(reading.clock), seconds(reading.clock)), *chief])


def _points(variables: About, reading: Reading) -> list[tuple[str, str, str]]:
    plant = variables.plant is not None
    return [
        (name, scale(variables.units[name], plant=plant).text(value), variables.descriptions[name])
        for name, value in reading.values.items()
    ]
