"""Control inputs that are set by hand; they hold in every step, whatever the controller decides."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, html

from trivium.dashboard.callbacks import action, needed, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, Still, button, card, drawn, field, line, options, say, table
from trivium.dashboard.formatting import both, moment, scale
from trivium.dashboard.quantities import parse_quantity, parse_time, within
from trivium.errors import InvalidValueError


def card_of_inputs() -> html.Section:
    """Return the card."""
    return card("Inputs by hand", _inputs(), id="inputs")


def _inputs() -> html.Div:
    return html.Div(
        [
            html.P(
                "They act in every step from here on, whatever a controller or a client gives, for everybody.",
                className="muted",
            ),
            html.Div(
                [
                    field("Input", Select("input-name"), wide=True),
                    field("Value", line("input-value", inputMode="text"), "with its unit, or as it is shown"),
                    field("Until", line("input-until"), "empty: until it is released"),
                ],
                className="row",
            ),
            html.P(id="input-bounds", className="muted"),
            button("Set", "set-input", "main", "control"),
            Still("given-table"),
        ]
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    readings = context.readings

    @view(
        pages,
        Output("input-name", "options"),
        Output("input-name", "value"),
        Input("session", "value"),
        State("input-name", "value"),
    )
    def names(testid: str | None, before: str | None) -> Any:
        if not testid:
            return [], ""
        variables = readings.about(testid)
        descriptions = {name: variables.descriptions[name] for name in variables.inputs}
        labels = {name: f"{name}: {text}" for name, text in descriptions.items() if text}
        choices = [{"value": "", "label": "Choose an input"}, *options(variables.inputs, labels)]
        return choices, before if before in variables.inputs else ""

    @view(pages, Output("input-bounds", "children"), Input("input-name", "value"), Input("scene", "data"))
    def bounds(name: str | None, stand: Any) -> Any:
        if not name or not stand:
            return ""
        variables, reading = readings.about(stand["testid"]), readings.read(stand["testid"])
        if name not in variables.inputs:
            return ""
        plant = variables.plant is not None
        text = within(variables.bounds[name], variables.units[name], plant=plant)
        present = reading.values.get(name)
        shown_now = "" if present is None else f"; now {scale(variables.units[name], plant=plant).text(present)}"
        return f"{text[0].upper()}{text[1:]}{shown_now}."

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("set-input", "n_clicks"),
        State("session", "value"),
        State("input-name", "value"),
        State("input-value", "value"),
        State("input-until", "value"),
    )
    def put(_: Any, testid: str | None, name: str | None, value: str, until: str | None) -> Any:
        testid = needed(testid)
        variables = readings.about(testid)
        if not name or name not in variables.inputs:
            raise InvalidValueError("Choose an input first.", "input")
        unit, plant = variables.units[name], variables.plant is not None
        number = parse_quantity(value or "", name, unit, variables.bounds[name], plant=plant)
        end = parse_time(until, "Until", variables.calendar) if until and until.strip() else None
        if end is not None and end <= (now := readings.find(testid)["time"]):
            raise InvalidValueError(f"Until must be after the session's time, {both(now)}, or empty.", "until")
        with readings.session(testid) as session:
            session.override({name: number}, end)
        say(f"{name} is {scale(unit, plant=plant).text(number)} from the next step on.")
        return time.time()

    @action(
        pages,
        "control",
        Output("changed", "data", allow_duplicate=True),
        Input("given-table", "release"),
        State("session", "value"),
    )
    def release(_: Any, testid: str | None) -> Any:
        name = pressed()
        with readings.session(needed(testid)) as session:
            session.release([name])
        say(f"Released {name}.")
        return time.time()

    @view(pages, Output("given-table", "content"), Input("scene", "data"), Input("changed", "data"))
    def show(stand: Any, _: Any) -> Any:
        if not stand:
            return drawn(html.P("There is no session.", className="muted"))
        testid = stand["testid"]
        entries, variables = context.sessions.summary(testid)["overrides"], readings.about(testid)
        rows = [
            (
                html.Code(name),
                scale(variables.units.get(name, ""), plant=variables.plant is not None).text(entry["value"]),
                "it is released" if entry["until"] is None else both(entry["until"]),
                moment(entry["when"]) + (f" by {entry['who']}" if entry["who"] else ""),
                button("Release", {"do": "release", "of": name}, "quiet", "control", name=f"Release {name}"),
            )
            for name, entry in entries.items()
        ]
        head = ("Input", "Value", "Until", "Set", "Actions")
        shown = table(
            "Inputs that are set", head, rows, numbers=(1,), keys=[*entries], empty="No input is set.", cards=True
        )
        return drawn(shown)
