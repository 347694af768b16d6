"""Control inputs that the user sets; they hold in every step, whatever the controller decides."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, html

from trivium.dashboard.callbacks import action, needed, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, line, options, say, table
from trivium.dashboard.formatting import scale
from trivium.errors import InvalidValueError
from trivium.numbers import parse_number


def card_of_inputs() -> html.Section:
    """Return the card."""
    return card("Inputs", _inputs(), dcc.Store(id="given", storage_type="session", data={}), id="inputs")


def _inputs() -> html.Div:
    return html.Div(
        [
            html.P("Set with every step from here on, whatever the controller decides.", className="muted"),
            html.Div(
                [
                    field(
                        "Input",
                        Select("input-name"),
                        wide=True,
                    ),
                    field("Value", line("input-value", inputMode="decimal")),
                ],
                className="row",
            ),
            html.P(id="input-bounds", className="muted"),
            button("Set", "set-input", "main"),
            html.Div(id="given-table"),
        ]
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    readings = context.readings

    @view(pages, Output("input-name", "options"), Output("input-name", "value"), Input("session", "value"))
    def names(testid: str | None) -> Any:
        if not testid:
            return [], ""
        variables = readings.about(testid)
        descriptions = {name: variables.descriptions[name] for name in variables.inputs}
        labels = {name: f"{name}: {text}" for name, text in descriptions.items() if text}
        return [{"value": "", "label": "Choose an input"}, *options(variables.inputs, labels)], ""

    @view(pages, Output("input-bounds", "children"), Input("input-name", "value"), Input("stand", "data"))
    def bounds(name: str | None, stand: Any) -> Any:
        if not name or not stand:
            return ""
        variables, reading = readings.about(stand["testid"]), readings.read(stand["testid"])
        if name not in variables.inputs:
            return ""
        unit = variables.units[name]
        low, high = ("open" if bound is None else f"{bound:g}" for bound in variables.bounds[name])
        present = reading.values.get(name)
        hint = f"From {low} to {high} {unit}" + (f"; now {present:g} {unit}" if present is not None else "")
        shown = scale(unit, plant=variables.plant is not None)
        return f"{hint} ({shown.text(present)})." if present is not None and shown.offset else f"{hint}."

    @action(
        pages,
        "control",
        Output("given", "data"),
        Input("set-input", "n_clicks"),
        State("session", "value"),
        State("input-name", "value"),
        State("input-value", "value"),
        State("given", "data"),
    )
    def put(_: Any, testid: str | None, name: str | None, value: str, set_points: Any) -> Any:
        testid = needed(testid)
        variables = readings.about(testid)
        if not name or name not in variables.inputs:
            raise InvalidValueError("Choose an input first.", "input")
        number = parse_number(value, name)
        low, high = variables.bounds[name]
        if (low is not None and number < low) or (high is not None and number > high):
            raise InvalidValueError(f"{name} must be within its bounds, not {number:g} {variables.units[name]}.", name)
        say(f"{name} is {number:g} {variables.units[name]} from the next step on.")
        return {**(set_points or {}), testid: {**(set_points or {}).get(testid, {}), name: number}}

    @action(
        pages,
        "read",
        Output("given", "data", allow_duplicate=True),
        Input({"do": "release", "of": ALL}, "n_clicks"),
        State("session", "value"),
        State("given", "data"),
    )
    def release(_: Any, testid: str | None, set_points: Any) -> Any:
        name = pressed()
        mine = {key: value for key, value in (set_points or {}).get(testid, {}).items() if key != name}
        return {**(set_points or {}), testid: mine}

    @view(pages, Output("given-table", "children"), Input("given", "data"), Input("session", "value"))
    def show(set_points: Any, testid: str | None) -> Any:
        mine = (set_points or {}).get(testid or "", {})
        if not mine:
            return html.P("No input is set.", className="muted")
        units = readings.about(needed(testid)).units
        rows = [
            (
                html.Code(name),
                f"{value:g} {units.get(name, '')}",
                button("Release", {"do": "release", "of": name}, "quiet", **{"aria-label": f"Release {name}"}),
            )
            for name, value in mine.items()
        ]
        return table("Inputs that are set", ("Input", "Value", "What to do"), rows, numbers=(1,))
